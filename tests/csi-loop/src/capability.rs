//! Which ways of use this driver supports: XFS, mounted, on one node.

use crate::{
    error::Error,
    proto::csi::v1::{
        VolumeCapability,
        volume_capability::{AccessType, MountVolume, access_mode::Mode},
    },
};

/// Refuses a list that is empty or holds anything unsupported.
pub fn check_all(capabilities: &[VolumeCapability]) -> Result<(), Error> {
    if capabilities.is_empty() {
        return Err(Error::Missing {
            field: "volume_capabilities",
        });
    }
    capabilities
        .iter()
        .try_for_each(|capability| check(Some(capability)).map(drop))
}

/// The mount's wishes, when the capability is one of ours.
pub fn check(capability: Option<&VolumeCapability>) -> Result<&MountVolume, Error> {
    let refuse = |why: String| Err(Error::BadCapability { why });
    let Some(capability) = capability else {
        return Err(Error::Missing {
            field: "volume_capability",
        });
    };
    match capability.access_mode.as_ref().map(|it| it.mode()) {
        None | Some(Mode::Unknown) => {
            return Err(Error::Missing {
                field: "volume_capability.access_mode",
            });
        }
        Some(
            Mode::SingleNodeWriter
            | Mode::SingleNodeReaderOnly
            | Mode::SingleNodeSingleWriter
            | Mode::SingleNodeMultiWriter,
        ) => {}
        Some(
            mode @ (Mode::MultiNodeReaderOnly | Mode::MultiNodeSingleWriter | Mode::MultiNodeMultiWriter),
        ) => {
            return refuse(format!("{}, a loop device is on one node", mode.as_str_name()));
        }
    }
    match &capability.access_type {
        None => Err(Error::Missing {
            field: "volume_capability.access_type",
        }),
        Some(AccessType::Block(_)) => refuse("block volumes".to_owned()),
        Some(AccessType::Mount(mount)) if matches!(mount.fs_type.as_str(), "" | "xfs") => Ok(mount),
        Some(AccessType::Mount(mount)) => refuse(format!("filesystem {:?}, only xfs", mount.fs_type)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::csi::v1::volume_capability::{AccessMode, BlockVolume};

    fn capability(mode: Mode, access_type: Option<AccessType>) -> VolumeCapability {
        VolumeCapability {
            access_mode: Some(AccessMode { mode: mode.into() }),
            access_type,
        }
    }

    fn mount(fs_type: &str) -> Option<AccessType> {
        Some(AccessType::Mount(MountVolume {
            fs_type: fs_type.to_owned(),
            mount_flags: Vec::new(),
        }))
    }

    #[test]
    fn takes_xfs_mounts_on_one_node() {
        for fs_type in ["", "xfs"] {
            check(Some(&capability(Mode::SingleNodeWriter, mount(fs_type)))).unwrap();
        }
    }

    #[test]
    fn refuses_the_rest_and_says_why() {
        let block = Some(AccessType::Block(BlockVolume {}));
        let cases = [
            (capability(Mode::SingleNodeWriter, mount("ext4")), "only xfs"),
            (capability(Mode::SingleNodeWriter, block), "block volumes"),
            (
                capability(Mode::SingleNodeWriter, None),
                "access_type is required",
            ),
            (
                capability(Mode::MultiNodeMultiWriter, mount("")),
                "MULTI_NODE_MULTI_WRITER",
            ),
            (capability(Mode::Unknown, mount("")), "access_mode is required"),
        ];
        for (capability, why) in cases {
            let error = check(Some(&capability)).unwrap_err();
            assert!(error.to_string().contains(why), "{error}");
        }
        assert!(check(None).is_err());
        assert!(check_all(&[]).is_err());
    }
}
