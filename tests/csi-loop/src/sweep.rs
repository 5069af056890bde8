//! Takes away what the volumes of a state directory hold in the kernel, when their driver is gone for good.

use std::{
    io,
    path::{Path, PathBuf, absolute},
};

use nix::mount::{MntFlags, umount2};

use crate::{loops, mounts};

/// Unmounts and detaches all loop devices whose backing file is, or was, under this directory; answers their nodes.
/// Mounts that are in use are detached lazily, so that nothing keeps the images. Repeating it does no harm. Blocks.
pub fn sweep(state: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let state = resolved(state)?;
    let ours = loops::all()?
        .into_iter()
        .filter(|it| it.image.starts_with(&state));
    let mut swept = Vec::new();
    for attached in ours {
        // The last mount first: it may lie over another.
        for mount in mounts::of(&attached.device)?.into_iter().rev() {
            umount2(&mount.target, MntFlags::MNT_DETACH | MntFlags::UMOUNT_NOFOLLOW)
                .map_err(|error| anyhow::anyhow!("cannot unmount {}: {error}", mount.target.display()))?;
        }
        loops::detach(&attached.node)?;
        swept.push(attached.node);
    }
    Ok(swept)
}

/// The directory as the kernel names what is in it: links resolved, also where it has been removed itself.
fn resolved(state: &Path) -> io::Result<PathBuf> {
    match std::fs::canonicalize(state) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let state = absolute(state)?;
            match (state.parent(), state.file_name()) {
                (Some(parent), Some(name)) => Ok(resolved(parent)?.join(name)),
                _ => Err(error),
            }
        }
        other => other,
    }
}
