//! What is on the machine, to be compared before and after.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use crate::succeed;

/// Everything on the machine that a cluster could leave or take away, as lines.
pub(crate) fn machine() -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    let mut note =
        |kind: &str, text: String| lines.extend(text.lines().map(|line| format!("{kind}: {line}")));
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let points = mounts
        .lines()
        .map(|line| line.split(' ').nth(4).unwrap_or_default());
    note("mount", points.collect::<Vec<_>>().join("\n"));
    note(
        "loop",
        succeed(Command::new("losetup").args(["--list", "--noheadings", "--output", "NAME,BACK-FILE"])),
    );
    note("rules", succeed(Command::new("nft").args(["list", "ruleset"])));
    note(
        "group",
        succeed(Command::new("find").args(["/sys/fs/cgroup", "-type", "d", "-name", "highwater-*"])),
    );
    for setting in [
        "net/ipv4/ip_forward",
        "vm/overcommit_memory",
        "kernel/panic",
        "kernel/panic_on_oops",
    ] {
        note(
            setting,
            fs::read_to_string(Path::new("/proc/sys").join(setting)).unwrap(),
        );
    }
    for folder in [
        "/sys/class/net",
        "/run",
        "/run/netns",
        "/run/containerd",
        "/var/lib",
        "/var/log",
        "/opt",
        "/usr/libexec",
        "/etc",
    ] {
        note("file", names(Path::new(folder)));
    }
    for folder in [
        "/run/containerd/s",
        "/var/lib/cni/results",
        "/var/lib/kubelet",
        "/var/log/containers",
        "/var/log/pods",
    ] {
        note("file", names(Path::new(folder)));
    }
    lines
}

fn names(folder: &Path) -> String {
    let Ok(entries) = fs::read_dir(folder) else {
        return String::new();
    };
    entries
        .flatten()
        .map(|entry| format!("{}\n", entry.path().display()))
        .collect()
}

#[track_caller]
pub(crate) fn assert_unchanged(before: &BTreeSet<String>) {
    let after = machine();
    let (left, taken): (Vec<_>, Vec<_>) = (
        after.difference(before).collect(),
        before.difference(&after).collect(),
    );
    assert!(
        left.is_empty() && taken.is_empty(),
        "left behind: {left:#?}\ntaken away: {taken:#?}"
    );
}

/// Processes that name the folder in their command line or environment, or hold a file in it.
pub(crate) fn processes_of(state: &Path) -> Vec<String> {
    let name = state.to_str().unwrap();
    let own = std::process::id().to_string();
    let mut found = Vec::new();
    for process in fs::read_dir("/proc").unwrap().flatten() {
        let id = process.file_name().into_string().unwrap();
        if id == own || id.parse::<u32>().is_err() {
            continue;
        }
        let says = |file| fs::read(process.path().join(file)).unwrap_or_default();
        let names_it = |file| String::from_utf8_lossy(&says(file)).contains(name);
        if names_it("cmdline") || names_it("environ") {
            found.push(format!(
                "{id} {}",
                String::from_utf8_lossy(&says("cmdline")).replace('\0', " ")
            ));
        }
    }
    found
}
