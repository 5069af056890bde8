//! What keeps pods from running, in words a user can act upon. Pure.

use api::{conditions::find, petset::v1::condition as petset};
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use kube::ResourceExt;
use provisioner_core::postgres::Finding;
use units::Reason;

use crate::observe::View;

/// What keeps a pod from running, if that is known.
pub(crate) fn of_pod(pod: &Pod, has_script: bool) -> Option<Finding> {
    let status = pod.status.as_ref()?;
    let unscheduled = status
        .conditions
        .iter()
        .flatten()
        .find(|condition| condition.type_ == "PodScheduled" && condition.status == "False");
    if let Some(condition) = unscheduled {
        let message = condition.message.clone().unwrap_or_default();
        return Some(finding(
            Reason::Unschedulable,
            &format!("no node takes it: {message}"),
        ));
    }
    let containers = status
        .init_container_statuses
        .iter()
        .chain(&status.container_statuses);
    containers
        .flatten()
        .find_map(|container| of_container(container, has_script))
}

fn of_container(container: &ContainerStatus, has_script: bool) -> Option<Finding> {
    let name = &container.name;
    let waiting = container.state.as_ref()?.waiting.as_ref()?;
    let message = waiting.message.as_deref().unwrap_or_default();
    match waiting.reason.as_deref().unwrap_or_default() {
        "ErrImagePull"
        | "ImagePullBackOff"
        | "InvalidImageName"
        | "ErrImageNeverPull"
        | "RegistryUnavailable" => {
            let text = format!(
                "image {} of container {name} cannot be pulled: {message}",
                container.image
            );
            Some(finding(Reason::ImagePullFailed, &text))
        }
        reason @ ("CreateContainerConfigError" | "CreateContainerError" | "RunContainerError") => {
            let text = format!("container {name} cannot start, {reason}: {message}");
            Some(finding(Reason::ContainerConfigFailed, &text))
        }
        "CrashLoopBackOff" => {
            let last = container
                .last_state
                .as_ref()
                .and_then(|state| state.terminated.as_ref());
            let code = last.map_or(0, |last| last.exit_code);
            let why = last.and_then(|last| last.reason.clone()).unwrap_or_default();
            let script = if has_script {
                "; spec.init.script may have failed"
            } else {
                ""
            };
            let text = format!("container {name} ends again and again (code {code}, {why}){script}");
            Some(finding(Reason::ContainerFailing, &text))
        }
        _ => None,
    }
}

/// What the PetSet controller says about pods and claims that it cannot make, or that do not get ready.
pub(crate) fn of_set(view: &View) -> Option<Finding> {
    let conditions = view.set()?.status?.conditions;
    let failing = |kind| find(&conditions, kind).filter(|condition| condition.status == "False");
    let condition = failing(petset::REPLICAS_CREATED).or_else(|| failing(petset::REPLICAS_READY))?;
    let message = condition.message.clone().unwrap_or_default();
    let word = condition.reason.as_deref().unwrap_or_default();
    let reason = if message.contains("exceeded quota") {
        Reason::QuotaExceeded
    } else {
        Reason::of_word(word).unwrap_or(Reason::PodsNotMade)
    };
    Some(finding(reason, &message))
}

pub(crate) fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    let ready = conditions
        .into_iter()
        .flatten()
        .any(|condition| condition.type_ == "Ready" && condition.status == "True");
    ready && pod.metadata.deletion_timestamp.is_none()
}

/// Whether container `postgres` runs, whatever PostgreSQL does in it.
pub(crate) fn runs(pod: &Pod) -> bool {
    let containers = pod
        .status
        .as_ref()
        .and_then(|status| status.container_statuses.as_ref());
    containers.into_iter().flatten().any(|container| {
        let running = container.state.as_ref().and_then(|state| state.running.as_ref());
        container.name == api::names::CONTAINER_POSTGRES && running.is_some()
    })
}

pub(crate) fn says_primary(pod: &Pod) -> bool {
    let role = pod.labels().get(api::names::LABEL_ROLE);
    role.is_some_and(|role| role == api::names::ROLE_PRIMARY)
}

fn finding(reason: Reason, text: &str) -> Finding {
    let remedy = reason.remedy();
    let message = if remedy.is_empty() {
        text.to_owned()
    } else {
        format!("{text}; {remedy}")
    };
    Finding::new(reason, message)
}
