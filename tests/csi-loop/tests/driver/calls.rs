//! The calls of sidecars and kubelet, one line each.

use std::path::{Path, PathBuf};

use csi_loop::proto::csi::v1::{
    CapacityRange, ControllerExpandVolumeRequest, CreateVolumeRequest, DeleteVolumeRequest,
    NodeExpandVolumeRequest, NodeGetVolumeStatsRequest, NodePublishVolumeRequest, NodeStageVolumeRequest,
    NodeUnpublishVolumeRequest, NodeUnstageVolumeRequest, VolumeCapability, VolumeUsage,
    controller_client::ControllerClient,
    node_client::NodeClient,
    volume_capability::{AccessMode, AccessType, MountVolume, access_mode::Mode},
};
use tonic::{Code, Status, transport::Channel};

use crate::rig::MIB;

/// The callers' side of one driver process.
pub(crate) struct Calls {
    pub(crate) controller: ControllerClient<Channel>,
    pub(crate) node: NodeClient<Channel>,
    dir: PathBuf,
}

// === impl Calls

impl Calls {
    /// `dir` is where kubelet's directories would be.
    pub(crate) fn new(channel: Channel, dir: &Path) -> Self {
        Self {
            controller: ControllerClient::new(channel.clone()),
            node: NodeClient::new(channel),
            dir: dir.to_owned(),
        }
    }

    pub(crate) fn staged(&self, id: &str) -> PathBuf {
        self.dir.join("kubelet/plugins").join(id).join("globalmount")
    }

    pub(crate) fn published(&self, id: &str) -> PathBuf {
        self.dir.join("kubelet/pods/uid/volumes").join(id).join("mount")
    }

    pub(crate) async fn create(&mut self, id: &str, mib: u64) -> Result<u64, Status> {
        let request = CreateVolumeRequest {
            name: id.to_owned(),
            capacity_range: Some(at_least(mib)),
            volume_capabilities: vec![capability()],
            parameters: Default::default(),
        };
        let volume = self
            .controller
            .create_volume(request)
            .await?
            .into_inner()
            .volume
            .unwrap();
        assert_eq!(volume.volume_id, id);
        Ok(volume.capacity_bytes.try_into().unwrap())
    }

    pub(crate) async fn delete(&mut self, id: &str) -> Result<(), Status> {
        self.controller
            .delete_volume(DeleteVolumeRequest {
                volume_id: id.to_owned(),
            })
            .await
            .map(drop)
    }

    pub(crate) async fn stage(&mut self, id: &str) -> Result<(), Status> {
        let request = NodeStageVolumeRequest {
            volume_id: id.to_owned(),
            staging_target_path: text(&self.staged(id)),
            volume_capability: Some(capability()),
        };
        self.node.node_stage_volume(request).await.map(drop)
    }

    pub(crate) async fn unstage(&mut self, id: &str) -> Result<(), Status> {
        let staging_target_path = text(&self.staged(id));
        let request = NodeUnstageVolumeRequest {
            volume_id: id.to_owned(),
            staging_target_path,
        };
        self.node.node_unstage_volume(request).await.map(drop)
    }

    pub(crate) async fn publish(&mut self, id: &str, target: &Path, readonly: bool) -> Result<(), Status> {
        let request = NodePublishVolumeRequest {
            volume_id: id.to_owned(),
            staging_target_path: text(&self.staged(id)),
            target_path: text(target),
            volume_capability: Some(capability()),
            readonly,
        };
        self.node.node_publish_volume(request).await.map(drop)
    }

    pub(crate) async fn unpublish(&mut self, id: &str, target: &Path) -> Result<(), Status> {
        let request = NodeUnpublishVolumeRequest {
            volume_id: id.to_owned(),
            target_path: text(target),
        };
        self.node.node_unpublish_volume(request).await.map(drop)
    }

    /// Creates, stages and publishes; the pod's path.
    pub(crate) async fn mount(&mut self, id: &str, mib: u64) -> PathBuf {
        let target = self.published(id);
        self.create(id, mib).await.unwrap();
        self.stage(id).await.unwrap();
        self.publish(id, &target, false).await.unwrap();
        target
    }

    /// Takes all of that away.
    pub(crate) async fn unmount(&mut self, id: &str) {
        let target = self.published(id);
        self.unpublish(id, &target).await.unwrap();
        self.unstage(id).await.unwrap();
        self.delete(id).await.unwrap();
    }

    pub(crate) async fn controller_expand(&mut self, id: &str, range: CapacityRange) -> Result<u64, Status> {
        let request = ControllerExpandVolumeRequest {
            volume_id: id.to_owned(),
            capacity_range: Some(range),
            volume_capability: Some(capability()),
        };
        let answer = self
            .controller
            .controller_expand_volume(request)
            .await?
            .into_inner();
        assert!(answer.node_expansion_required);
        Ok(answer.capacity_bytes.try_into().unwrap())
    }

    pub(crate) async fn node_expand(&mut self, id: &str, mib: u64) -> Result<u64, Status> {
        let request = NodeExpandVolumeRequest {
            volume_id: id.to_owned(),
            volume_path: text(&self.published(id)),
            capacity_range: Some(at_least(mib)),
            staging_target_path: text(&self.staged(id)),
            volume_capability: Some(capability()),
        };
        let answer = self.node.node_expand_volume(request).await?.into_inner();
        Ok(answer.capacity_bytes.try_into().unwrap())
    }

    pub(crate) async fn stats(&mut self, id: &str, path: &Path) -> Result<Vec<VolumeUsage>, Status> {
        let request = NodeGetVolumeStatsRequest {
            volume_id: id.to_owned(),
            volume_path: text(path),
            staging_target_path: text(&self.staged(id)),
        };
        self.node
            .node_get_volume_stats(request)
            .await
            .map(|answer| answer.into_inner().usage)
    }
}

/// A range without a limit.
pub(crate) fn at_least(mib: u64) -> CapacityRange {
    CapacityRange {
        required_bytes: (mib * MIB).try_into().unwrap(),
        limit_bytes: 0,
    }
}

pub(crate) fn capability() -> VolumeCapability {
    let mount = MountVolume {
        fs_type: "xfs".to_owned(),
        mount_flags: vec!["noatime".to_owned()],
    };
    VolumeCapability {
        access_mode: Some(AccessMode {
            mode: Mode::SingleNodeWriter.into(),
        }),
        access_type: Some(AccessType::Mount(mount)),
    }
}

/// The code and the text of a call that must fail.
pub(crate) fn refused<T: std::fmt::Debug>(outcome: Result<T, Status>) -> (Code, String) {
    let status = outcome.unwrap_err();
    (status.code(), status.message().to_owned())
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}
