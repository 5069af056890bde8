//! XFS on a device: is there one, make one, let it fill its device.

use std::{
    fs::File,
    io::{self, ErrorKind, Read},
    path::Path,
    process::Stdio,
};

use crate::{command, command::CommandError};

/// What the first sector of a device says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// No XFS. Perhaps something else: mkfs.xfs looks for it and refuses.
    None,
    /// An XFS whose mkfs did not end; it never was mounted.
    Unfinished,
    /// An XFS.
    Xfs,
}

/// Reads what is on the device. Blocks.
pub fn content(node: &Path) -> io::Result<Content> {
    let mut superblock = [0; 128];
    match File::open(node)?.read_exact(&mut superblock) {
        Ok(()) => Ok(judge(&superblock)),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(Content::None),
        Err(error) => Err(error),
    }
}

/// Makes a filesystem; `over` an unfinished one. `lock` stays held until mkfs.xfs ends, even without us. Blocks.
pub fn make(node: &Path, over: bool, lock: File) -> Result<(), CommandError> {
    // -K: no discard, the image is sparse already. -f only over our own unfinished work: without it mkfs.xfs refuses
    // to overwrite anything it knows.
    let mut words = vec!["-q".as_ref(), "-K".as_ref()];
    if over {
        words.push("-f".as_ref());
    }
    words.push(node.as_os_str());
    command::run_with("mkfs.xfs", &words, Stdio::from(lock)).map(drop)
}

/// Grows the mounted filesystem to its device's size; nothing when it has it. Blocks.
pub fn grow(mountpoint: &Path) -> Result<(), CommandError> {
    command::run("xfs_growfs", &["-d".as_ref(), mountpoint.as_os_str()]).map(drop)
}

/// `sb_magicnum` at 0 and `sb_inprogress` at 126, set until mkfs ends: torvalds/linux:fs/xfs/libxfs/xfs_format.h.
fn judge(superblock: &[u8; 128]) -> Content {
    match (superblock.starts_with(b"XFSB"), superblock[126]) {
        (false, _) => Content::None,
        (true, 0) => Content::Xfs,
        (true, _) => Content::Unfinished,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_a_finished_filesystem_from_one_in_progress() {
        let mut superblock = [0; 128];
        assert_eq!(judge(&superblock), Content::None);
        superblock[..4].copy_from_slice(b"XFSB");
        assert_eq!(judge(&superblock), Content::Xfs);
        superblock[126] = 1;
        assert_eq!(judge(&superblock), Content::Unfinished);
    }

    #[test]
    fn a_file_too_short_holds_nothing() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(content(file.path()).unwrap(), Content::None);
    }
}
