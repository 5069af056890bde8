//! Usage of a mounted volume, computed as kubelet does: k8s.io/kubernetes/pkg/volume/util/fs/fs.go.

use std::path::Path;

use nix::sys::statfs::{Statfs, statfs};

use crate::{
    error::Error,
    proto::csi::v1::{VolumeUsage, volume_usage::Unit},
};

/// Bytes and inodes of the filesystem at a path. Blocks.
pub fn usage(path: &Path) -> Result<Vec<VolumeUsage>, Error> {
    let found = statfs(path).map_err(Error::io("statfs", path))?;
    Ok(counted(&found))
}

fn counted(found: &Statfs) -> Vec<VolumeUsage> {
    // f_bsize and not f_frsize, as kubelet; on XFS they are the same.
    let bytes = |blocks: u64| clamp(blocks.saturating_mul(u64::try_from(found.block_size()).unwrap_or(0)));
    vec![
        VolumeUsage {
            available: bytes(found.blocks_available()),
            total: bytes(found.blocks()),
            used: bytes(found.blocks().saturating_sub(found.blocks_free())),
            unit: Unit::Bytes.into(),
        },
        VolumeUsage {
            available: clamp(found.files_free()),
            total: clamp(found.files()),
            used: clamp(found.files().saturating_sub(found.files_free())),
            unit: Unit::Inodes.into(),
        },
    ]
}

fn clamp(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
