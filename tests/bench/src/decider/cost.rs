//! What a process costs, as the kernel counts it.

use std::{fs, time::Duration};

use anyhow::{Context, ensure};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Time that all threads of a process were on a processor. One that has ended is not counted any more.
///
/// # Errors
/// When there is no such process.
pub fn cpu(pid: u32) -> anyhow::Result<Duration> {
    let mut time = Duration::ZERO;
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = fs::read_to_string(thread?.path().join("schedstat"))?;
        let nanos = text.split(' ').next().context("an empty schedstat")?.parse()?;
        time += Duration::from_nanos(nanos);
    }
    Ok(time)
}

/// Memory of a process in MiB: what it has now, and the most it had.
///
/// # Errors
/// When there is no such process.
pub fn memory(pid: u32) -> anyhow::Result<(u64, u64)> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let field = |name: &str| -> anyhow::Result<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|line| line.split_whitespace().next());
        Ok(number.with_context(|| format!("no {name}"))?.parse::<u64>()? >> 10)
    };
    Ok((field("VmRSS:")?, field("VmHWM:")?))
}

/// Has the most that a process had counted from now on.
///
/// # Errors
/// When it is not ours.
pub fn forget_peak(pid: u32) -> anyhow::Result<()> {
    Ok(fs::write(format!("/proc/{pid}/clear_refs"), "5")?)
}

/// Lets this process, and those it starts, have so many files open.
///
/// # Errors
/// When the machine does not allow it.
pub fn allow_files(number: u64) -> anyhow::Result<()> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    ensure!(
        number <= most,
        "{number} files are to be open at a time, the limit is {most}: raise it (ulimit -Hn), or take fewer percent"
    );
    Ok(setrlimit(Resource::RLIMIT_NOFILE, most, most)?)
}
