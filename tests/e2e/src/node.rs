//! Processes of pods as the machine under them sees them.

use std::fs;

use anyhow::Context;

/// The process id, on this machine, of the process that has the id `inside` in a container of the pod `uid`.
///
/// # Errors
/// When there is none.
pub fn host_pid(uid: &str, inside: i32) -> anyhow::Result<i32> {
    // Control groups are named after the pod, with `-` or `_` in its uid.
    let names = [uid.to_owned(), uid.replace('-', "_")];
    let is_pods = |pid: &str| {
        let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
        names.iter().any(|name| groups.contains(name.as_str()))
    };
    let found = fs::read_dir("/proc")
        .context("list processes")?
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
        .find(|pid| is_pods(pid) && innermost(pid) == Some(inside));
    let pid = found.with_context(|| format!("no process {inside} in pod {uid}"))?;
    Ok(pid.parse()?)
}

/// Its id in its own namespace: the last of `NSpid`.
fn innermost(pid: &str) -> Option<i32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("NSpid:"))?;
    line.split_whitespace().last()?.parse().ok()
}
