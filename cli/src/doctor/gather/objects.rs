//! Objects as the checks need them.

use api::ops::v1alpha1::{Phase, PostgresOpsRequest, RequestType};
use k8s_openapi::{
    api::{
        apps::v1::{DaemonSet, Deployment, StatefulSet},
        coordination::v1::Lease as CoordinationLease,
        core::v1::{Pod as CorePod, PodTemplateSpec},
        storage::v1::StorageClass,
    },
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{ResourceExt, core::ObjectMeta};

use crate::doctor::facts::{Class, Definition, Lease, Pod, Request, Workload};

pub(super) fn definition(object: &CustomResourceDefinition) -> Definition {
    let conditions = object.status.iter().flat_map(|s| s.conditions.iter().flatten());
    Definition {
        name: object.name_any(),
        served: object
            .spec
            .versions
            .iter()
            .filter(|v| v.served)
            .map(|v| v.name.clone())
            .collect(),
        established: conditions
            .into_iter()
            .any(|c| c.type_ == "Established" && c.status == "True"),
        ours: object
            .labels()
            .get(api::names::LABEL_OWNED_BY)
            .is_some_and(|owner| owner == api::names::OWNED_BY_HIGHWATER),
    }
}

pub(super) fn deployment(object: &Deployment) -> Workload {
    let spec = object.spec.as_ref();
    Workload {
        wanted: spec.and_then(|s| s.replicas).unwrap_or(1),
        ready: object.status.as_ref().and_then(|s| s.ready_replicas).unwrap_or(0),
        ..workload(&object.metadata, spec.map(|s| &s.template))
    }
}

pub(super) fn daemon_set(object: &DaemonSet) -> Workload {
    let status = object.status.as_ref();
    Workload {
        wanted: status.map_or(0, |s| s.desired_number_scheduled),
        ready: status.map_or(0, |s| s.number_ready),
        ..workload(&object.metadata, object.spec.as_ref().map(|s| &s.template))
    }
}

pub(super) fn stateful_set(object: &StatefulSet) -> Workload {
    let spec = object.spec.as_ref();
    Workload {
        wanted: spec.and_then(|s| s.replicas).unwrap_or(1),
        ready: object.status.as_ref().and_then(|s| s.ready_replicas).unwrap_or(0),
        ..workload(&object.metadata, spec.map(|s| &s.template))
    }
}

fn workload(meta: &ObjectMeta, template: Option<&PodTemplateSpec>) -> Workload {
    let labels = meta.labels.as_ref();
    let containers = template.and_then(|t| t.spec.as_ref()).map(|s| &s.containers);
    Workload {
        namespace: meta.namespace.clone().unwrap_or_default(),
        name: meta.name.clone().unwrap_or_default(),
        app: labels
            .and_then(|l| l.get(api::names::LABEL_NAME).cloned())
            .unwrap_or_default(),
        image: containers
            .and_then(|all| all.first()?.image.clone())
            .unwrap_or_default(),
        ..Workload::default()
    }
}

pub(super) fn lease(object: &CoordinationLease) -> Lease {
    let spec = object.spec.clone().unwrap_or_default();
    Lease {
        namespace: object.namespace().unwrap_or_default(),
        name: object.name_any(),
        holder: spec.holder_identity.unwrap_or_default(),
        renewed: spec.renew_time.map(|t| t.0),
        lasts: spec.lease_duration_seconds.unwrap_or(0),
    }
}

pub(super) fn class(object: &StorageClass) -> Class {
    Class {
        name: object.name_any(),
        provisioner: object.provisioner.clone(),
        expandable: object.allow_volume_expansion == Some(true),
    }
}

pub(super) fn pod(object: &CorePod) -> Pod {
    let spec = object.spec.clone().unwrap_or_default();
    let volumes = spec.volumes.into_iter().flatten();
    let conditions = object.status.iter().flat_map(|s| s.conditions.iter().flatten());
    Pod {
        namespace: object.namespace().unwrap_or_default(),
        name: object.name_any(),
        node: spec.node_name.unwrap_or_default(),
        ready: conditions
            .into_iter()
            .any(|c| c.type_ == "Ready" && c.status == "True"),
        claims: volumes
            .filter_map(|v| Some(v.persistent_volume_claim?.claim_name))
            .collect(),
    }
}

/// `None` for requests that have ended or do not grow volumes.
pub(super) fn request(object: &PostgresOpsRequest) -> Option<Request> {
    let status = object.status.clone().unwrap_or_default();
    let ended = status.phase.as_ref().is_some_and(Phase::is_final);
    if ended || object.spec.type_ != Some(RequestType::VolumeExpansion) {
        return None;
    }
    let running = api::conditions::find(&status.conditions, "Running");
    Some(Request {
        name: format!("{}/{}", object.namespace().unwrap_or_default(), object.name_any()),
        created: object.metadata.creation_timestamp.as_ref()?.0,
        says: running
            .map(|c| {
                let (reason, message) = (c.reason.clone(), c.message.clone());
                format!("{}: {}", reason.unwrap_or_default(), message.unwrap_or_default())
            })
            .unwrap_or_else(|| "no executor has taken it up".into()),
    })
}
