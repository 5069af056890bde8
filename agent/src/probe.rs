//! statfs in a process of its own, for filesystems whose server may not answer.
//!
//! A thread that waits for a FUSE or NFS server can be beyond the reach of any signal, and then the process it
//! belongs to cannot end: measured on Linux 6.18, a statfs whose request a stopped FUSE server has already read
//! sleeps uninterruptibly through SIGKILL. So the agent's own threads never make such a call. They ask a child,
//! which is this program under the flag [`FLAG`]: the caller waits for a pipe, can always end, and can leave the
//! child behind.
//!
//! Request: length of the path in bytes (u32), path. Answer: errno (i32, 0 for none), then the five numbers of
//! [`Usage`] (u64) and one byte for read-only. All little-endian.

use std::{
    ffi::OsStr,
    io::{self, Read, Write},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use nix::sys::{prctl::set_pdeathsig, signal::Signal};

use crate::statfs::{Direct, StatFs, Usage};

/// The only argument of the program when it runs as a probe.
pub const FLAG: &str = "--statfs-probe";

/// PATH_MAX of Linux: statfs takes no longer path.
const PATH_MAX: usize = 4096;
const ANSWER: usize = 4 + 5 * 8 + 1;

/// Asks a child process; starts one when there is none.
#[derive(Debug)]
pub struct Probe {
    program: PathBuf,
    /// Held for moments only, so that [`Probe::abort`] need not wait for the call it ends.
    child: Mutex<Option<Child>>,
    /// Held during a call.
    pipes: Mutex<Option<(ChildStdin, ChildStdout)>>,
    aborted: AtomicBool,
}

impl Probe {
    /// A probe that runs `program`, which must call [`serve`] when [`FLAG`] is its argument.
    #[must_use]
    pub fn new(program: PathBuf) -> Self {
        Self {
            program,
            child: Mutex::default(),
            pipes: Mutex::default(),
            aborted: AtomicBool::new(false),
        }
    }

    fn start(&self) -> io::Result<(ChildStdin, ChildStdout)> {
        let mut child = Command::new(&self.program)
            .arg(FLAG)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .env_clear()
            .spawn()?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        *lock(&self.child) = Some(child);
        pipes.ok_or_else(|| io::Error::other("the probe has no pipes"))
    }

    fn reap(&self) {
        let child = lock(&self.child).take();
        if let Some(mut child) = child {
            // Its end of the pipe is closed, so it is ending or has ended: waiting is short.
            if let Err(error) = child.kill().and_then(|()| child.wait()) {
                tracing::debug!(%error, "cannot end a probe");
            }
        }
    }
}

impl StatFs for Probe {
    fn statfs(&self, path: &Path) -> io::Result<Usage> {
        let mut pipes = lock(&self.pipes);
        self.aborted.store(false, Ordering::Release);
        if pipes.is_none() {
            *pipes = Some(self.start()?);
        }
        let Some((stdin, stdout)) = pipes.as_mut() else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        let answer = write_request(stdin, path).and_then(|()| read_answer(stdout));
        answer.unwrap_or_else(|broken| {
            *pipes = None;
            self.reap();
            Err(if self.aborted.load(Ordering::Acquire) {
                io::ErrorKind::TimedOut.into()
            } else {
                broken
            })
        })
    }

    fn abort(&self) {
        self.aborted.store(true, Ordering::Release);
        if let Some(child) = lock(&self.child).as_mut()
            && let Err(error) = child.kill()
        {
            tracing::debug!(%error, "cannot kill a probe");
        }
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        // Only after its last call, so the child waits for a request and ends at once.
        self.reap();
    }
}

/// Answers requests from standard input until it ends: the whole life of a probe process.
#[must_use]
pub fn serve() -> ExitCode {
    // Ends with the thread that started it, also when the agent is killed.
    if set_pdeathsig(Signal::SIGKILL).is_err() {
        return ExitCode::FAILURE;
    }
    match answer_all(&mut io::stdin().lock(), &mut io::stdout().lock(), &Direct) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn answer_all(requests: &mut impl Read, answers: &mut impl Write, statfs: &impl StatFs) -> io::Result<()> {
    loop {
        let mut length = [0; 4];
        match requests.read_exact(&mut length) {
            Err(end) if end.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            other => other?,
        }
        let mut path = vec![
            0;
            usize::try_from(u32::from_le_bytes(length))
                .unwrap_or(usize::MAX)
                .min(PATH_MAX)
        ];
        requests.read_exact(&mut path)?;
        answers.write_all(&encode(statfs.statfs(Path::new(OsStr::from_bytes(&path)))))?;
        answers.flush()?;
    }
}

fn write_request(to: &mut impl Write, path: &Path) -> io::Result<()> {
    let path = path.as_os_str().as_bytes();
    let length = u32::try_from(path.len())
        .ok()
        .filter(|_| path.len() < PATH_MAX)
        .ok_or(io::ErrorKind::InvalidFilename)?;
    to.write_all(&[length.to_le_bytes().as_slice(), path].concat())
}

fn read_answer(from: &mut impl Read) -> io::Result<io::Result<Usage>> {
    let mut answer = [0; ANSWER];
    from.read_exact(&mut answer)?;
    Ok(decode(&answer))
}

fn encode(result: io::Result<Usage>) -> Vec<u8> {
    let (errno, usage) = match result {
        Ok(usage) => (0, usage),
        Err(error) => (error.raw_os_error().unwrap_or(nix::libc::EIO), Usage::default()),
    };
    let Usage {
        capacity,
        available,
        used,
        inodes_total,
        inodes_free,
        read_only,
    } = usage;
    let mut answer = errno.to_le_bytes().to_vec();
    for number in [capacity, available, used, inodes_total, inodes_free] {
        answer.extend(number.to_le_bytes());
    }
    answer.push(u8::from(read_only));
    answer
}

fn decode(answer: &[u8; ANSWER]) -> io::Result<Usage> {
    let (errno, rest) = answer.split_at(4);
    let errno = i32::from_le_bytes(errno.try_into().unwrap_or_default());
    if errno != 0 {
        return Err(io::Error::from_raw_os_error(errno));
    }
    let number = |at: usize| u64::from_le_bytes(rest[at * 8..][..8].try_into().unwrap_or_default());
    Ok(Usage {
        capacity: number(0),
        available: number(1),
        used: number(2),
        inodes_total: number(3),
        inodes_free: number(4),
        read_only: rest[5 * 8] != 0,
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::{io, path::Path};

    use proptest::prelude::*;

    use super::{ANSWER, answer_all, decode, encode, read_answer, write_request};
    use crate::statfs::{Direct, StatFs, Usage};

    fn ask(paths: &[&str]) -> Vec<io::Result<Usage>> {
        let mut requests = Vec::new();
        for path in paths {
            write_request(&mut requests, Path::new(path)).unwrap();
        }
        let mut answers = Vec::new();
        answer_all(&mut requests.as_slice(), &mut answers, &Direct).unwrap();
        let mut rest = answers.as_slice();
        let read = paths.iter().map(|_| read_answer(&mut rest).unwrap()).collect();
        assert!(rest.is_empty());
        read
    }

    #[test]
    fn answers_as_the_call_itself() {
        let answers = ask(&["/", "/nowhere", "/proc"]);
        assert_eq!(
            answers[0].as_ref().unwrap().capacity,
            Direct.statfs(Path::new("/")).unwrap().capacity
        );
        assert_eq!(answers[1].as_ref().unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(answers[2].as_ref().unwrap().capacity, 0);
    }

    #[test]
    fn a_path_that_is_too_long_is_refused_before_the_probe() {
        let path = format!("/{}", "x".repeat(5000));
        let error = write_request(&mut Vec::new(), Path::new(&path)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidFilename);
    }

    #[test]
    fn a_request_cut_short_ends_the_probe() {
        let mut answers = Vec::new();
        let error = answer_all(&mut [5, 0, 0, 0, b'/'].as_slice(), &mut answers, &Direct).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        assert!(answers.is_empty());
    }

    proptest! {
        #[test]
        fn numbers_come_back(numbers in any::<[u64; 5]>(), read_only: bool) {
            let [capacity, available, used, inodes_total, inodes_free] = numbers;
            let usage = Usage { capacity, available, used, inodes_total, inodes_free, read_only };
            let answer: [u8; ANSWER] = encode(Ok(usage)).try_into().unwrap();
            prop_assert_eq!(decode(&answer).unwrap(), usage);
        }
    }
}
