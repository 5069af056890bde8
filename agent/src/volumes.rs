//! Which mounts are persistent volumes of pods, by kubelet's directory layout alone. Pure.
//!
//! Kubelet mounts the volume of a pod at `<root>/pods/<pod uid>/volumes/<plugin>/<name>`, CSI one level down in
//! `mount` (kubernetes: pkg/kubelet/kubelet_getters.go, pkg/volume/csi/csi_mounter.go); for a volume that comes
//! from a claim, `<name>` is the name of the PersistentVolume. Everything else below the root is passed over:
//! subPath binds and global mounts (the same filesystem again), block devices (no filesystem), secrets, config
//! maps, projected, downward-API and empty-dir volumes (no claim).
//!
//! A CSI *ephemeral inline* volume cannot be told from a persistent one by its path: its `<name>` is the volume's
//! name in the pod. It is reported like the others, and the decider drops it because no PersistentVolume of that
//! name is bound to a claim that the pod mounts. Kubelet's `vol_data.json` would tell, but may be half written,
//! and the agent opens no file below the volumes' directories.

use std::{
    collections::BTreeMap,
    path::{Component, Path, PathBuf},
};

use crate::mounts::{Device, Mount, MountTable};

/// A persistent volume in use by a pod of this node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// Name of the PersistentVolume.
    pub pv: String,
    /// UID of a pod that mounts it; where several do, of one that may write, and of those the one that did so first.
    pub pod_uid: String,
    /// The filesystem's device.
    pub device: Device,
    /// The filesystem's type.
    pub fs_type: String,
    /// Where to measure it.
    pub path: PathBuf,
    /// As mountinfo tells it.
    pub read_only: bool,
    /// Number of the mount at `path`: another one there is another mount.
    pub mount_id: u64,
}

/// What a path says of the volume mounted there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VolumePath<'a> {
    /// UID of the pod.
    pub pod_uid: &'a str,
    /// Kind of volume.
    pub plugin: Plugin,
    /// Name of the PersistentVolume.
    pub pv: &'a str,
}

/// The plugins of kubelet 1.36 that mount a claim's filesystem for a pod (kubernetes:
/// cmd/kubelet/app/plugins.go); host-path volumes are not mounted below the root at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plugin {
    /// `kubernetes.io/csi`; also the former in-tree volumes of clouds.
    Csi,
    /// `kubernetes.io/local-volume`
    Local,
    /// `kubernetes.io/nfs`
    Nfs,
    /// `kubernetes.io/iscsi`
    Iscsi,
    /// `kubernetes.io/fc`
    Fc,
}

/// The persistent volumes mounted below kubelet's root, one for each PersistentVolume, by name.
///
/// `root` must be free of symbolic links, because mountinfo is.
#[must_use]
pub fn volumes(root: &Path, table: &MountTable) -> Vec<Volume> {
    let mut found: BTreeMap<&str, (&Mount, VolumePath<'_>)> = BTreeMap::new();
    for mount in table.below(root) {
        let Some(path) = parse(root, &mount.point) else {
            continue;
        };
        // A block volume's device file is a bind of devtmpfs; statfs would tell of /dev.
        if mount.fs_type == "devtmpfs" {
            continue;
        }
        let first = found.entry(path.pv).or_insert((mount, path));
        // A pod may mount read-only what another writes: only if nobody can write is the volume read-only.
        if (mount.read_only, mount.id) < (first.0.read_only, first.0.id) {
            *first = (mount, path);
        }
    }
    found
        .into_values()
        .map(|(mount, path)| volume(mount, path))
        .collect()
}

fn volume(mount: &Mount, path: VolumePath<'_>) -> Volume {
    Volume {
        pv: path.pv.to_owned(),
        pod_uid: path.pod_uid.to_owned(),
        device: mount.device,
        fs_type: mount.fs_type.clone(),
        path: mount.point.clone(),
        read_only: mount.read_only,
        mount_id: mount.id,
    }
}

/// Reads a mount point below kubelet's root; `None` if it is not a persistent volume of a pod.
#[must_use]
pub fn parse<'a>(root: &Path, point: &'a Path) -> Option<VolumePath<'a>> {
    let mut parts = point
        .strip_prefix(root)
        .ok()?
        .components()
        .map(|part| match part {
            Component::Normal(name) => name.to_str(),
            _ => None,
        });
    let mut next = || parts.next().flatten();
    if next()? != "pods" {
        return None;
    }
    let pod_uid = next()?;
    if next()? != "volumes" {
        return None;
    }
    let plugin = Plugin::of(next()?)?;
    let pv = next()?;
    if plugin == Plugin::Csi && next()? != "mount" {
        return None;
    }
    let fits = parts.next().is_none() && is_object_name(pod_uid) && is_object_name(pv);
    fits.then_some(VolumePath { pod_uid, plugin, pv })
}

/// Whether Kubernetes could have given this name; a directory of any other was not made by kubelet for a claim.
fn is_object_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.';
    !name.is_empty() && name.len() <= 253 && name.bytes().all(fits)
}

impl Plugin {
    /// The plugin of a directory name, in which kubelet writes `~` for the slash.
    fn of(directory: &str) -> Option<Self> {
        Some(match directory {
            "kubernetes.io~csi" => Self::Csi,
            "kubernetes.io~local-volume" => Self::Local,
            "kubernetes.io~nfs" => Self::Nfs,
            "kubernetes.io~iscsi" => Self::Iscsi,
            "kubernetes.io~fc" => Self::Fc,
            _ => return None,
        })
    }
}

/// Filesystems whose statfs the kernel answers from memory; no server and no daemon can hold it up.
const ANSWERED_FROM_MEMORY: &[&str] = &[
    "ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "tmpfs", "ramfs", "vfat",
];

impl Volume {
    /// Whether `other` is the same volume for the same pod, by the names that the wire carries.
    #[must_use]
    pub fn has_names_of(&self, other: &Self) -> bool {
        (&self.pv, &self.pod_uid, self.device, &self.fs_type)
            == (&other.pv, &other.pod_uid, other.device, &other.fs_type)
    }

    /// Whether `other` is the same mount at the same place, so that what was measured for it holds.
    #[must_use]
    pub fn is_mount_of(&self, other: &Self) -> bool {
        self.has_names_of(other) && (&self.path, self.mount_id) == (&other.path, other.mount_id)
    }

    /// Whether a statfs may hang, judged by the filesystem's type: network, FUSE and any that is not known.
    #[must_use]
    pub fn may_hang(&self) -> bool {
        !ANSWERED_FROM_MEMORY.contains(&self.fs_type.as_str())
    }
}

#[cfg(test)]
mod tests;
