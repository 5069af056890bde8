//! The CSI Identity service: name, version, capabilities.

use tonic::{Request, Response, Status, async_trait};

use crate::{
    args::Expansion,
    proto::csi::v1::{
        GetPluginCapabilitiesRequest, GetPluginCapabilitiesResponse, GetPluginInfoRequest,
        GetPluginInfoResponse, PluginCapability, ProbeRequest, ProbeResponse, identity_server,
        plugin_capability::{Service, Type, VolumeExpansion, service, volume_expansion},
    },
};

/// Answers who we are.
#[derive(Debug)]
pub struct Identity {
    name: String,
    expansion: Expansion,
}

impl Identity {
    /// Tells callers that the driver has this name and expands so.
    pub fn new(name: String, expansion: Expansion) -> Self {
        Self { name, expansion }
    }
}

#[async_trait]
impl identity_server::Identity for Identity {
    async fn get_plugin_info(
        &self,
        _: Request<GetPluginInfoRequest>,
    ) -> Result<Response<GetPluginInfoResponse>, Status> {
        let vendor_version = env!("CARGO_PKG_VERSION").to_owned();
        Ok(Response::new(GetPluginInfoResponse {
            name: self.name.clone(),
            vendor_version,
        }))
    }

    async fn get_plugin_capabilities(
        &self,
        _: Request<GetPluginCapabilitiesRequest>,
    ) -> Result<Response<GetPluginCapabilitiesResponse>, Status> {
        let expansion = match self.expansion {
            Expansion::Online => volume_expansion::Type::Online,
            Expansion::Offline => volume_expansion::Type::Offline,
        };
        let capabilities = [
            Type::Service(Service {
                r#type: service::Type::ControllerService.into(),
            }),
            Type::VolumeExpansion(VolumeExpansion {
                r#type: expansion.into(),
            }),
        ];
        let capabilities = capabilities
            .map(|it| PluginCapability { r#type: Some(it) })
            .into();
        Ok(Response::new(GetPluginCapabilitiesResponse { capabilities }))
    }

    async fn probe(&self, _: Request<ProbeRequest>) -> Result<Response<ProbeResponse>, Status> {
        Ok(Response::new(ProbeResponse { ready: Some(true) }))
    }
}
