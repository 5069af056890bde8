//! Records how much of a filesystem is used, once a second, as the `data` of a timeline in `decider/core/tests/timelines`.
//!
//! `record-timeline DIRECTORY FILE COMMAND...`: runs the command, writes `second used` in KiB whenever it is 64 KiB from
//! what was written last (a decider tells nothing finer apart, and an agent tells a thousandth of a volume), and ends with
//! the command; its exit code is the command's. What it is not: the agent, whose numbers it computes alike
//! (blocks in use times the block size, as kubelet does).

use std::{
    env,
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    thread,
    time::{Duration, Instant},
};

use nix::sys::statfs::statfs;

/// Between two looks; timelines have whole seconds.
const PERIOD: Duration = Duration::from_secs(1);
/// What is less is not written.
const STEP_KIB: u64 = 64;

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let (Some(directory), Some(file), Some(program)) = (arguments.next(), arguments.next(), arguments.next())
    else {
        eprintln!("usage: record-timeline DIRECTORY FILE COMMAND [ARGUMENT...]");
        return ExitCode::from(2);
    };
    let mut command = Command::new(program);
    command.args(arguments);
    match record(&PathBuf::from(directory), &PathBuf::from(file), command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("record-timeline: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether the command succeeded.
fn record(directory: &Path, file: &Path, mut command: Command) -> io::Result<bool> {
    let mut out = BufWriter::new(File::create(file)?);
    let mut child = command.spawn()?;
    let began = Instant::now();
    let mut last: Option<u64> = None;
    let mut second = 0_u32;
    let ended = loop {
        let used = used_kib(directory)?;
        let ended = child.try_wait()?;
        let moved = last.is_none_or(|last| last.abs_diff(used) >= STEP_KIB);
        if moved || ended.is_some() {
            writeln!(out, "{second} {used}")?;
            last = Some(used);
        }
        if let Some(ended) = ended {
            break ended;
        }
        second += 1;
        thread::sleep((began + PERIOD * second).saturating_duration_since(Instant::now()));
    };
    out.flush()?;
    Ok(ended.success())
}

fn used_kib(directory: &Path) -> io::Result<u64> {
    let found = statfs(directory)?;
    let block = u64::try_from(found.block_size()).unwrap_or(0);
    Ok((found.blocks() - found.blocks_free()) * block / 1_024)
}
