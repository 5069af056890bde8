//! What a cluster changes that its names do not tell: written down before the first change, in its folder and under one well-known
//! name, so that whoever comes next on this machine, from another clone too, can put everything back.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use crate::state::State;

/// The one cluster of this machine. One, because a machine has one node address, one set of proxy rules.
const WELL_KNOWN: &str = "/run/highwater-cluster.json";

/// Kernel settings that the cluster needs or that kubelet and kube-proxy set without being asked.
const SETTINGS: &[&str] = &[
    "/proc/sys/net/ipv4/ip_forward",
    "/proc/sys/net/ipv4/conf/all/route_localnet",
    "/proc/sys/vm/overcommit_memory",
    "/proc/sys/vm/panic_on_oom",
    "/proc/sys/kernel/panic",
    "/proc/sys/kernel/panic_on_oops",
    "/proc/sys/kernel/keys/root_maxkeys",
    "/proc/sys/kernel/keys/root_maxbytes",
];

/// Folders in which kubelet, containerd and CNI keep things at fixed places, whatever they are told.
const FOLDERS: &[&str] = &[
    "/var/lib/kubelet/device-plugins",
    "/var/lib/kubelet",
    "/var/log/containers",
    "/var/lib/cni/results",
    "/var/lib/cni",
    "/run/containerd/s",
    "/run/containerd",
];

/// The record.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Ledger {
    /// The cluster's folder.
    pub(crate) folder: PathBuf,
    /// The kernel's name for this boot: after another one no process, mount or setting of this cluster is left.
    boot: String,
    /// Kernel settings as they were.
    settings: BTreeMap<PathBuf, String>,
    /// Those of [`FOLDERS`] that did not exist.
    absent: Vec<PathBuf>,
}

impl Ledger {
    /// Notes the state of the machine as it is now, and writes it.
    pub(crate) fn open(state: &State) -> Result<Self> {
        let settings = SETTINGS
            .iter()
            .filter_map(|&path| Some((path.into(), fs::read_to_string(path).ok()?)));
        let absent = FOLDERS.iter().map(PathBuf::from).filter(|path| !path.exists());
        let ledger = Self {
            folder: state.folder().to_owned(),
            boot: boot()?,
            settings: settings.collect(),
            absent: absent.collect(),
        };
        let text = serde_json::to_string_pretty(&ledger).context("cannot write a ledger")?;
        write(Path::new(WELL_KNOWN), &text)?;
        write(&file(state), &text)?;
        Ok(ledger)
    }

    /// The ledger of the machine's one cluster, whichever folder it is in.
    pub(crate) fn of_this_machine() -> Option<Self> {
        read(Path::new(WELL_KNOWN))
    }

    /// The ledger in a cluster's folder, or the machine's if that is about the same folder.
    pub(crate) fn of(state: &State) -> Option<Self> {
        let elsewhere = || Self::of_this_machine().filter(|ledger| ledger.folder == state.folder());
        read(&file(state))
            .filter(|ledger| ledger.folder == state.folder())
            .or_else(elsewhere)
    }

    /// Whether the cluster ran since the machine was last started.
    pub(crate) fn is_of_this_boot(&self) -> bool {
        boot().is_ok_and(|boot| boot == self.boot)
    }

    /// Puts the kernel settings back, and removes the folders that others made for us where nothing is in them any more.
    pub(crate) fn restore(&self) -> Result<()> {
        for (path, value) in &self.settings {
            if fs::read_to_string(path).is_ok_and(|now| now != *value) {
                fs::write(path, value).with_context(|| format!("cannot set {}", path.display()))?;
            }
        }
        for folder in &self.absent {
            match fs::remove_dir(folder) {
                Ok(()) => {}
                Err(_) if !folder.exists() => {}
                Err(error) => eprintln!("cluster: left {}: {error}", folder.display()),
            }
        }
        Ok(())
    }

    /// Forgets the cluster: the last step of its removal. The copy in its folder goes with the folder.
    pub(crate) fn close(&self) -> Result<()> {
        match Self::of_this_machine() {
            Some(known) if known.folder == self.folder => {
                fs::remove_file(WELL_KNOWN).with_context(|| format!("cannot remove {WELL_KNOWN}"))
            }
            _ => Ok(()),
        }
    }
}

fn file(state: &State) -> PathBuf {
    state.path("ledger.json")
}

fn read(path: &Path) -> Option<Ledger> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// Whole or not at all: a reader never sees half of it.
fn write(path: &Path, text: &str) -> Result<()> {
    let unfinished = path.with_extension("unfinished");
    fs::write(&unfinished, text)
        .and_then(|()| fs::rename(&unfinished, path))
        .with_context(|| format!("cannot write {}", path.display()))
}

fn boot() -> Result<String> {
    let path = "/proc/sys/kernel/random/boot_id";
    Ok(fs::read_to_string(path)
        .with_context(|| format!("cannot read {path}"))?
        .trim()
        .to_owned())
}
