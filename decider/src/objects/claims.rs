//! Claims and volumes as the decider needs them.

use api::names::MANAGER_EXECUTOR;
use arcstr::ArcStr;
use control::watch::{Key, Words};
use jiff::Timestamp;
use k8s_openapi::{
    api::core::v1::{PersistentVolume, PersistentVolumeClaim},
    apimachinery::pkg::{api::resource::Quantity, apis::meta::v1::ObjectMeta},
};
use kube::ResourceExt;
use units::Bytes;

use crate::Uid;

/// Annotations by which other controllers resize claims, each a prefix of the key.
const OTHER_CONTROLLERS: [&str; 2] = [
    // topolvm/pvc-autoresizer
    "resize.topolvm.io/",
    // gardener/pvc-autoscaler
    "pvc.autoscaling.gardener.cloud/",
];

/// A PersistentVolumeClaim. There may be 150,000, so that its texts have no room to spare.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claim {
    /// Its uid.
    pub uid: Uid,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// The PersistentVolume it is bound to; empty while it is not.
    pub volume: ArcStr,
    /// It is bound.
    pub bound: bool,
    /// It is being deleted.
    pub deleting: bool,
    /// Its storage class.
    pub class: ArcStr,
    /// What it asks for.
    pub request: Bytes,
    /// What it has; zero while unbound.
    pub capacity: Bytes,
    /// What it was last promised; what quotas count if larger than the request.
    pub allocated: Bytes,
    /// How far a resize is; empty if none is under way.
    pub resize: ArcStr,
    /// An annotation of another controller.
    pub other_controller: Option<ArcStr>,
    /// When somebody other than the executor last asked for another size.
    pub edited: Option<Timestamp>,
}

/// A PersistentVolume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// Its claim.
    pub claim: Key,
    /// Uid of its claim; empty if it does not say.
    pub claim_uid: Uid,
    /// The device's size.
    pub capacity: Bytes,
}

impl Claim {
    /// `None` for an object without uid, which no API server returns.
    #[must_use]
    pub fn of(object: PersistentVolumeClaim, words: &Words) -> Option<Self> {
        let other_controller = other_controller(&object);
        let edited = edited(&object.metadata);
        let spec = object.spec.unwrap_or_default();
        let status = object.status.unwrap_or_default();
        let requests = spec.resources.and_then(|r| r.requests);
        let resize = status
            .allocated_resource_statuses
            .and_then(|s| s.get("storage").cloned());
        Some(Self {
            uid: object.metadata.uid.as_deref()?.into(),
            created: object.metadata.creation_timestamp.as_ref().map(|t| t.0),
            volume: words.share(spec.volume_name.as_deref().unwrap_or_default()),
            bound: status.phase.as_deref() == Some("Bound"),
            deleting: object.metadata.deletion_timestamp.is_some(),
            class: words.share(spec.storage_class_name.as_deref().unwrap_or_default()),
            request: storage(requests.as_ref()),
            capacity: storage(status.capacity.as_ref()),
            allocated: storage(status.allocated_resources.as_ref()),
            resize: words.share(resize.as_deref().unwrap_or_default()),
            other_controller: other_controller.map(Into::into),
            edited,
        })
    }
}

impl Volume {
    /// `None` for a volume that belongs to no claim.
    #[must_use]
    pub fn of(object: PersistentVolume, words: &Words) -> Option<Self> {
        let spec = object.spec?;
        let claim = spec.claim_ref?;
        Some(Self {
            claim: Key {
                namespace: words.share(&claim.namespace?),
                name: words.share(&claim.name?),
            },
            claim_uid: claim.uid.unwrap_or_default().into(),
            capacity: storage(spec.capacity.as_ref()),
        })
    }
}

/// The storage of a resource list; zero if it is not there.
pub(super) fn storage(list: Option<&std::collections::BTreeMap<String, Quantity>>) -> Bytes {
    let text = list.and_then(|list| list.get("storage"));
    text.and_then(|q| Bytes::parse_quantity(&q.0).ok())
        .unwrap_or(Bytes::ZERO)
}

/// When somebody last changed the size that a claim asks for, by the owners of its fields. Whoever made the claim owns its access
/// modes as well, and is left out: the time of such an owner moves with whatever else it changes. So a maker that asks for another
/// size itself is not seen, and of several edits only the last one is.
fn edited(meta: &ObjectMeta) -> Option<Timestamp> {
    let owners = meta.managed_fields.iter().flatten();
    let edits = owners.filter(|owner| {
        let owns = |field: &str| {
            let fields = owner.fields_v1.as_ref();
            fields.is_some_and(|fields| fields.0.pointer(field).is_some())
        };
        owner.manager.as_deref() != Some(MANAGER_EXECUTOR)
            && owns("/f:spec/f:resources/f:requests/f:storage")
            && !owns("/f:spec/f:accessModes")
    });
    edits.filter_map(|owner| Some(owner.time.as_ref()?.0)).max()
}

/// The first annotation by which somebody else resizes this claim, with its value. A limit of zero or an
/// explicit "false" switches the other one off.
fn other_controller(object: &PersistentVolumeClaim) -> Option<String> {
    let resizes = |(key, value): &(&String, &String)| {
        OTHER_CONTROLLERS.iter().any(|prefix| key.starts_with(prefix))
            && !matches!(value.as_str(), "false" | "0" | "")
    };
    let (key, value) = object.annotations().iter().find(resizes)?;
    Some(format!("annotation {key}: {value:?}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use units::Bytes;

    use super::{Claim, Words};

    fn claim(annotations: serde_json::Value) -> Claim {
        let object = serde_json::from_value(json!({
            "metadata": {"name": "data-pg-0", "namespace": "demo", "uid": "u", "annotations": annotations},
            "spec": {"volumeName": "pv", "storageClassName": "fast", "resources": {"requests": {"storage": "2Gi"}}},
            "status": {"phase": "Bound", "capacity": {"storage": "1Gi"}, "allocatedResources": {"storage": "2Gi"},
                       "allocatedResourceStatuses": {"storage": "ControllerResizeInProgress"}}
        }));
        Claim::of(object.unwrap(), &Words::default()).unwrap()
    }

    #[test]
    fn a_claim_being_resized_reads() {
        let claim = claim(json!({}));
        assert_eq!((claim.request, claim.capacity), (Bytes::new(2 << 30), Bytes::GIB));
        assert_eq!(&*claim.resize, "ControllerResizeInProgress");
        assert_eq!(claim.other_controller, None);
    }

    #[test]
    fn who_asked_for_another_size_is_told_from_the_owners_of_the_fields() {
        let edited = |owners: serde_json::Value| {
            let object = serde_json::from_value(json!({
                "metadata": {"name": "data-pg-0", "namespace": "demo", "uid": "u", "managedFields": owners}
            }));
            Claim::of(object.unwrap(), &Words::default()).unwrap().edited
        };
        let owner = |manager: &str, second: u8, spec: serde_json::Value| {
            json!({"manager": manager, "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1",
                "time": format!("2026-11-21T12:00:0{second}Z"), "fieldsV1": {"f:spec": spec}})
        };
        let size = || json!({"f:resources": {"f:requests": {"f:storage": {}}}});
        let maker = || {
            let mut spec = size();
            spec["f:accessModes"] = json!({});
            owner("kube-controller-manager", 5, spec)
        };
        let at = |second| format!("2026-11-21T12:00:0{second}Z").parse().ok();
        assert_eq!(edited(json!([])), None);
        assert_eq!(edited(json!([maker()])), None, "it bound the claim later on");
        assert_eq!(
            edited(json!([maker(), owner("highwater-executor", 7, size())])),
            None
        );
        assert_eq!(
            edited(json!([owner("kubectl", 6, json!({"f:volumeName": {}}))])),
            None
        );
        assert_eq!(edited(json!([maker(), owner("kubectl-edit", 7, size())])), at(7));
    }

    #[test]
    fn another_controllers_annotation_is_seen_unless_it_is_off() {
        for (annotations, seen) in [
            (json!({"resize.topolvm.io/storage_limit": "100Gi"}), true),
            (json!({"resize.topolvm.io/enabled": "true"}), true),
            (json!({"resize.topolvm.io/enabled": "false"}), false),
            (json!({"resize.topolvm.io/storage_limit": "0"}), false),
            (json!({"example.com/resize.topolvm.io": "true"}), false),
        ] {
            assert_eq!(
                claim(annotations.clone()).other_controller.is_some(),
                seen,
                "{annotations}"
            );
        }
    }
}
