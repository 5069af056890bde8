//! A FUSE server for empty filesystems, over the kernel's own protocol (linux: include/uapi/linux/fuse.h): as much
//! of it as statfs needs.
//!
//! It runs as a process of its own. Told to `hold`, it reads statfs requests and does not answer them until told
//! to `go`; what happens to it meanwhile is what this test is about.

use std::{
    fs::{File, OpenOptions},
    io::{BufRead, Read, Write},
    os::fd::AsRawFd,
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread,
};

use anyhow::Context;
use nix::{
    mount::{MsFlags, mount},
    sys::{prctl::set_pdeathsig, signal::Signal},
};

/// The first argument of this program as a server; the mount points follow.
pub(crate) const ARGUMENT: &str = "--serve-fuse";
/// Printed when all filesystems are mounted.
pub(crate) const MOUNTED: &str = "mounted";
/// Printed when a request has been read and is held back.
pub(crate) const HOLDING: &str = "holding";

const OP_FORGET: u32 = 2;
const OP_GETATTR: u32 = 3;
const OP_STATFS: u32 = 17;
const OP_INIT: u32 = 26;
const OP_INTERRUPT: u32 = 36;
const OP_BATCH_FORGET: u32 = 42;

const HEADER: usize = 40;
const ENOSYS: i32 = 38;

/// Whether requests are held back.
#[derive(Default)]
struct Hold {
    on: Mutex<bool>,
    changed: Condvar,
}

/// Mounts a filesystem at each of `points` and serves them until standard input ends.
pub(crate) fn serve(points: &[String]) -> anyhow::Result<()> {
    set_pdeathsig(Signal::SIGKILL).context("cannot tie the server to the test")?;
    let hold = Arc::new(Hold::default());
    for point in points {
        let device = OpenOptions::new()
            .read(true)
            .write(true)
            .open("/dev/fuse")
            .context("cannot open /dev/fuse")?;
        let options = format!(
            "fd={},rootmode=40000,user_id=0,group_id=0,allow_other",
            device.as_raw_fd()
        );
        mount(
            Some("test"),
            point.as_str(),
            Some("fuse.test"),
            MsFlags::empty(),
            Some(options.as_str()),
        )
        .with_context(|| format!("cannot mount {point}"))?;
        let hold = Arc::clone(&hold);
        thread::spawn(move || answer(device, &hold));
    }
    println!("{MOUNTED}");
    for line in std::io::stdin().lock().lines() {
        *hold.on.lock().unwrap_or_else(PoisonError::into_inner) = line?.trim() == "hold";
        hold.changed.notify_all();
    }
    Ok(())
}

/// Answers the requests of one filesystem until it is unmounted.
fn answer(mut device: File, hold: &Hold) {
    let mut request = vec![0; 64 << 10];
    while let Ok(length) = device.read(&mut request) {
        let (Some(operation), Some(unique)) = (word(&request[..length], 4), request.get(8..16)) else {
            return;
        };
        let body = match operation {
            OP_FORGET | OP_BATCH_FORGET | OP_INTERRUPT => continue,
            OP_STATFS => {
                hold.wait();
                Ok(statfs())
            }
            OP_INIT => Ok(init(word(&request, HEADER + 4).unwrap_or(0))),
            OP_GETATTR => Ok(attributes()),
            _ => Err(ENOSYS),
        };
        // A request that was given up meanwhile has no one to take the answer.
        if device
            .write(&response(unique, body))
            .is_err_and(|error| error.kind() != std::io::ErrorKind::NotFound)
        {
            return;
        }
    }
}

impl Hold {
    fn wait(&self) {
        let mut on = self.on.lock().unwrap_or_else(PoisonError::into_inner);
        if *on {
            println!("{HOLDING}");
        }
        while *on {
            on = self.changed.wait(on).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// fuse_out_header and body.
fn response(unique: &[u8], body: Result<Vec<u8>, i32>) -> Vec<u8> {
    let (error, body) = match body {
        Ok(body) => (0, body),
        Err(errno) => (-errno, Vec::new()),
    };
    let length = u32::try_from(16 + body.len()).unwrap_or(0);
    [&length.to_ne_bytes(), &error.to_ne_bytes(), unique, &body[..]].concat()
}

/// fuse_init_out for protocol 7.31, smallest writes, no options.
fn init(max_readahead: u32) -> Vec<u8> {
    let mut body = Vec::new();
    for field in [7_u32, 31, max_readahead, 0] {
        body.extend(field.to_ne_bytes());
    }
    for field in [12_u16, 9] {
        body.extend(field.to_ne_bytes());
    }
    body.extend(4096_u32.to_ne_bytes());
    body.resize(64, 0);
    body
}

/// fuse_statfs_out: 1000 blocks of 4 KiB, half of them free.
fn statfs() -> Vec<u8> {
    let mut body = Vec::new();
    for field in [1000_u64, 500, 400, 100, 50] {
        body.extend(field.to_ne_bytes());
    }
    for field in [4096_u32, 255, 4096, 0] {
        body.extend(field.to_ne_bytes());
    }
    body.resize(80, 0);
    body
}

/// fuse_attr_out of an empty directory.
fn attributes() -> Vec<u8> {
    let mut body = vec![0; 16 + 88];
    body[16..24].copy_from_slice(&1_u64.to_ne_bytes());
    let mode = 0o040_755_u32;
    body[16 + 60..16 + 64].copy_from_slice(&mode.to_ne_bytes());
    body[16 + 64..16 + 68].copy_from_slice(&2_u32.to_ne_bytes());
    body
}
