//! A claim with its volume and pods as the core's plain value.

use std::collections::BTreeMap;

use api::names::{DATA_TEMPLATE, split_claim};
use executor_core::observed::{Claim, Class, Complaint, Event, Pod, Resize};
use jiff::Timestamp;
use k8s_openapi::{
    api::core::v1::{self as k8s, PersistentVolume, PersistentVolumeClaim},
    apimachinery::pkg::api::resource::Quantity,
};
use kube::ResourceExt;
use units::Bytes;

const STORAGE: &str = "storage";

/// What belongs to one claim.
pub(crate) struct Around<'a> {
    /// The volume named by the claim.
    pub(crate) volume: Option<&'a PersistentVolume>,
    /// Pods that use the claim.
    pub(crate) pods: Vec<&'a k8s::Pod>,
    /// Its class.
    pub(crate) class: Option<Class>,
    /// Its Events since the run began, newest first.
    pub(crate) events: Vec<Event>,
}

pub(crate) fn claim(object: &PersistentVolumeClaim, around: Around<'_>) -> Claim {
    let Around {
        volume,
        pods,
        class,
        events,
    } = around;
    let status = object.status.clone().unwrap_or_default();
    let requests = object
        .spec
        .as_ref()
        .and_then(|spec| spec.resources.as_ref()?.requests.as_ref());
    let volume = volume.filter(|volume| is_bound_to(volume, object));
    let conditions = status.conditions.unwrap_or_default();
    let is_true = |kind: &str| conditions.iter().find(|c| c.type_ == kind && c.status == "True");
    let complaint = |kind: &str| {
        is_true(kind).map(|condition| Complaint {
            message: condition.message.clone().unwrap_or_default(),
            at: condition.last_transition_time.as_ref().map(|time| time.0),
        })
    };
    let word = status
        .allocated_resource_statuses
        .as_ref()
        .and_then(|statuses| statuses.get(STORAGE));
    // Before 1.32 the status does not exist, and the condition alone says that the node's step is to come.
    let pending = is_true("FileSystemResizePending").map(|_| Resize::NodePending);
    let resize = word.map(|word| resize(word)).or(pending);
    Claim {
        uid: object.uid().unwrap_or_default(),
        ordinal: split_claim(&object.name_any(), DATA_TEMPLATE).map_or(0, |(_, ordinal)| ordinal),
        name: object.name_any(),
        bound: status.phase.as_deref() == Some("Bound") && volume.is_some(),
        deleting: object.metadata.deletion_timestamp.is_some(),
        class,
        request: size(requests).unwrap_or(Bytes::ZERO),
        capacity: size(status.capacity.as_ref()).unwrap_or(Bytes::ZERO),
        allocated: size(status.allocated_resources.as_ref()),
        resize,
        controller_error: complaint("ControllerResizeError"),
        node_error: complaint("NodeResizeError"),
        resizer_seen: is_true("Resizing").is_some() || resize.is_some(),
        volume: volume.and_then(|volume| size(volume.spec.as_ref()?.capacity.as_ref())),
        pods: pods.into_iter().filter(|pod| mounts(pod)).map(pod).collect(),
        events,
    }
}

/// Values of `allocatedResourceStatuses`: kubernetes/kubernetes:staging/src/k8s.io/api/core/v1/types.go.
fn resize(word: &str) -> Resize {
    match word {
        "ControllerResizeInProgress" => Resize::ControllerInProgress,
        "ControllerResizeInfeasible" => Resize::ControllerInfeasible,
        "NodeResizePending" => Resize::NodePending,
        "NodeResizeInProgress" => Resize::NodeInProgress,
        "NodeResizeInfeasible" => Resize::NodeInfeasible,
        _ => Resize::Other,
    }
}

/// The check that csi-resizer makes before it resizes.
fn is_bound_to(volume: &PersistentVolume, claim: &PersistentVolumeClaim) -> bool {
    let reference = volume.spec.as_ref().and_then(|spec| spec.claim_ref.as_ref());
    reference.is_some_and(|reference| reference.uid == claim.metadata.uid)
}

/// A pod without a node mounts nothing yet; a finished one nothing any more.
fn mounts(pod: &k8s::Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    let assigned = pod.spec.as_ref().is_some_and(|spec| spec.node_name.is_some());
    assigned && !matches!(phase, Some("Succeeded" | "Failed"))
}

/// Whether a pod uses a claim, by name or as a generic ephemeral volume.
pub(crate) fn uses(pod: &k8s::Pod, claim: &str) -> bool {
    let volumes = pod.spec.as_ref().and_then(|spec| spec.volumes.as_ref());
    volumes
        .into_iter()
        .flatten()
        .any(|volume| match &volume.persistent_volume_claim {
            Some(source) => source.claim_name == claim,
            None => volume.ephemeral.is_some() && format!("{}-{}", pod.name_any(), volume.name) == claim,
        })
}

fn pod(pod: &k8s::Pod) -> Pod {
    Pod {
        name: pod.name_any(),
        nudged: pod.annotations().get(api::names::ANNOTATION_NUDGE).cloned(),
    }
}

pub(crate) fn is_ready(pod: &k8s::Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    conditions.is_some_and(|conditions| {
        conditions
            .iter()
            .any(|c| c.type_ == "Ready" && c.status == "True")
    })
}

pub(crate) fn size(list: Option<&BTreeMap<String, Quantity>>) -> Option<Bytes> {
    Bytes::parse_quantity(&list?.get(STORAGE)?.0).ok()
}

/// Events of a claim since `since`, newest first. Their times have whole seconds.
pub(crate) fn events(mut events: Vec<k8s::Event>, since: Timestamp) -> Vec<Event> {
    let time = |event: &k8s::Event| {
        let series = event
            .series
            .as_ref()
            .and_then(|series| series.last_observed_time.as_ref().map(|t| t.0));
        let last = event.last_timestamp.as_ref().map(|time| time.0);
        series
            .or(last)
            .or_else(|| event.event_time.as_ref().map(|time| time.0))
    };
    events.retain(|event| time(event).is_some_and(|at| at.as_second() >= since.as_second()));
    events.sort_by_key(|event| std::cmp::Reverse(time(event)));
    let plain = |event: k8s::Event| Event {
        reason: event.reason.unwrap_or_default(),
        message: event.message.unwrap_or_default(),
    };
    events.into_iter().map(plain).collect()
}
