//! The objects around claims, as the decider needs them.

use api::kubedb::v1::condition::WAL_RETAINED;
use arcstr::ArcStr;
use control::watch::Words;
use jiff::Timestamp;
use k8s_openapi::api::{
    core::v1::{LimitRange, Pod, ResourceQuota},
    storage::v1::StorageClass,
};
use kube::ResourceExt;
use units::Bytes;

use crate::Uid;

/// A Postgres.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Postgres {
    /// Its identity for the join with claims.
    pub database: api::join::Database,
    /// It is being deleted.
    pub deleting: bool,
    /// `spec.storage.resources.requests.storage`.
    pub size: Option<Bytes>,
    /// What its condition WALRetained says while it holds.
    pub wal_retained: Option<String>,
}

/// A pod that uses claims. There are as many as volumes, so its words have no room to spare.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PodClaims {
    /// Its uid.
    pub uid: Uid,
    /// The node it is bound to; empty while it is not.
    pub node: ArcStr,
    /// Its containers have ended for good. Its volumes may still be mounted for a while.
    pub ended: bool,
    /// Names of the claims, in its namespace.
    pub claims: Box<[ArcStr]>,
}

/// A StorageClass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Class {
    /// Claims of it can be made larger.
    pub expandable: bool,
    /// Its driver.
    pub provisioner: String,
}

/// The Lease of a driver's resizer, which nobody renews any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Abandoned {
    /// Namespace and name.
    pub lease: String,
    /// When it was renewed last, by the clock of the one who did.
    pub renewed: Option<Timestamp>,
    /// When it had stood still for long enough, by the API server's clock.
    pub given_up: Timestamp,
}

/// What a ResourceQuota leaves for storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quota {
    /// For each resource on storage: the storage class it is for (all if `None`), and what is left.
    pub left: Vec<(Option<String>, Bytes)>,
}

/// What a LimitRange allows for one claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// The largest claim.
    pub max: Bytes,
}

/// The resource that counts all storage of a namespace.
const REQUESTS: &str = "requests.storage";
/// The end of the resource that counts the storage of one class.
const OF_CLASS: &str = ".storageclass.storage.k8s.io/requests.storage";

impl Postgres {
    /// `None` for an object without namespace or uid, which no API server returns.
    #[must_use]
    pub fn of(object: api::kubedb::v1::Postgres, words: &Words) -> Option<Self> {
        Some(Self {
            database: api::join::Database::of(&object, |word| words.share(word))?,
            deleting: object.metadata.deletion_timestamp.is_some(),
            wal_retained: wal_retained(&object),
            size: object.spec.storage.and_then(|s| s.storage()).and_then(Result::ok),
        })
    }
}

fn wal_retained(object: &api::kubedb::v1::Postgres) -> Option<String> {
    let conditions = &object.status.as_ref()?.conditions;
    let retained = api::conditions::find(conditions, WAL_RETAINED)?;
    retained
        .is_true()
        .then(|| retained.message.clone().unwrap_or_default())
}

impl PodClaims {
    /// `None` for a pod that uses no claim, and for an object without uid, which no API server returns.
    #[must_use]
    pub fn of(pod: &Pod, words: &Words) -> Option<Self> {
        let ended = matches!(
            pod.status.as_ref().and_then(|s| s.phase.as_deref()),
            Some("Succeeded" | "Failed")
        );
        let spec = pod.spec.as_ref()?;
        let name = pod.name_any();
        let volumes = spec.volumes.iter().flatten();
        let claims: Box<[ArcStr]> = volumes
            .filter_map(
                |volume| match (&volume.persistent_volume_claim, &volume.ephemeral) {
                    (Some(source), _) => Some(words.share(&source.claim_name)),
                    (None, Some(_)) => Some(words.share(&format!("{name}-{}", volume.name))),
                    (None, None) => None,
                },
            )
            .collect();
        (!claims.is_empty()).then_some(Self {
            uid: pod.metadata.uid.as_deref()?.into(),
            node: words.share(spec.node_name.as_deref().unwrap_or_default()),
            ended,
            claims,
        })
    }
}

impl Class {
    /// A StorageClass.
    #[must_use]
    pub fn of(class: StorageClass) -> Self {
        Self {
            expandable: class.allow_volume_expansion == Some(true),
            provisioner: class.provisioner,
        }
    }
}

impl Quota {
    /// `None` for a quota that does not bind storage. What is used is taken from the status, which admission
    /// keeps; a quota whose status nobody wrote yet binds nothing, as admission has it.
    #[must_use]
    pub fn of(quota: &ResourceQuota) -> Option<Self> {
        let status = quota.status.as_ref()?;
        let (hard, used) = (status.hard.as_ref()?, status.used.as_ref());
        let bytes =
            |q: &k8s_openapi::apimachinery::pkg::api::resource::Quantity| Bytes::parse_quantity(&q.0).ok();
        let left: Vec<_> = hard
            .iter()
            .filter_map(|(resource, limit)| {
                let class = match resource.as_str() {
                    REQUESTS => None,
                    other => Some(other.strip_suffix(OF_CLASS)?.to_owned()),
                };
                let used = used
                    .and_then(|u| u.get(resource))
                    .and_then(bytes)
                    .unwrap_or(Bytes::ZERO);
                Some((class, bytes(limit)?.saturating_sub(used)))
            })
            .collect();
        (!left.is_empty()).then_some(Self { left })
    }
}

impl Limit {
    /// `None` for a range that does not bind claims.
    #[must_use]
    pub fn of(range: &LimitRange) -> Option<Self> {
        let limits = &range.spec.as_ref()?.limits;
        let of_claims = limits
            .iter()
            .filter(|limit| limit.type_ == "PersistentVolumeClaim");
        let max = of_claims
            .filter_map(|l| l.max.as_ref()?.get("storage"))
            .filter_map(|q| Bytes::parse_quantity(&q.0).ok());
        Some(Self { max: max.min()? })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use units::Bytes;

    use super::{Limit, PodClaims, Quota, Words};

    #[test]
    fn a_quota_leaves_what_is_not_used() {
        let quota = serde_json::from_value(json!({"metadata": {}, "status": {
            "hard": {"requests.storage": "10Gi", "fast.storageclass.storage.k8s.io/requests.storage": "5Gi", "pods": "3"},
            "used": {"requests.storage": "4Gi", "fast.storageclass.storage.k8s.io/requests.storage": "6Gi"}
        }}))
        .unwrap();
        let left = Quota::of(&quota).unwrap().left;
        assert_eq!(
            left,
            [(Some("fast".into()), Bytes::ZERO), (None, Bytes::new(6 << 30))]
        );
    }

    #[test]
    fn a_limit_range_binds_claims_only() {
        let range = |kind: &str| {
            serde_json::from_value(json!({"metadata": {}, "spec": {"limits": [
                {"type": kind, "max": {"storage": "2Gi"}}, {"type": kind, "max": {"storage": "1Gi"}}]}}))
            .unwrap()
        };
        assert_eq!(
            Limit::of(&range("PersistentVolumeClaim")),
            Some(Limit { max: Bytes::GIB })
        );
        assert_eq!(Limit::of(&range("Container")), None);
    }

    #[test]
    fn a_pods_claims_are_those_named_and_those_made_for_it() {
        let pod = |phase: &str| {
            serde_json::from_value(
                json!({"metadata": {"name": "pg-0", "uid": "u"}, "status": {"phase": phase}, "spec": {
                "nodeName": "node-1", "containers": [], "volumes": [
                    {"name": "data", "persistentVolumeClaim": {"claimName": "data-pg-0"}},
                    {"name": "scratch", "ephemeral": {}}, {"name": "tmp", "emptyDir": {}}]}}),
            )
            .unwrap()
        };
        let running = PodClaims {
            uid: "u".into(),
            node: "node-1".into(),
            ended: false,
            claims: ["data-pg-0".into(), "pg-0-scratch".into()].into(),
        };
        let of = |phase| PodClaims::of(&pod(phase), &Words::default());
        assert_eq!(of("Running"), Some(running.clone()));
        let ended = PodClaims {
            ended: true,
            ..running
        };
        assert_eq!(of("Failed"), Some(ended), "mounted for a while yet");
    }
}
