//! Takes away what the volumes of a state directory hold in the kernel, when their driver is gone for good.

use std::{
    io,
    path::{Path, PathBuf},
};

use nix::mount::{MntFlags, umount2};

use crate::{loops, mounts};

/// Unmounts and detaches all loop devices whose backing file is, or was, under this directory; answers their nodes.
/// Mounts that are in use are detached lazily, so that nothing keeps the images. Repeating it does no harm. Blocks.
pub fn sweep(state: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let Some(state) = resolved(state)? else {
        return Ok(Vec::new());
    };
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

fn resolved(state: &Path) -> io::Result<Option<PathBuf>> {
    match std::fs::canonicalize(state) {
        Ok(state) => Ok(Some(state)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
