//! kubelet's plugin registration: it finds our socket, asks who we are and tells us what it thinks of it.

use std::path::Path;

use tonic::{Request, Response, Status, async_trait};

use crate::proto::pluginregistration::{
    InfoRequest, PluginInfo, RegistrationStatus, RegistrationStatusResponse, registration_server,
};

/// Points kubelet at the CSI socket.
#[derive(Debug)]
pub struct Registration {
    name: String,
    endpoint: String,
}

impl Registration {
    /// `name` is the driver's, `endpoint` the absolute path of its CSI socket.
    pub fn new(name: String, endpoint: &Path) -> Self {
        Self {
            name,
            endpoint: endpoint.to_string_lossy().into_owned(),
        }
    }
}

#[async_trait]
impl registration_server::Registration for Registration {
    async fn get_info(&self, _: Request<InfoRequest>) -> Result<Response<PluginInfo>, Status> {
        Ok(Response::new(PluginInfo {
            r#type: "CSIPlugin".to_owned(),
            name: self.name.clone(),
            endpoint: self.endpoint.clone(),
            supported_versions: vec!["1.0.0".to_owned()],
        }))
    }

    async fn notify_registration_status(
        &self,
        request: Request<RegistrationStatus>,
    ) -> Result<Response<RegistrationStatusResponse>, Status> {
        // kubelet tries again by itself, so a refusal is only told.
        match request.into_inner() {
            RegistrationStatus {
                plugin_registered: true,
                ..
            } => tracing::info!("registered with kubelet"),
            RegistrationStatus { error, .. } => tracing::error!(error, "kubelet refuses the registration"),
        }
        Ok(Response::new(RegistrationStatusResponse {}))
    }
}
