//! The node's mounts: attach, format and mount once (stage), bind for each pod (publish), and back; grow the
//! filesystem. Each may be repeated, also by a driver that was killed in the middle. All of it blocks.

use std::{
    fs::{self, File},
    io::ErrorKind,
    path::{Path, PathBuf},
};

use nix::fcntl::{Flock, FlockArg};

use crate::{
    error::Error,
    loops, mounts,
    mounts::Mount,
    volumes::{Volume, Volumes},
    xfs::{self, Content},
};

/// Attaches the image, makes a filesystem when there is none, and mounts it. `options` are those of `mount -o`.
pub fn stage(volumes: &Volumes, id: &str, target: &Path, options: &[String]) -> Result<(), Error> {
    let volume = volumes.get(id)?;
    if mounted(&volume, target)?.is_some() {
        return Ok(());
    }
    let node = attached(&volume)?;
    format(&volume, &node)?;
    fs::create_dir_all(target).map_err(Error::io("make", target))?;
    mounts::mount(&node, target, options).map_err(Error::io("mount at", target))
}

/// Unmounts it and detaches the image. A volume that is not there is unstaged.
pub fn unstage(volumes: &Volumes, id: &str, target: &Path) -> Result<(), Error> {
    let volume = volumes.named(id)?;
    unmount(&volume, target)?;
    match volume.mounts()?.into_iter().next() {
        // A second staging path, or a pod's bind that outlived it: the device stays for that.
        Some(_) => Ok(()),
        None => volume.detach(),
    }
}

/// Makes the staged volume visible at a pod's path.
pub fn publish(
    volumes: &Volumes,
    id: &str,
    staged: &Path,
    target: &Path,
    readonly: bool,
) -> Result<(), Error> {
    let volume = volumes.get(id)?;
    if mounted(&volume, staged)?.is_none() {
        return Err(Error::NotStaged {
            id: volume.id,
            path: staged.to_owned(),
        });
    }
    let present = match mounted(&volume, target)? {
        Some(present) => present.readonly,
        None => {
            fs::create_dir_all(target).map_err(Error::io("make", target))?;
            mounts::bind(staged, target).map_err(Error::io("bind to", target))?;
            false
        }
    };
    match (present, readonly) {
        (true, true) | (false, false) => Ok(()),
        // Just bound, or bound by a driver that was killed before this.
        (false, true) => mounts::make_readonly(target).map_err(Error::io("make read-only", target)),
        (true, false) => Err(Error::Incompatible {
            id: volume.id,
            path: target.to_owned(),
        }),
    }
}

/// Takes the pod's mount and its directory away. A volume that is not there is unpublished.
pub fn unpublish(volumes: &Volumes, id: &str, target: &Path) -> Result<(), Error> {
    unmount(&volumes.named(id)?, target)?;
    match fs::remove_dir(target) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io("remove", target)(error)),
        _ => Ok(()),
    }
}

/// Grows the filesystem mounted at `path` to its device; the device's size in bytes. `wanted` bytes must be there.
pub fn grow(volumes: &Volumes, id: &str, path: &Path, wanted: u64) -> Result<u64, Error> {
    let volume = volumes.get(id)?;
    let Some(mount) = mounted(&volume, path)? else {
        return Err(Error::NotMounted {
            id: volume.id,
            path: path.to_owned(),
        });
    };
    let attached = volume.loops()?.into_iter().find(|it| it.device == mount.device);
    let Some(present) = attached.map(|it| it.size) else {
        return Err(Error::NotMounted {
            id: volume.id,
            path: path.to_owned(),
        });
    };
    if present < wanted {
        return Err(Error::DeviceSmall {
            id: volume.id,
            present,
            wanted,
        });
    }
    xfs::grow(&mount.target).map_err(|source| volume.command(source))?;
    Ok(present)
}

/// The volume's own mount at a path; none when nothing is mounted there. What is not ours is never touched.
pub fn mounted(volume: &Volume, path: &Path) -> Result<Option<Mount>, Error> {
    let Some(mount) = mounts::at(path).map_err(Error::io("look at", path))? else {
        return Ok(None);
    };
    let image = volume.image();
    let all = loops::all().map_err(Error::io("find the loop device of", &image))?;
    match all
        .iter()
        .any(|it| it.device == mount.device && it.image == image)
    {
        true => Ok(Some(mount)),
        false => Err(Error::Incompatible {
            id: volume.id.clone(),
            path: path.to_owned(),
        }),
    }
}

/// The node of the volume's loop device, of the image's size.
fn attached(volume: &Volume) -> Result<PathBuf, Error> {
    let size = volume.size()?;
    let mut present = volume.loops()?.into_iter();
    let Some(first) = present.next() else {
        return loops::attach(&volume.image()).map_err(|source| volume.command(source));
    };
    if first.size < size {
        loops::follow(&first.node).map_err(|source| volume.command(source))?;
    }
    // A second one comes from a losetup that outlived a killed driver. It is not mounted: XFS refuses its own twin.
    for twin in present {
        loops::detach(&twin.node).map_err(|source| volume.command(source))?;
    }
    Ok(first.node)
}

/// Makes a filesystem when the device has none, or half of one.
fn format(volume: &Volume, node: &Path) -> Result<(), Error> {
    let path = volume.format_lock();
    let lock = File::create(&path).map_err(Error::io("make", &path))?;
    let lock =
        Flock::lock(lock, FlockArg::LockExclusive).map_err(|(_, error)| Error::io("lock", &path)(error))?;
    let over = match xfs::content(node).map_err(Error::io("read", node))? {
        Content::Xfs => return Ok(()),
        Content::Unfinished => true,
        Content::None => false,
    };
    let held = lock.try_clone().map_err(Error::io("lock", &path))?;
    xfs::make(node, over, held).map_err(|source| volume.command(source))
}

/// Takes all of the volume's mounts at a path away; one may lie over another after a race.
fn unmount(volume: &Volume, target: &Path) -> Result<(), Error> {
    while mounted(volume, target)?.is_some() {
        mounts::unmount(target).map_err(Error::io("unmount", target))?;
    }
    Ok(())
}
