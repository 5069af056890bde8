//! A database's volume as the node sees it: its mount under kubelet's directory, statfs of it, bytes put into it.

use std::{
    fs::OpenOptions,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use nix::{
    fcntl::{FallocateFlags, fallocate},
    sys::statfs::statfs,
};
use serde_json::Value;

use crate::{Objects, World, objects::kinds, wait};

/// One mounted volume.
#[derive(Debug, Clone)]
pub struct Volume {
    /// PersistentVolume name.
    pub name: String,
    /// Where the pod's kubelet mounted it.
    pub mount: PathBuf,
}

/// What statfs says, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Size of the filesystem.
    pub capacity: u64,
    /// Free for an ordinary process.
    pub available: u64,
    /// In use.
    pub used: u64,
}

impl Space {
    /// Used space in percent of the capacity.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "a percentage to look at")]
    pub fn percent(&self) -> f64 {
        self.used as f64 * 100.0 / self.capacity as f64
    }
}

impl Volume {
    /// Finds the volume of `claim` in the mounts of `pod`, once kubelet has made it.
    ///
    /// # Errors
    /// When pod or claim are not there in time.
    pub async fn of(world: &World, objects: &Objects, claim: &str, pod: &str) -> anyhow::Result<Volume> {
        let running = |p: &Value| wait::phase(p) == "Running";
        let pod = objects.until_some(&kinds::POD, pod, "running", running).await?;
        let uid = pod
            .pointer("/metadata/uid")
            .and_then(Value::as_str)
            .context("a pod has a uid")?;
        let claim = objects
            .until_some(&kinds::CLAIM, claim, "bound", |c| wait::phase(c) == "Bound")
            .await?;
        let name = claim
            .pointer("/spec/volumeName")
            .and_then(Value::as_str)
            .context("a bound claim names its volume")?;
        let mount = world
            .kubelet_root()
            .join("pods")
            .join(uid)
            .join("volumes/kubernetes.io~csi")
            .join(name)
            .join("mount");
        ensure!(mount.is_dir(), "{} is not mounted", mount.display());
        Ok(Volume {
            name: name.to_owned(),
            mount,
        })
    }

    /// Reads the filesystem's numbers now.
    ///
    /// # Errors
    /// What statfs says.
    pub fn space(&self) -> anyhow::Result<Space> {
        space(&self.mount)
    }

    /// Allocates bytes in the volume until `percent` of its present capacity is used. Nothing is written, so
    /// the backing file stays sparse: it is quick, and as full as any other way.
    ///
    /// # Errors
    /// When it is fuller already, or the filesystem refuses.
    pub fn fill_to(&self, percent: f64) -> anyhow::Result<Instant> {
        let now = self.space()?;
        #[allow(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a fraction of a capacity"
        )]
        let wanted = (now.capacity as f64 * percent / 100.0) as u64;
        let more = wanted
            .checked_sub(now.used)
            .with_context(|| format!("{now:?} is above {percent} % already"))?;
        self.allocate(more)
    }

    /// Allocates that many bytes more and returns when it was done.
    ///
    /// # Errors
    /// When the filesystem refuses.
    pub fn allocate(&self, bytes: u64) -> anyhow::Result<Instant> {
        let path = self.mount.join("ballast");
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .with_context(|| format!("open {}", path.display()))?;
        let (end, more) = (i64::try_from(file.metadata()?.len())?, i64::try_from(bytes)?);
        fallocate(&file, FallocateFlags::empty(), end, more)
            .with_context(|| format!("allocate {bytes} bytes in {}", path.display()))?;
        Ok(Instant::now())
    }

    /// Allocates until nothing is left: in ever smaller steps, as the filesystem keeps some blocks for itself.
    ///
    /// # Errors
    /// When the filesystem cannot be read.
    pub fn fill_up(&self) -> anyhow::Result<()> {
        let mut step = self.space()?.available;
        while step >= 4096 {
            if self.allocate(step).is_err() {
                step /= 2;
            }
        }
        Ok(())
    }

    /// Removes what [`Volume::allocate`] put there.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub fn empty(&self) -> anyhow::Result<()> {
        std::fs::remove_file(self.mount.join("ballast")).context("remove the ballast")
    }

    /// Reads the filesystem every millisecond until `wanted` holds; returns the first reading that does, and when.
    ///
    /// A filesystem sends no notice when it grows, so this is a poll by nature; at this pace it is the
    /// independent clock of the benchmarks.
    ///
    /// # Errors
    /// After [`wait::PATIENCE`].
    pub async fn until(
        &self,
        what: &str,
        wanted: impl Fn(Space) -> bool + Send + 'static,
    ) -> anyhow::Result<(Space, Instant)> {
        self.until_within(wait::PATIENCE, what, wanted).await
    }

    /// [`Self::until`] with another patience.
    ///
    /// # Errors
    /// After `patience`.
    pub async fn until_within(
        &self,
        patience: Duration,
        what: &str,
        wanted: impl Fn(Space) -> bool + Send + 'static,
    ) -> anyhow::Result<(Space, Instant)> {
        let (mount, what) = (self.mount.clone(), what.to_owned());
        let poll = move || {
            let started = Instant::now();
            loop {
                let seen = space(&mount)?;
                if wanted(seen) {
                    return Ok((seen, Instant::now()));
                }
                if started.elapsed() > patience {
                    bail!("{}: not {what} within {patience:?}: {seen:?}", mount.display());
                }
                std::thread::sleep(Duration::from_millis(1));
            }
        };
        tokio::task::spawn_blocking(poll).await?
    }

    /// Waits until the node has let go of its device, after its pod has gone.
    ///
    /// # Errors
    /// After [`wait::PATIENCE`].
    pub async fn until_detached(&self, world: &World) -> anyhow::Result<()> {
        let folder = world.state().join("csi-loop/volumes").join(&self.name);
        let started = Instant::now();
        while csi_loop::loops::all()?
            .iter()
            .any(|device| device.image.starts_with(&folder))
        {
            ensure!(started.elapsed() < wait::PATIENCE, "{} stays attached", self.name);
            tokio::time::sleep(Duration::from_millis(50)).await; // the kernel tells nobody
        }
        Ok(())
    }

    /// Waits until the filesystem is larger than it was.
    ///
    /// # Errors
    /// As [`Volume::until`].
    pub async fn until_larger_than(&self, capacity: u64) -> anyhow::Result<(Space, Instant)> {
        self.until(&format!("larger than {capacity}"), move |space| {
            space.capacity > capacity
        })
        .await
    }
}

fn space(mount: &Path) -> anyhow::Result<Space> {
    let seen = statfs(mount).with_context(|| format!("statfs {}", mount.display()))?;
    let block = u64::try_from(seen.block_size())?;
    Ok(Space {
        capacity: seen.blocks() * block,
        available: seen.blocks_available() * block,
        used: (seen.blocks() - seen.blocks_free()) * block,
    })
}
