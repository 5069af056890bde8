//! Volumes as a node has them: an ext4 each, on a loop device each, mounted where kubelet mounts a claim.
//!
//! ext4 because it is what a Postgres most likely lies on, because the exporter's filesystem collector does not leave it
//! out, and because the agent measures it with its own threads and not through a child process: the kernel answers from
//! memory. The images are sparse files in a tmpfs, so that 100 GiB take 1 MiB, and are gone with the namespace.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context;
use nix::{
    fcntl::posix_fallocate,
    mount::{MsFlags, mount},
};

use crate::programs::must_run;

/// Everything is below this; Debian's exporter leaves out /mnt, /media and /run.
const PLACE: &str = "/srv";
const CAPACITY: u64 = 100 << 30;

/// The mounted volumes of one node.
#[derive(Debug)]
pub struct Volumes {
    root: PathBuf,
    paths: Vec<PathBuf>,
}

impl Volumes {
    /// Makes and mounts `count` of them.
    ///
    /// # Errors
    /// When that is not possible.
    pub fn make(count: usize) -> anyhow::Result<Self> {
        let tmpfs = Some("tmpfs");
        mount(tmpfs, PLACE, tmpfs, MsFlags::empty(), Some("size=50%"))
            .with_context(|| format!("cannot mount a tmpfs at {PLACE}"))?;
        let volumes = Self::at("kubelet", count);
        for path in &volumes.paths {
            fs::create_dir_all(path)?;
            let image = path.with_file_name("image");
            File::create_new(&image)?.set_len(CAPACITY)?;
            // Without what would write to the image by itself, and so fill the tmpfs: a journal, inode tables.
            let (features, lazy) = ("^has_journal,^resize_inode", "lazy_itable_init=1,nodiscard");
            must_run(
                Command::new("mkfs.ext4")
                    .args(["-q", "-F", "-O", features, "-E", lazy])
                    .arg(&image),
            )?;
            must_run(
                Command::new("mount")
                    .args(["-o", "loop,noinit_itable"])
                    .arg(&image)
                    .arg(path),
            )?;
        }
        Ok(volumes)
    }

    /// Another node, that has the first `count` of these volumes, and nothing else.
    ///
    /// # Errors
    /// When they cannot be mounted there.
    pub fn node_of(&self, count: usize) -> anyhow::Result<Self> {
        let few = Self::at("few", count);
        for (from, to) in self.paths.iter().zip(&few.paths) {
            fs::create_dir_all(to)?;
            mount(Some(from), to, None::<&str>, MsFlags::MS_BIND, None::<&str>)
                .with_context(|| format!("cannot mount {}", to.display()))?;
        }
        Ok(few)
    }

    fn at(kubelet: &str, count: usize) -> Self {
        let root = Path::new(PLACE).join(kubelet);
        let paths = (0..count).map(|number| root.join(claim(number))).collect();
        Self { root, paths }
    }

    /// Kubelet's directory.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where they are mounted.
    #[must_use]
    pub fn paths(&self) -> &[PathBuf] {
        &self.paths
    }

    /// Takes `bytes` more of a volume; the image stays sparse.
    ///
    /// # Errors
    /// When the volume is full.
    pub fn fill(&self, volume: usize, bytes: i64) -> anyhow::Result<()> {
        let path = self
            .paths
            .get(volume)
            .context("there is no such volume")?
            .join("data");
        let file = File::options().append(true).create(true).open(&path)?;
        let length = i64::try_from(file.metadata()?.len())?;
        posix_fallocate(&file, length, bytes).with_context(|| format!("cannot fill {}", path.display()))
    }
}

/// Where kubelet mounts a claim, with names as long as they are in a cluster.
fn claim(number: usize) -> PathBuf {
    let (pod, volume) = (
        format!("5f0c8a3e-{number:04x}-4d27-9b6e-2f7ac1d0e9b4"),
        format!("c41d7b92-{number:04x}-4a8f-8e35-90b1f6d2a7c8"),
    );
    format!("pods/{pod}/volumes/kubernetes.io~csi/pvc-{volume}/mount").into()
}

#[cfg(test)]
mod tests {
    use super::Volumes;

    #[test]
    fn paths_are_those_of_kubelet() {
        let node = Volumes::at("kubelet", 3);
        assert_eq!(
            node.paths()[2].to_str(),
            Some(
                "/srv/kubelet/pods/5f0c8a3e-0002-4d27-9b6e-2f7ac1d0e9b4/volumes/kubernetes.io~csi/pvc-c41d7b92-0002-4a8f-8e35-90b1f6d2a7c8/mount"
            )
        );
        assert!(node.paths()[2].starts_with(node.root()));
    }
}
