//! The control group that holds all pods: it bounds nothing, it is how every process of every container is found again, whatever it
//! did to its environment, session or parent.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use nix::{
    errno::Errno,
    sys::signal::{Signal, kill},
    unistd::Pid,
};

const END_DEADLINE: Duration = Duration::from_secs(20);

/// Makes the group in every hierarchy, with every controller that version 2 has there, as kubelet expects of the root it is given.
pub(crate) fn create(name: &str) -> Result<()> {
    for root in hierarchies()? {
        let group = root.join(name);
        fs::create_dir_all(&group)
            .with_context(|| format!("cannot make control group {}", group.display()))?;
        for folder in [&root, &group] {
            enable(folder);
        }
    }
    Ok(())
}

/// One by one: a single controller that cannot be had must not cost the others.
fn enable(group: &Path) {
    let available = fs::read_to_string(group.join("cgroup.controllers")).unwrap_or_default();
    for controller in available.split_whitespace() {
        if fs::write(group.join("cgroup.subtree_control"), format!("+{controller}")).is_err() {
            eprintln!("cluster: no {controller} controller below {}", group.display());
        }
    }
}

/// Ends every process in the group, removes the group, and says how many processes there were.
pub(crate) fn remove(name: &str) -> Result<usize> {
    let groups: Vec<_> = hierarchies()?
        .into_iter()
        .map(|root| root.join(name))
        .filter(|path| path.is_dir())
        .collect();
    let mut ended = Vec::new();
    let deadline = Instant::now() + END_DEADLINE;
    loop {
        let alive: Vec<_> = groups.iter().flat_map(|group| processes_in(group)).collect();
        if alive.is_empty() {
            break;
        }
        if Instant::now() > deadline {
            bail!("processes {alive:?} in control group {name} do not end");
        }
        for pid in alive {
            match kill(Pid::from_raw(pid), Signal::SIGKILL) {
                Ok(()) | Err(Errno::ESRCH) => {}
                Err(error) => return Err(error).with_context(|| format!("cannot end process {pid}")),
            }
            if !ended.contains(&pid) {
                ended.push(pid);
            }
        }
        thread::sleep(Duration::from_millis(10));
    }
    for group in groups {
        remove_tree(&group, deadline)?;
    }
    Ok(ended.len())
}

/// Mount points of version 1 and 2; a machine may have both.
fn hierarchies() -> Result<Vec<PathBuf>> {
    let mounts = fs::read_to_string("/proc/self/mounts").context("cannot read the mounts")?;
    let columns = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let found = columns.filter(|columns| columns.len() > 2 && matches!(columns[2], "cgroup" | "cgroup2"));
    Ok(found.map(|columns| PathBuf::from(columns[1])).collect())
}

/// A frozen process does not die: the group is thawed first.
fn processes_in(group: &Path) -> Vec<i32> {
    for (file, value) in [("freezer.state", "THAWED"), ("cgroup.freeze", "0")] {
        if group.join(file).exists() && fs::write(group.join(file), value).is_err() {
            eprintln!("cluster: cannot thaw {}", group.display());
        }
    }
    let own = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    let own = own
        .lines()
        .filter_map(|line| line.parse().ok())
        .collect::<Vec<_>>();
    children(group)
        .iter()
        .flat_map(|child| processes_in(child))
        .chain(own)
        .collect()
}

fn children(group: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(group) else {
        return Vec::new();
    };
    entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect()
}

/// The kernel answers that a group is busy for a moment after its last process.
fn remove_tree(group: &Path, deadline: Instant) -> Result<()> {
    for child in children(group) {
        remove_tree(&child, deadline)?;
    }
    loop {
        match fs::remove_dir(group) {
            Ok(()) => return Ok(()),
            Err(_) if !group.exists() => return Ok(()),
            Err(error) if Instant::now() > deadline => {
                return Err(error)
                    .with_context(|| format!("cannot remove control group {}", group.display()));
            }
            Err(_) => thread::sleep(Duration::from_millis(10)),
        }
    }
}
