//! Loop devices: which image is behind which, and how to attach, resize and detach. The kernel's sysfs is the record.

use std::{
    fs, io,
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
};

use crate::{command, command::CommandError, mounts::Device};

/// What sysfs appends to the path of a backing file that was removed.
const DELETED: &[u8] = b" (deleted)";

/// An attached loop device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loop {
    /// Its node, `/dev/loop3`.
    pub node: PathBuf,
    /// Its number, as mountinfo has it.
    pub device: Device,
    /// Its backing file, with links resolved.
    pub image: PathBuf,
    /// Whether the backing file has been removed.
    pub deleted: bool,
    /// Its size in bytes.
    pub size: u64,
}

/// All attached loop devices of this machine.
pub fn all() -> io::Result<Vec<Loop>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/sys/block")? {
        let name = entry?.file_name();
        if name.as_bytes().starts_with(b"loop")
            && let Some(attached) = read(Path::new("/sys/block").join(&name), Path::new("/dev").join(&name))
        {
            found.push(attached);
        }
    }
    Ok(found)
}

/// The devices behind which this image is; more than one only after a race of two drivers.
pub fn of(image: &Path) -> io::Result<Vec<Loop>> {
    Ok(all()?
        .into_iter()
        .filter(|it| it.image == image && !it.deleted)
        .collect())
}

/// Attaches an image to a free device.
pub fn attach(image: &Path) -> Result<PathBuf, CommandError> {
    let words = ["--find".as_ref(), "--show".as_ref(), image.as_os_str()];
    command::run("losetup", &words).map(PathBuf::from)
}

/// Lets the device follow its image's size.
pub fn follow(node: &Path) -> Result<(), CommandError> {
    command::run("losetup", &["--set-capacity".as_ref(), node.as_os_str()]).map(drop)
}

/// Detaches a device; one that is still open goes when its last holder closes it.
pub fn detach(node: &Path) -> Result<(), CommandError> {
    command::run("losetup", &["--detach".as_ref(), node.as_os_str()]).map(drop)
}

/// Reads one device; none when it is free, or goes while it is read.
fn read(sys: PathBuf, node: PathBuf) -> Option<Loop> {
    let mut image = fs::read(sys.join("loop/backing_file")).ok()?;
    image.truncate(image.trim_ascii_end().len());
    let deleted = image.ends_with(DELETED);
    if deleted {
        image.truncate(image.len() - DELETED.len());
    }
    let device = Device::new(fs::read_to_string(sys.join("dev")).ok()?.trim());
    // In units of 512 bytes, whatever the device's sector size: Documentation/ABI/stable/sysfs-block.
    let size = fs::read_to_string(sys.join("size"))
        .ok()?
        .trim()
        .parse::<u64>()
        .ok()?
        * 512;
    Some(Loop {
        node,
        device,
        image: PathBuf::from(std::ffi::OsString::from_vec(image)),
        deleted,
        size,
    })
}
