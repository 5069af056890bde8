//! Processes of pods as the machine under them sees them.

use std::fs;

use anyhow::{Context, ensure};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

/// The ids, on this machine, of all processes of the pod `uid`.
///
/// # Errors
/// When processes cannot be listed.
pub fn host_pids(uid: &str) -> anyhow::Result<Vec<i32>> {
    // Control groups are named after the pod, with `-` or `_` in its uid.
    let names = [uid.to_owned(), uid.replace('-', "_")];
    let is_pods = |pid: &i32| {
        let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
        names.iter().any(|name| groups.contains(name.as_str()))
    };
    let all = fs::read_dir("/proc")
        .context("list processes")?
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    Ok(all.filter(is_pods).collect())
}

/// The process id, on this machine, of the process that has the id `inside` in a container of the pod `uid`.
///
/// # Errors
/// When there is none.
pub fn host_pid(uid: &str, inside: i32) -> anyhow::Result<i32> {
    let found = host_pids(uid)?
        .into_iter()
        .find(|pid| innermost(*pid) == Some(inside));
    found.with_context(|| format!("no process {inside} in pod {uid}"))
}

/// All processes of a pod, stopped until this is dropped: a machine that hangs.
pub struct Frozen(Vec<Pid>);

/// Stops every process of the pod `uid`.
///
/// # Errors
/// When it has none, or they cannot be stopped.
pub fn freeze(uid: &str) -> anyhow::Result<Frozen> {
    let mut frozen = Frozen(Vec::new());
    // A process may have made another before it was stopped.
    loop {
        let pids = host_pids(uid)?.into_iter().map(Pid::from_raw);
        let new: Vec<_> = pids.filter(|pid| !frozen.0.contains(pid)).collect();
        if new.is_empty() {
            break;
        }
        for pid in new {
            // One that has ended meanwhile is stopped, too.
            if kill(pid, Signal::SIGSTOP).is_ok() {
                frozen.0.push(pid);
            }
        }
    }
    ensure!(!frozen.0.is_empty(), "pod {uid} has no processes");
    Ok(frozen)
}

impl Drop for Frozen {
    fn drop(&mut self) {
        for pid in &self.0 {
            let _gone_meanwhile = kill(*pid, Signal::SIGCONT);
        }
    }
}

/// Its id in its own namespace: the last of `NSpid`.
fn innermost(pid: i32) -> Option<i32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("NSpid:"))?;
    line.split_whitespace().last()?.parse().ok()
}
