//! Pods, as the core sees them. Pure.

use api::petset::v1::PetSet;
use k8s_openapi::{
    api::core::v1::{ContainerStatus, Pod, PodCondition},
    apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference},
};
use kube::{
    Resource, ResourceExt,
    core::{Selector, SelectorExt},
};
use provisioner_core::petset::{self as core, Bond, Phase, Trouble};
use units::Reason;

/// Label: the revision of a pod.
pub(crate) const LABEL_REVISION: &str = "controller-revision-hash";
/// Label: the name of a pod.
pub(crate) const LABEL_POD_NAME: &str = "statefulset.kubernetes.io/pod-name";
/// Label: the ordinal of a pod.
pub(crate) const LABEL_POD_INDEX: &str = "apps.kubernetes.io/pod-index";

/// The set and the ordinal that a name says; as Kubernetes reads them, so `web-00` is ordinal 0, too.
pub(crate) fn ordinal(name: &str) -> Option<(&str, i32)> {
    let (set, ordinal) = name.rsplit_once('-')?;
    let digits = !ordinal.is_empty() && ordinal.bytes().all(|byte| byte.is_ascii_digit());
    if set.is_empty() || !digits {
        return None;
    }
    Some((set, ordinal.parse().ok()?))
}

/// The PetSet that controls an object.
pub(crate) fn controlling_set(meta: &ObjectMeta) -> Option<&OwnerReference> {
    let owners = meta.owner_references.as_deref().unwrap_or_default();
    let controller = owners.iter().find(|owner| owner.controller == Some(true))?;
    (controller.kind == PetSet::kind(&()) && controller.api_version == PetSet::api_version(&()))
        .then_some(controller)
}

/// Whether somebody else controls it.
fn is_controlled(meta: &ObjectMeta) -> bool {
    let owners = meta.owner_references.as_deref().unwrap_or_default();
    owners.iter().any(|owner| owner.controller == Some(true))
}

/// Names of the claims that a pod uses.
pub(crate) fn claims(pod: &Pod) -> Vec<String> {
    let volumes = pod
        .spec
        .as_ref()
        .and_then(|spec| spec.volumes.as_deref())
        .unwrap_or_default();
    let claims = volumes
        .iter()
        .filter_map(|volume| volume.persistent_volume_claim.as_ref());
    claims.map(|source| source.claim_name.clone()).collect()
}

/// Whether a pod is ready.
pub(crate) fn is_ready(pod: &Pod) -> bool {
    condition(pod, "Ready").is_some_and(|ready| ready.status == "True")
}

fn condition<'a>(pod: &'a Pod, type_: &str) -> Option<&'a PodCondition> {
    let conditions = pod.status.as_ref()?.conditions.as_deref()?;
    conditions.iter().find(|condition| condition.type_ == type_)
}

/// As the core sees it; none for a pod that is no concern of the set.
pub(crate) fn as_core(set: &PetSet, selector: &Selector, pod: &Pod) -> Option<core::Pod> {
    let name = pod.name_any();
    let matches = selector.matches(pod.labels());
    let ordinal = ordinal(&name)
        .filter(|(of, _)| *of == set.name_any())
        .map(|(_, ordinal)| ordinal);
    let is_ours =
        controlling_set(&pod.metadata).is_some_and(|owner| Some(&owner.uid) == set.metadata.uid.as_ref());
    let bond = match (is_ours, matches && ordinal.is_some()) {
        (true, true) => Bond::Ours,
        (true, false) => Bond::Stray,
        (false, true) if !is_controlled(&pod.metadata) => Bond::Orphan,
        (false, _) => return None,
    };
    let label = |key: &str| pod.labels().get(key).cloned().unwrap_or_default();
    Some(core::Pod {
        uid: pod.uid().unwrap_or_default(),
        ordinal: ordinal.unwrap_or(-1),
        bond,
        phase: phase(pod),
        is_ready: is_ready(pod),
        ready_since: condition(pod, "Ready")
            .and_then(|ready| ready.last_transition_time.as_ref())
            .map(|time| time.0),
        is_terminating: pod.metadata.deletion_timestamp.is_some(),
        revision: label(LABEL_REVISION),
        has_identity: label(LABEL_POD_NAME) == name,
        claims: claims(pod),
        trouble: trouble(pod),
        name,
    })
}

fn phase(pod: &Pod) -> Phase {
    match pod.status.as_ref().and_then(|status| status.phase.as_deref()) {
        Some("Running") => Phase::Running,
        Some("Succeeded") => Phase::Succeeded,
        Some("Failed") => Phase::Failed,
        Some("Unknown") => Phase::Unknown,
        _ => Phase::Pending,
    }
}

/// Why a pod is not ready: it has no node, or a container has no image, cannot be set up, or ends again and again. In
/// words that stay the same while it lasts: kubelet's own change with every attempt.
fn trouble(pod: &Pod) -> Option<Trouble> {
    let name = pod.name_any();
    let scheduled = condition(pod, "PodScheduled");
    if let Some(no) =
        scheduled.filter(|no| no.status == "False" && no.reason.as_deref() == Some("Unschedulable"))
    {
        let message = format!(
            "pod {name} has no node: {}",
            no.message.as_deref().unwrap_or_default()
        );
        return Some(Trouble {
            reason: Reason::Unschedulable,
            message,
        });
    }
    let status = pod.status.as_ref()?;
    let first = status.init_container_statuses.iter().flatten();
    let containers = first.chain(status.container_statuses.iter().flatten());
    let (reason, container, what) = containers.filter_map(of_container).next()?;
    Some(Trouble {
        reason,
        message: format!("pod {name}: container {container} {what}"),
    })
}

fn of_container(container: &ContainerStatus) -> Option<(Reason, &str, String)> {
    let waiting = container.state.as_ref().and_then(|state| state.waiting.as_ref());
    let word = waiting
        .and_then(|waiting| waiting.reason.as_deref())
        .unwrap_or_default();
    let name = container.name.as_str();
    match word {
        "ErrImagePull"
        | "ImagePullBackOff"
        | "ErrImageNeverPull"
        | "InvalidImageName"
        | "ImageInspectError"
        | "RegistryUnavailable" => Some((
            Reason::ImagePullFailed,
            name,
            format!("cannot have its image {}", container.image),
        )),
        "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError" => {
            let why = waiting
                .and_then(|waiting| waiting.message.as_deref())
                .unwrap_or(word);
            Some((
                Reason::ContainerConfigFailed,
                name,
                format!("cannot be set up: {why}"),
            ))
        }
        _ => {
            let last = container
                .last_state
                .as_ref()
                .and_then(|state| state.terminated.as_ref());
            let code = last
                .map(|last| last.exit_code)
                .filter(|code| *code != 0 && container.restart_count > 0)?;
            (!container.ready).then(|| {
                (
                    Reason::ContainerFailing,
                    name,
                    format!("ends again and again, with code {code}"),
                )
            })
        }
    }
}
