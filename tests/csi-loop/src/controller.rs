//! The CSI Controller service: create, delete, grow.

use std::sync::Arc;

use tonic::{Request, Response, Status, async_trait};

use crate::{
    capability,
    clock::Clock,
    edge::answer,
    error::Error,
    exclusive::Exclusive,
    faults::Operation,
    gate::Gate,
    growth,
    proto::csi::v1::{
        ControllerExpandVolumeRequest, ControllerExpandVolumeResponse, ControllerGetCapabilitiesRequest,
        ControllerGetCapabilitiesResponse, ControllerServiceCapability, CreateVolumeRequest,
        CreateVolumeResponse, DeleteVolumeRequest, DeleteVolumeResponse, ValidateVolumeCapabilitiesRequest,
        ValidateVolumeCapabilitiesResponse, Volume, controller_server,
        controller_service_capability::{Rpc, Type, rpc},
        validate_volume_capabilities_response::Confirmed,
    },
};

/// The controller's half of the driver.
#[derive(Debug)]
pub struct Controller {
    /// Shared with `node`.
    volumes: Arc<Exclusive>,
    /// Shared with `node`.
    gate: Arc<Gate>,
    clock: Clock,
}

// === impl Controller

impl Controller {
    /// Serves these volumes behind this gate.
    pub fn new(volumes: Arc<Exclusive>, gate: Arc<Gate>, clock: Clock) -> Self {
        Self { volumes, gate, clock }
    }

    async fn create(&self, request: CreateVolumeRequest) -> Result<CreateVolumeResponse, Error> {
        let CreateVolumeRequest {
            name,
            capacity_range,
            volume_capabilities,
            parameters,
        } = request;
        required("name", &name)?;
        capability::check_all(&volume_capabilities)?;
        let parameters = parameters.into_iter().collect();
        let made = name.clone();
        let work = move |volumes: &crate::volumes::Volumes| {
            volumes.create(&made, capacity_range.as_ref(), parameters)
        };
        let size = self.volumes.on(&name, work).await?;
        let volume = Volume {
            capacity_bytes: wire(size),
            volume_id: name,
            volume_context: Default::default(),
        };
        Ok(CreateVolumeResponse { volume: Some(volume) })
    }

    async fn delete(&self, id: String) -> Result<DeleteVolumeResponse, Error> {
        required("volume_id", &id)?;
        let gone = id.clone();
        self.volumes.on(&id, move |volumes| volumes.delete(&gone)).await?;
        Ok(DeleteVolumeResponse {})
    }

    async fn validate(
        &self,
        request: ValidateVolumeCapabilitiesRequest,
    ) -> Result<ValidateVolumeCapabilitiesResponse, Error> {
        let ValidateVolumeCapabilitiesRequest {
            volume_id,
            volume_context,
            volume_capabilities,
            parameters,
        } = request;
        required("volume_id", &volume_id)?;
        self.volumes
            .look(move |volumes| volumes.get(&volume_id).map(drop))
            .await?;
        match capability::check_all(&volume_capabilities) {
            Ok(()) => {
                let confirmed = Confirmed {
                    volume_context,
                    volume_capabilities,
                    parameters,
                };
                Ok(ValidateVolumeCapabilitiesResponse {
                    confirmed: Some(confirmed),
                    message: String::new(),
                })
            }
            // What is not supported is an answer here, what is not said is an error.
            Err(error @ Error::BadCapability { .. }) => Ok(ValidateVolumeCapabilitiesResponse {
                confirmed: None,
                message: error.to_string(),
            }),
            Err(error) => Err(error),
        }
    }

    async fn expand(
        &self,
        request: ControllerExpandVolumeRequest,
    ) -> Result<ControllerExpandVolumeResponse, Error> {
        let ControllerExpandVolumeRequest {
            volume_id,
            capacity_range,
            volume_capability,
        } = request;
        required("volume_id", &volume_id)?;
        if volume_capability.is_some() {
            capability::check(volume_capability.as_ref())?;
        }
        let id = volume_id.clone();
        let subject = self
            .volumes
            .look(move |volumes| volumes.get(&id)?.subject())
            .await?;
        let limits = self.gate.pass(Operation::ControllerExpand, &subject).await?;
        let now = (self.clock)();
        let id = volume_id.clone();
        let work = move |volumes: &crate::volumes::Volumes| {
            growth::grow(volumes, &id, capacity_range.as_ref(), &limits, now)
        };
        let size = self.volumes.on(&volume_id, work).await?;
        Ok(ControllerExpandVolumeResponse {
            capacity_bytes: wire(size),
            node_expansion_required: true,
        })
    }
}

#[async_trait]
impl controller_server::Controller for Controller {
    async fn create_volume(
        &self,
        request: Request<CreateVolumeRequest>,
    ) -> Result<Response<CreateVolumeResponse>, Status> {
        let request = request.into_inner();
        let id = request.name.clone();
        answer("CreateVolume", &id, self.create(request)).await
    }

    async fn delete_volume(
        &self,
        request: Request<DeleteVolumeRequest>,
    ) -> Result<Response<DeleteVolumeResponse>, Status> {
        let id = request.into_inner().volume_id;
        answer("DeleteVolume", &id, self.delete(id.clone())).await
    }

    async fn validate_volume_capabilities(
        &self,
        request: Request<ValidateVolumeCapabilitiesRequest>,
    ) -> Result<Response<ValidateVolumeCapabilitiesResponse>, Status> {
        let request = request.into_inner();
        let id = request.volume_id.clone();
        answer("ValidateVolumeCapabilities", &id, self.validate(request)).await
    }

    async fn controller_get_capabilities(
        &self,
        _: Request<ControllerGetCapabilitiesRequest>,
    ) -> Result<Response<ControllerGetCapabilitiesResponse>, Status> {
        let capabilities = [rpc::Type::CreateDeleteVolume, rpc::Type::ExpandVolume]
            .map(|it| ControllerServiceCapability {
                r#type: Some(Type::Rpc(Rpc { r#type: it.into() })),
            })
            .into();
        Ok(Response::new(ControllerGetCapabilitiesResponse { capabilities }))
    }

    async fn controller_expand_volume(
        &self,
        request: Request<ControllerExpandVolumeRequest>,
    ) -> Result<Response<ControllerExpandVolumeResponse>, Status> {
        let request = request.into_inner();
        let id = request.volume_id.clone();
        answer("ControllerExpandVolume", &id, self.expand(request)).await
    }
}

/// Refuses an empty field.
pub(crate) fn required(field: &'static str, value: &str) -> Result<(), Error> {
    match value {
        "" => Err(Error::Missing { field }),
        _ => Ok(()),
    }
}

/// A size as the wire has it; sizes are far below its end.
pub(crate) fn wire(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}
