//! One measurement: statfs(2) of a path, computed as kubelet computes it.
//!
//! Where and when to measure is the [`crate::sweeper`]'s; a statfs that may hang is made by a [`crate::probe`].

use std::{io, path::Path};

use nix::{
    errno::Errno,
    sys::{
        statfs::{Statfs, statfs},
        statvfs::FsFlags,
    },
};

/// Measures filesystems, one call at a time.
pub trait StatFs: Send + Sync {
    /// Measures the filesystem that is mounted at `path`. May take for ever.
    ///
    /// # Errors
    /// That of statfs(2), or [`io::ErrorKind::TimedOut`] after [`StatFs::abort`].
    fn statfs(&self, path: &Path) -> io::Result<Usage>;

    /// Asks a call that another thread waits for to end. It need not: not every wait in the kernel can be ended.
    fn abort(&self) {}
}

/// How full a filesystem is. Sizes in bytes.
///
/// As kubelet does it (kubernetes: pkg/volume/util/fs/fs.go): blocks are multiplied by `f_bsize`, not `f_frsize`.
/// `available + used` is less than `capacity` where the filesystem keeps a reserve for root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Size of the filesystem; 0 means that it does not tell, and then nothing here means anything.
    pub capacity: u64,
    /// What users other than root can still write.
    pub available: u64,
    /// What is not free.
    pub used: u64,
    /// Number of inodes; 0 where the filesystem has no fixed number.
    pub inodes_total: u64,
    /// Number of free inodes.
    pub inodes_free: u64,
    /// Writes are refused.
    pub read_only: bool,
}

/// The system call, made on the calling thread.
#[derive(Debug, Clone, Copy, Default)]
pub struct Direct;

impl StatFs for Direct {
    fn statfs(&self, path: &Path) -> io::Result<Usage> {
        loop {
            match statfs(path) {
                Err(Errno::EINTR) => {}
                answer => return Ok(Usage::from(answer?)),
            }
        }
    }
}

impl From<Statfs> for Usage {
    fn from(answer: Statfs) -> Self {
        // Signed on some platforms; no filesystem has a negative block size.
        let block_size = u64::try_from(answer.block_size()).unwrap_or(0);
        let bytes = |blocks: u64| blocks.saturating_mul(block_size);
        Self {
            capacity: bytes(answer.blocks()),
            available: bytes(answer.blocks_available()),
            used: bytes(answer.blocks().saturating_sub(answer.blocks_free())),
            inodes_total: answer.files(),
            inodes_free: answer.files_free(),
            read_only: answer.flags().contains(FsFlags::ST_RDONLY),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{io, path::Path};

    use nix::sys::statvfs::statvfs;

    use super::{Direct, StatFs};

    #[test]
    fn agrees_with_the_c_library_on_the_root() {
        let usage = Direct.statfs(Path::new("/")).unwrap();
        let other = statvfs("/").unwrap();
        assert_eq!(usage.capacity, other.blocks() * other.block_size());
        assert_eq!(usage.inodes_total, other.files());
        assert!(usage.used <= usage.capacity && usage.available <= usage.capacity);
    }

    #[test]
    fn a_filesystem_without_blocks_has_no_capacity() {
        assert_eq!(Direct.statfs(Path::new("/proc")).unwrap().capacity, 0);
    }

    #[test]
    fn a_missing_path_is_an_error() {
        let error = Direct.statfs(Path::new("/nowhere/at/all")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
