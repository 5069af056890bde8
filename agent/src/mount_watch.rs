//! What is mounted below kubelet's root, and when that changes. The only reader of /proc/self/mountinfo.

use std::{
    fs::{self, File},
    hash::{DefaultHasher, Hash, Hasher},
    io::{self, Read},
    os::fd::AsFd,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
};
use thiserror::Error;

use crate::{
    mounts::MountTable,
    volumes::{Volume, volumes},
};

const MOUNTINFO: &str = "/proc/self/mountinfo";

/// Kubelet makes many mounts for one pod: the table is read when none has come for this long ...
const QUIET: Duration = Duration::from_millis(50);
/// ... but not later than this after the first.
const PATIENCE: Duration = Duration::from_millis(250);
/// The table is read this often even if nothing is told: an ext4 that has turned read-only tells nothing.
const SAFETY: Duration = Duration::from_secs(30);
/// A long table is read in several calls, between which it may change: it is read until two readings agree, as
/// kubelet does (kubernetes/mount-utils: mount_helper_unix.go).
const READINGS: usize = 10;

/// Why it is not known what is mounted.
#[derive(Debug, Error)]
pub enum Error {
    /// The mount table cannot be read.
    #[error("cannot read {MOUNTINFO}")]
    MountInfo(#[source] io::Error),
    /// There is no kubelet root, or it cannot be searched.
    #[error("cannot search {}", path.display())]
    KubeletRoot {
        /// The directory that cannot be searched.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
}

/// What is mounted.
#[derive(Debug)]
pub struct Mounted {
    /// The persistent volumes, by name.
    pub volumes: Vec<Volume>,
    /// Number of lines of the mount table that could not be understood.
    pub malformed: usize,
}

/// Watches the mount table of this process.
#[derive(Debug)]
pub struct MountWatch {
    kubelet_root: PathBuf,
    /// The kernel keeps for each open file which changes it has told of: one for [`MountWatch::wait`] ...
    waited: File,
    /// ... and one for [`MountWatch::has_changed`].
    checked: Mutex<File>,
    /// Of the root and the text that were read last.
    last: Mutex<Option<u64>>,
}

impl MountWatch {
    /// Watches for mounts below `kubelet_root`, which may be a symbolic link or not be there yet.
    ///
    /// # Errors
    /// If the mount table cannot be opened.
    pub fn new(kubelet_root: PathBuf) -> Result<Self, Error> {
        let open = || File::open(MOUNTINFO).map_err(Error::MountInfo);
        Ok(Self {
            kubelet_root,
            waited: open()?,
            checked: Mutex::new(open()?),
            last: Mutex::default(),
        })
    }

    /// Whether the mount table has changed since the last call of this function. Does not wait.
    ///
    /// A measurement made before a call that says no was made of the filesystem that the last reading told of; if
    /// it says yes, it may have been made of the directory under a mount point.
    ///
    /// # Errors
    /// That of poll(2).
    pub fn has_changed(&self) -> io::Result<bool> {
        changed(
            &self.checked.lock().unwrap_or_else(PoisonError::into_inner),
            Duration::ZERO,
        )
    }

    /// Waits for the mount table to change and to come to rest; at most 30 seconds.
    ///
    /// # Errors
    /// That of poll(2).
    pub fn wait(&self) -> io::Result<()> {
        if changed(&self.waited, SAFETY)? {
            let first = Instant::now();
            while first.elapsed() < PATIENCE && changed(&self.waited, QUIET)? {}
        }
        Ok(())
    }

    /// Reads what is mounted now; `None` if it is what it was when read last.
    ///
    /// # Errors
    /// If the mount table cannot be read or kubelet's root not be searched.
    pub fn read(&self) -> Result<Option<Mounted>, Error> {
        let root = resolve(&self.kubelet_root)?;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let first = read_mountinfo().map_err(Error::MountInfo)?;
        // A reading that agrees with the last one needs no other to agree with.
        if *last == Some(digest(&root, &first)) {
            return Ok(None);
        }
        let text = agreed(first, READINGS, read_mountinfo).map_err(Error::MountInfo)?;
        let table = MountTable::parse(&text);
        *last = Some(digest(&root, &text));
        Ok(Some(Mounted {
            volumes: volumes(&root, &table),
            malformed: table.malformed,
        }))
    }
}

/// The kubelet root as mountinfo writes it, once it is certain that the paths in it can be followed.
fn resolve(root: &Path) -> Result<PathBuf, Error> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::KubeletRoot { path, source }
    };
    let real = fs::canonicalize(root).map_err(failed(root))?;
    let pods = real.join("pods");
    fs::metadata(pods.join(".")).map_err(failed(&pods))?;
    Ok(real)
}

fn changed(mountinfo: &File, timeout: Duration) -> io::Result<bool> {
    let timeout = PollTimeout::try_from(timeout).unwrap_or(PollTimeout::ZERO);
    let mut fds = [PollFd::new(mountinfo.as_fd(), PollFlags::POLLPRI)];
    match poll(&mut fds, timeout) {
        Ok(_) => Ok(fds[0].any().unwrap_or(false)),
        Err(Errno::EINTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn read_mountinfo() -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    File::open(MOUNTINFO)?.read_to_end(&mut text)?;
    Ok(text)
}

/// Stands for a text, which would take a hundred kilobytes on a full node.
fn digest(root: &Path, text: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    (root, text).hash(&mut hasher);
    hasher.finish()
}

/// Reads until two readings in a row agree, at most `readings` times with the first; then the last has to do.
fn agreed(
    first: Vec<u8>,
    readings: usize,
    mut read: impl FnMut() -> io::Result<Vec<u8>>,
) -> io::Result<Vec<u8>> {
    let mut last = first;
    for _ in 1..readings {
        let again = read()?;
        if again == last {
            break;
        }
        last = again;
    }
    Ok(last)
}

#[cfg(test)]
mod tests {
    use std::{fs, io, os::unix::fs::symlink, path::Path};

    use super::{Error, MountWatch, agreed, resolve};

    fn readings(texts: &[&str]) -> (String, usize) {
        let mut left = texts.iter();
        let mut read = || {
            left.next()
                .map(|t| t.as_bytes().to_vec())
                .ok_or_else(|| io::Error::from(io::ErrorKind::Other))
        };
        let first = read().unwrap();
        let text = agreed(first, 4, read);
        (
            String::from_utf8(text.unwrap()).unwrap(),
            texts.len() - left.len(),
        )
    }

    #[test]
    fn reads_until_two_readings_agree() {
        assert_eq!(readings(&["a", "a", "b"]), ("a".to_owned(), 2));
        assert_eq!(readings(&["a", "b", "b", "c"]), ("b".to_owned(), 3));
        assert_eq!(readings(&["a", "b", "c", "d", "e"]), ("d".to_owned(), 4));
    }

    #[test]
    fn the_root_is_resolved_and_searched() {
        let dir = tempfile::tempdir().unwrap();
        let real = dir.path().join("real");
        let link = dir.path().join("link");
        fs::create_dir(&real).unwrap();
        symlink(&real, &link).unwrap();
        assert!(matches!(resolve(&link), Err(Error::KubeletRoot { path, .. }) if path.ends_with("pods")));
        fs::create_dir(real.join("pods")).unwrap();
        assert_eq!(resolve(&link).unwrap(), fs::canonicalize(&real).unwrap());
        let error = resolve(Path::new("/nowhere")).unwrap_err();
        assert_eq!(error.to_string(), "cannot search /nowhere");
    }

    #[test]
    fn reads_the_table_of_this_process() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("pods")).unwrap();
        let watch = MountWatch::new(dir.path().to_owned()).unwrap();
        let mounted = watch.read().unwrap().unwrap();
        assert_eq!((mounted.volumes.len(), mounted.malformed), (0, 0));
        assert!(watch.read().unwrap().is_none());
    }
}
