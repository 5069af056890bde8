//! The node of this test: a kubelet directory with mounts in it.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::{Context, ensure};
use nix::{
    mount::{MntFlags, MsFlags, mount, umount2},
    sched::{CloneFlags, unshare},
};
use tempfile::TempDir;

/// Of each tmpfs; the agent tells of a change of a thousandth, which is one page.
const CAPACITY: &str = "size=4m";
/// Two pages twice a second: every measurement differs from the one before.
const GROWTH: &[u8] = &[7; 8 << 10];
const GROWTH_EVERY: Duration = Duration::from_millis(500);

/// Mounts made from here on are seen by this process and its children alone, and vanish with them.
pub(crate) fn enter_own_namespace() -> anyhow::Result<()> {
    ensure!(
        Path::new("/dev/fuse").exists(),
        "there is no /dev/fuse here: load the kernel module fuse"
    );
    unshare(CloneFlags::CLONE_NEWNS).context("cannot make a mount namespace: run as root")?;
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(None::<&str>, "/", None::<&str>, private, None::<&str>).context("cannot make the mounts private")
}

/// Kubelet's directory; unmounted and removed when dropped.
pub(crate) struct Node {
    root: TempDir,
    tmpfs: Vec<PathBuf>,
}

/// Fills the volumes until it is dropped.
pub(crate) struct Filling(Arc<AtomicBool>);

impl Node {
    /// With `tmpfs` volumes of pods mounted.
    pub(crate) fn new(tmpfs: usize) -> anyhow::Result<Self> {
        let mut node = Self {
            root: tempfile::tempdir()?,
            tmpfs: Vec::new(),
        };
        for n in 0..tmpfs {
            let point = node.mount(&format!("tmpfs-{n}"))?;
            node.tmpfs.push(point);
        }
        Ok(node)
    }

    fn mount(&self, pv: &str) -> anyhow::Result<PathBuf> {
        let point = self.mount_point(pv)?;
        mount(
            Some("tmpfs"),
            &point,
            Some("tmpfs"),
            MsFlags::empty(),
            Some(CAPACITY),
        )
        .context("cannot mount")?;
        Ok(point)
    }

    /// Mounts one more volume, lets `look` look, and unmounts it.
    pub(crate) fn with_another(&self, look: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
        let point = self.mount("tmpfs-late")?;
        let looked = look();
        umount2(&point, MntFlags::MNT_DETACH).context("cannot unmount")?;
        looked
    }

    /// Kubelet's root.
    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    /// Where kubelet would mount the CSI volume `pv`.
    pub(crate) fn mount_point(&self, pv: &str) -> anyhow::Result<PathBuf> {
        let volumes = self
            .root
            .path()
            .join(format!("pods/pod-of-{pv}/volumes/kubernetes.io~csi"));
        let point = volumes.join(pv).join("mount");
        fs::create_dir_all(&point)?;
        Ok(point)
    }

    /// Lets every tmpfs grow.
    pub(crate) fn fill(&self) -> Filling {
        let stop = Arc::new(AtomicBool::new(false));
        let (volumes, stopped) = (self.tmpfs.clone(), Arc::clone(&stop));
        thread::spawn(move || {
            while !stopped.load(Ordering::Acquire) {
                for volume in &volumes {
                    let file = OpenOptions::new()
                        .create(true)
                        .append(true)
                        .open(volume.join("data"));
                    if let Err(error) = file.and_then(|mut file| file.write_all(GROWTH)) {
                        eprintln!("cannot fill {}: {error}", volume.display());
                    }
                }
                thread::sleep(GROWTH_EVERY);
            }
        });
        Filling(stop)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        for point in &self.tmpfs {
            if let Err(error) = umount2(point, MntFlags::MNT_DETACH) {
                eprintln!("cannot unmount {}: {error}", point.display());
            }
        }
    }
}

impl Drop for Filling {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}
