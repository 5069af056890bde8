//! How far kubelet is with new resources of a running pod.

use api::names::CONTAINER_POSTGRES;
use executor_core::observed::PodResize;
use k8s_openapi::api::core::v1::{ContainerStatus, PodCondition, PodSpec};
use serde_json::json;

use crate::observe::request::operation::resources;

/// Conditions first; without one, what kubelet reports of the container must be what the pod asks for: between the patch and
/// kubelet's first look there is no condition.
pub(super) fn of(
    conditions: &[PodCondition],
    container: Option<&ContainerStatus>,
    spec: &PodSpec,
) -> Option<PodResize> {
    let find = |kind: &str| {
        conditions
            .iter()
            .find(|condition| condition.type_ == kind && condition.status == "True")
    };
    let words = |condition: &PodCondition| {
        let reason = condition.reason.clone().unwrap_or_default();
        let message = condition.message.clone().unwrap_or_default();
        format!("{reason} {message}").trim().to_owned()
    };
    if let Some(pending) = find("PodResizePending") {
        return Some(match pending.reason.as_deref() {
            Some("Infeasible") => PodResize::Infeasible(words(pending)),
            _ => PodResize::Pending(words(pending)),
        });
    }
    if let Some(doing) = find("PodResizeInProgress") {
        return Some(PodResize::InProgress(words(doing)));
    }
    let has = resources(&json!(container?.resources.as_ref()?));
    let container = spec
        .containers
        .iter()
        .find(|container| container.name == CONTAINER_POSTGRES)?;
    let asked = resources(&json!(container.resources));
    (!has.hold(&asked)).then(|| PodResize::InProgress("kubelet has not looked yet".to_owned()))
}

#[cfg(test)]
mod tests {
    use executor_core::observed::PodResize;
    use k8s_openapi::api::core::v1::Pod;
    use serde_json::{Value, json};

    fn of(conditions: Value, has: Value) -> Option<PodResize> {
        let pod: Pod = serde_json::from_value(json!({
            "spec": {"containers": [{"name": "postgres", "resources": {"requests": {"cpu": "500m"}}}]},
            "status": {
                "conditions": conditions,
                "containerStatuses": [{"name": "postgres", "image": "", "imageID": "", "ready": true, "restartCount": 0,
                    "resources": has}]
            }
        }))
        .unwrap();
        let (spec, status) = (pod.spec.unwrap_or_default(), pod.status.unwrap_or_default());
        let containers = status.container_statuses.unwrap_or_default();
        super::of(&status.conditions.unwrap_or_default(), containers.first(), &spec)
    }

    #[test]
    fn conditions_speak_first_then_what_the_container_has() {
        let pending = |reason: &str| json!([{"type": "PodResizePending", "status": "True", "reason": reason, "message": "no room"}]);
        let asked = || json!({"requests": {"cpu": "0.5"}});
        assert_eq!(
            of(pending("Infeasible"), asked()),
            Some(PodResize::Infeasible("Infeasible no room".into()))
        );
        assert_eq!(
            of(pending("Deferred"), asked()),
            Some(PodResize::Pending("Deferred no room".into()))
        );
        let doing = json!([{"type": "PodResizeInProgress", "status": "True"}]);
        assert_eq!(of(doing, asked()), Some(PodResize::InProgress(String::new())));
        assert!(matches!(
            of(json!([]), json!({"requests": {"cpu": "250m"}})),
            Some(PodResize::InProgress(_))
        ));
        assert_eq!(of(json!([]), asked()), None);
        assert_eq!(
            of(json!([]), Value::Null),
            None,
            "an API server that reports none"
        );
    }
}
