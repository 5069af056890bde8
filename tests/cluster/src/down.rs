//! Removes a cluster, in whatever state it is, and nothing else.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use nix::unistd::Uid;

use crate::{control_groups, ledger::Ledger, lock::MachineLock, mounts, network, processes, state::State};

/// Shims listen here, wherever containerd's own folders are.
const SHIM_SOCKETS: &str = "/run/containerd/s";
/// CNI keeps the answer of every plugin here.
const CNI_RESULTS: &str = "/var/lib/cni/results";
/// kubelet links the logs of containers here.
const CONTAINER_LOGS: &str = "/var/log/containers";
/// kubelet marks the folder in which device plugins announce themselves.
const DEVICE_PLUGINS: &str = "/var/lib/kubelet/device-plugins";

/// Removes the cluster of this folder; says so if there is none. The folder goes too.
pub fn down(folder: &Path) -> Result<()> {
    if !Uid::effective().is_root() {
        bail!("a cluster is removed by who started it: run as root");
    }
    let _lock = MachineLock::take()?;
    let state = State::at(folder)?;
    match Ledger::of(&state) {
        Some(ledger) => remove(&state, &ledger),
        None => {
            eprintln!("cluster: none in {}", state.folder().display());
            Ok(())
        }
    }
}

/// Removes the one cluster that this machine may have, in whichever folder it is: it may be another checkout's, left by a
/// killed run.
pub fn down_anywhere() -> Result<()> {
    let _lock = MachineLock::take()?;
    match Ledger::of_this_machine() {
        Some(ledger) => remove(&State::at(&ledger.folder)?, &ledger),
        None => Ok(()),
    }
}

/// Makes room for a new cluster: removes what is left in its folder and the one cluster that this machine may have elsewhere.
pub(crate) fn clear_for(state: &State) -> Result<()> {
    if let Some(ledger) = Ledger::of_this_machine().filter(|ledger| ledger.folder != state.folder()) {
        eprintln!("cluster: removing the one in {}", ledger.folder.display());
        remove(&State::at(&ledger.folder)?, &ledger)?;
    }
    if let Some(ledger) = Ledger::of(state) {
        return remove(state, &ledger);
    }
    match fs::read_dir(state.folder()).map(|mut entries| entries.next().is_some()) {
        Ok(true) => bail!(
            "{} holds files that are no cluster's: choose another folder",
            state.folder().display()
        ),
        _ => fs::create_dir_all(state.folder())
            .with_context(|| format!("cannot make {}", state.folder().display())),
    }
}

/// The order matters: who could make something new ends first, mounts go when nobody uses them, devices when nothing is mounted, the
/// record last, so that an interrupted removal is simply repeated.
fn remove(state: &State, ledger: &Ledger) -> Result<()> {
    let this_boot = ledger.is_of_this_boot();
    let mut processes = processes::end_all(state, this_boot)?;
    processes += control_groups::remove(&state.control_group())?;
    remove_shim_sockets(state)?;
    let (folder, run) = (state.folder().to_owned(), state.run());
    let mounts = mounts::unmount_below(&[&folder, &run])?;
    let loops = mounts::detach_loops_below(&folder)?;
    network::remove(state)?;
    remove_fixed_places(state)?;
    if this_boot {
        ledger.restore()?;
    }
    remove_tree(&run)?;
    remove_tree(&folder)?;
    ledger.close()?;
    eprintln!("cluster: removed with {processes} processes, {mounts} mounts, {loops} loop devices");
    Ok(())
}

fn remove_tree(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(_) if !path.exists() => Ok(()),
        result => result.with_context(|| format!("cannot remove {}", path.display())),
    }
}

/// What kubelet and CNI keep at fixed places: only entries that bear this cluster's name or point into its folder.
fn remove_fixed_places(state: &State) -> Result<()> {
    let run = state.run();
    for entry in entries(CNI_RESULTS) {
        // It names the network namespace, which is mounted in the run folder.
        let ours = fs::read_to_string(&entry).is_ok_and(|text| text.contains(&*run.to_string_lossy()));
        if ours {
            remove_file(&entry)?;
        }
    }
    for entry in entries(CONTAINER_LOGS) {
        if fs::read_link(&entry).is_ok_and(|target| target.starts_with(state.folder())) {
            remove_file(&entry)?;
        }
    }
    let marks = ["DEPRECATION", "kubelet.sock", "kubelet_internal_checkpoint"];
    if Path::new("/var/lib/kubelet/config.yaml").exists() {
        return Ok(()); // another kubelet lives here, and the marks may be its own
    }
    marks
        .iter()
        .map(|mark| Path::new(DEVICE_PLUGINS).join(mark))
        .filter(|path| path.exists())
        .try_for_each(|path| remove_file(&path))
}

/// A shim's bundle names its socket.
fn remove_shim_sockets(state: &State) -> Result<()> {
    let tasks = state
        .run()
        .join("containerd/io.containerd.runtime.v2.task/k8s.io");
    for bundle in entries(&tasks.display().to_string()) {
        let address = fs::read_to_string(bundle.join("address")).unwrap_or_default();
        let socket = Path::new(address.trim().trim_start_matches("unix://"));
        if socket.starts_with(SHIM_SOCKETS) && socket.exists() {
            remove_file(socket)?;
        }
    }
    Ok(())
}

fn entries(folder: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    entries.flatten().map(|entry| entry.path()).collect()
}

fn remove_file(path: &Path) -> Result<()> {
    fs::remove_file(path).with_context(|| format!("cannot remove {}", path.display()))
}
