//! The CSI Node service: stage, publish, grow the filesystem, measure, and back.

use std::{path::PathBuf, sync::Arc};

use tonic::{Request, Response, Status, async_trait};

use crate::{
    capability,
    controller::{required, wire},
    edge::answer,
    error::Error,
    exclusive::Exclusive,
    faults::Operation,
    gate::Gate,
    proto::csi::v1::{
        NodeExpandVolumeRequest, NodeExpandVolumeResponse, NodeGetCapabilitiesRequest,
        NodeGetCapabilitiesResponse, NodeGetInfoRequest, NodeGetInfoResponse, NodeGetVolumeStatsRequest,
        NodeGetVolumeStatsResponse, NodePublishVolumeRequest, NodePublishVolumeResponse,
        NodeServiceCapability, NodeStageVolumeRequest, NodeStageVolumeResponse, NodeUnpublishVolumeRequest,
        NodeUnpublishVolumeResponse, NodeUnstageVolumeRequest, NodeUnstageVolumeResponse, node_server,
        node_service_capability::{Rpc, Type, rpc},
    },
    sizes::SizeError,
    staging, stats,
};

/// The node's half of the driver.
#[derive(Debug)]
pub struct Node {
    /// Shared with `controller`.
    volumes: Arc<Exclusive>,
    /// Shared with `controller`.
    gate: Arc<Gate>,
    name: String,
}

// === impl Node

impl Node {
    /// Serves these volumes behind this gate, on the node of this name.
    pub fn new(volumes: Arc<Exclusive>, gate: Arc<Gate>, name: String) -> Self {
        Self { volumes, gate, name }
    }

    async fn stage(&self, request: NodeStageVolumeRequest) -> Result<NodeStageVolumeResponse, Error> {
        let NodeStageVolumeRequest {
            volume_id: id,
            staging_target_path,
            volume_capability,
        } = request;
        required("volume_id", &id)?;
        let target = path("staging_target_path", staging_target_path)?;
        let options = capability::check(volume_capability.as_ref())?.mount_flags.clone();
        let lock = id.clone();
        self.volumes
            .on(&lock, move |volumes| {
                staging::stage(volumes, &id, &target, &options)
            })
            .await?;
        Ok(NodeStageVolumeResponse {})
    }

    async fn unstage(&self, request: NodeUnstageVolumeRequest) -> Result<NodeUnstageVolumeResponse, Error> {
        let NodeUnstageVolumeRequest {
            volume_id: id,
            staging_target_path,
        } = request;
        required("volume_id", &id)?;
        let target = path("staging_target_path", staging_target_path)?;
        let lock = id.clone();
        self.volumes
            .on(&lock, move |volumes| staging::unstage(volumes, &id, &target))
            .await?;
        Ok(NodeUnstageVolumeResponse {})
    }

    async fn publish(&self, request: NodePublishVolumeRequest) -> Result<NodePublishVolumeResponse, Error> {
        let NodePublishVolumeRequest {
            volume_id: id,
            staging_target_path,
            target_path,
            volume_capability,
            readonly,
        } = request;
        required("volume_id", &id)?;
        capability::check(volume_capability.as_ref())?;
        let staged = path("staging_target_path", staging_target_path)?;
        let target = path("target_path", target_path)?;
        let lock = id.clone();
        let work = move |volumes: &crate::volumes::Volumes| {
            staging::publish(volumes, &id, &staged, &target, readonly)
        };
        self.volumes.on(&lock, work).await?;
        Ok(NodePublishVolumeResponse {})
    }

    async fn unpublish(
        &self,
        request: NodeUnpublishVolumeRequest,
    ) -> Result<NodeUnpublishVolumeResponse, Error> {
        let NodeUnpublishVolumeRequest {
            volume_id: id,
            target_path,
        } = request;
        required("volume_id", &id)?;
        let target = path("target_path", target_path)?;
        let lock = id.clone();
        self.volumes
            .on(&lock, move |volumes| staging::unpublish(volumes, &id, &target))
            .await?;
        Ok(NodeUnpublishVolumeResponse {})
    }

    async fn stats(&self, request: NodeGetVolumeStatsRequest) -> Result<NodeGetVolumeStatsResponse, Error> {
        // The staging path is the same filesystem.
        let NodeGetVolumeStatsRequest {
            volume_id: id,
            volume_path,
            staging_target_path: _,
        } = request;
        required("volume_id", &id)?;
        let place = path("volume_path", volume_path)?;
        let work = move |volumes: &crate::volumes::Volumes| match staging::mounted(&volumes.get(&id)?, &place)
        {
            Ok(Some(_)) => stats::usage(&place),
            // Something else there is not this volume either.
            Ok(None) | Err(Error::Incompatible { .. }) => Err(Error::NotMounted { id, path: place }),
            Err(error) => Err(error),
        };
        let usage = self.volumes.look(work).await?;
        Ok(NodeGetVolumeStatsResponse { usage })
    }

    async fn expand(&self, request: NodeExpandVolumeRequest) -> Result<NodeExpandVolumeResponse, Error> {
        let NodeExpandVolumeRequest {
            volume_id: id,
            volume_path,
            capacity_range,
            staging_target_path,
            volume_capability,
        } = request;
        required("volume_id", &id)?;
        let published = path("volume_path", volume_path)?;
        if volume_capability.is_some() {
            capability::check(volume_capability.as_ref())?;
        }
        let wanted = capacity_range.unwrap_or_default().required_bytes;
        let wanted = u64::try_from(wanted).map_err(|_| Error::Size(SizeError::Negative))?;
        // The staged mount is never read-only for one pod's sake; callers without staging give the published one only.
        let place = match staging_target_path.as_str() {
            "" => published,
            staged => PathBuf::from(staged),
        };
        let known = id.clone();
        let subject = self
            .volumes
            .look(move |volumes| volumes.get(&known)?.subject())
            .await?;
        self.gate.pass(Operation::NodeExpand, &subject).await?;
        let lock = id.clone();
        let size = self
            .volumes
            .on(&lock, move |volumes| staging::grow(volumes, &id, &place, wanted))
            .await?;
        Ok(NodeExpandVolumeResponse {
            capacity_bytes: wire(size),
        })
    }
}

#[async_trait]
impl node_server::Node for Node {
    async fn node_stage_volume(
        &self,
        request: Request<NodeStageVolumeRequest>,
    ) -> Result<Response<NodeStageVolumeResponse>, Status> {
        let request = request.into_inner();
        let id = request.volume_id.clone();
        answer("NodeStageVolume", &id, self.stage(request)).await
    }

    async fn node_unstage_volume(
        &self,
        request: Request<NodeUnstageVolumeRequest>,
    ) -> Result<Response<NodeUnstageVolumeResponse>, Status> {
        let request = request.into_inner();
        let id = request.volume_id.clone();
        answer("NodeUnstageVolume", &id, self.unstage(request)).await
    }

    async fn node_publish_volume(
        &self,
        request: Request<NodePublishVolumeRequest>,
    ) -> Result<Response<NodePublishVolumeResponse>, Status> {
        let request = request.into_inner();
        let id = request.volume_id.clone();
        answer("NodePublishVolume", &id, self.publish(request)).await
    }

    async fn node_unpublish_volume(
        &self,
        request: Request<NodeUnpublishVolumeRequest>,
    ) -> Result<Response<NodeUnpublishVolumeResponse>, Status> {
        let request = request.into_inner();
        let id = request.volume_id.clone();
        answer("NodeUnpublishVolume", &id, self.unpublish(request)).await
    }

    async fn node_get_volume_stats(
        &self,
        request: Request<NodeGetVolumeStatsRequest>,
    ) -> Result<Response<NodeGetVolumeStatsResponse>, Status> {
        let request = request.into_inner();
        let id = request.volume_id.clone();
        answer("NodeGetVolumeStats", &id, self.stats(request)).await
    }

    async fn node_expand_volume(
        &self,
        request: Request<NodeExpandVolumeRequest>,
    ) -> Result<Response<NodeExpandVolumeResponse>, Status> {
        let request = request.into_inner();
        let id = request.volume_id.clone();
        answer("NodeExpandVolume", &id, self.expand(request)).await
    }

    async fn node_get_capabilities(
        &self,
        _: Request<NodeGetCapabilitiesRequest>,
    ) -> Result<Response<NodeGetCapabilitiesResponse>, Status> {
        let capabilities = [
            rpc::Type::StageUnstageVolume,
            rpc::Type::GetVolumeStats,
            rpc::Type::ExpandVolume,
        ]
        .map(|it| NodeServiceCapability {
            r#type: Some(Type::Rpc(Rpc { r#type: it.into() })),
        })
        .into();
        Ok(Response::new(NodeGetCapabilitiesResponse { capabilities }))
    }

    async fn node_get_info(
        &self,
        _: Request<NodeGetInfoRequest>,
    ) -> Result<Response<NodeGetInfoResponse>, Status> {
        Ok(Response::new(NodeGetInfoResponse {
            node_id: self.name.clone(),
        }))
    }
}

/// A path that must be given.
fn path(field: &'static str, value: String) -> Result<PathBuf, Error> {
    required(field, &value)?;
    Ok(PathBuf::from(value))
}
