//! A PostgresAutoscaler as the decider needs it.

use std::sync::Arc;

use api::{
    autoscaling::v1alpha1::{ExpansionMode, OpsRequestOptions, PostgresAutoscaler, StorageAutoscalerSpec},
    names::{
        ANNOTATION_APPLY, ANNOTATION_INODE_THRESHOLD, ANNOTATION_MODE, ANNOTATION_MODIFICATIONS,
        ANNOTATION_TIME_TO_FULL,
    },
};
use arcstr::ArcStr;
use control::watch::{Shared, Words};
use decider_core::{PolicySpec, RuleSpec};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::ResourceExt;
use serde::{Deserialize, Serialize};

use super::Stored;
use crate::Uid;

/// A PostgresAutoscaler.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Autoscaler {
    /// Its uid.
    pub uid: Uid,
    /// What writes are based on.
    pub resource_version: Box<str>,
    /// Generation of its spec.
    pub generation: Option<i64>,
    /// It is being deleted.
    pub deleting: bool,
    /// The Postgres, in its namespace.
    pub database: ArcStr,
    /// The policy, as written: few differ.
    pub policy: Arc<PolicySpec>,
    /// How volumes are to be expanded.
    pub mode: Option<ExpansionMode>,
    /// What its requests carry, if it says so.
    pub options: Option<Box<OpsRequestOptions>>,
    /// The uid of its owner, the Postgres of that name.
    pub owner: Option<Uid>,
    /// Its other owners.
    pub other_owners: Box<[OwnerReference]>,
    /// When it was made: what its claims had before, nobody remembers.
    pub created: Option<Timestamp>,
    /// What it asked for in the past, from our annotation.
    pub modifications: Box<[Modification]>,
    /// The annotation is there and cannot be read: its past is not known.
    pub forgetful: bool,
    /// Its status as stored.
    pub status: Stored,
}

/// A growth that was asked for. Kept on the autoscaler because requests are pruned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Modification {
    /// Name of the request.
    pub request: String,
    /// When, RFC 3339.
    pub at: String,
    /// Size before, a quantity.
    pub from: String,
    /// Size asked for, a quantity.
    pub to: String,
}

impl Autoscaler {
    /// `None` for an object without uid, which no API server returns.
    #[must_use]
    pub fn of(
        object: PostgresAutoscaler,
        policies: &mut Shared<Arc<PolicySpec>>,
        words: &Words,
    ) -> Option<Self> {
        let annotation = |key: &str| object.annotations().get(key).cloned();
        let storage = object.spec.data_storage();
        // Ours alone writes it; a text that does not read is a history that is not known.
        let past = annotation(ANNOTATION_MODIFICATIONS).map(|text| serde_json::from_str(&text).ok());
        let forgetful = past == Some(None);
        let database = object.spec.database_ref.name.as_str();
        let owners = object.owner_references().iter();
        let (ours, others): (Vec<&OwnerReference>, Vec<&OwnerReference>) =
            owners.partition(|o| o.kind == "Postgres" && o.name == database);
        Some(Self {
            uid: object.metadata.uid.as_deref()?.into(),
            resource_version: object.resource_version()?.into(),
            generation: object.metadata.generation,
            deleting: object.metadata.deletion_timestamp.is_some(),
            database: words.share(database),
            policy: policies.share(Arc::new(PolicySpec {
                mode: annotation(ANNOTATION_MODE),
                inode_threshold: annotation(ANNOTATION_INODE_THRESHOLD),
                time_to_full: annotation(ANNOTATION_TIME_TO_FULL),
                apply: annotation(ANNOTATION_APPLY),
                ..storage.map(policy).unwrap_or_default()
            })),
            mode: storage.and_then(|s| s.expansion_mode.clone()),
            options: object.spec.ops_request_options.clone().map(Box::new),
            owner: ours.first().map(|owner| owner.uid.as_str().into()),
            other_owners: others.into_iter().cloned().collect(),
            created: object.metadata.creation_timestamp.as_ref().map(|t| t.0),
            modifications: past.flatten().map(Vec::into).unwrap_or_default(),
            forgetful,
            status: object.status.as_ref().map(Stored::of).unwrap_or_default(),
        })
    }
}

fn policy(storage: &StorageAutoscalerSpec) -> PolicySpec {
    let StorageAutoscalerSpec {
        trigger,
        usage_threshold,
        scaling_threshold,
        scaling_rules,
        upper_bound,
        expansion_mode,
    } = storage;
    let rule = |r: &api::autoscaling::v1alpha1::ScalingRuleSpec| RuleSpec {
        applies_upto: r.applies_upto.clone(),
        threshold: r.threshold.clone(),
    };
    PolicySpec {
        trigger: trigger.clone(),
        usage_threshold: *usage_threshold,
        scaling_threshold: *scaling_threshold,
        rules: scaling_rules.iter().map(rule).collect(),
        upper_bound: upper_bound.as_ref().map(ToString::to_string),
        offline: *expansion_mode == Some(ExpansionMode::Offline),
        ..PolicySpec::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn owned(owners: &Value) -> Autoscaler {
        let object = json!({
            "metadata": {"name": "as", "namespace": "demo", "uid": "u", "resourceVersion": "1", "ownerReferences": owners},
            "spec": {"databaseRef": {"name": "pg"}},
        });
        let object = serde_json::from_value(object).unwrap();
        Autoscaler::of(object, &mut Shared::default(), &Words::default()).unwrap()
    }

    #[test]
    fn the_postgres_of_its_name_is_its_owner_and_others_are_kept_as_they_are() {
        let owner = |kind: &str, name: &str, uid: &str| json!({"apiVersion": "v1", "kind": kind, "name": name, "uid": uid, "controller": true});
        let (ours, other) = (owner("Postgres", "pg", "1"), owner("Postgres", "other", "2"));
        let app = owner("Application", "pg", "3");
        for (owners, uid, others) in [
            (json!([]), None, vec![]),
            (json!([ours]), Some("1"), vec![]),
            (json!([app, ours, other]), Some("1"), vec!["3", "2"]),
            (json!([app]), None, vec!["3"]),
        ] {
            let autoscaler = owned(&owners);
            assert_eq!(autoscaler.owner, uid.map(Uid::from), "{owners}");
            let kept: Vec<_> = autoscaler.other_owners.iter().map(|o| o.uid.as_str()).collect();
            assert_eq!(kept, others, "{owners}");
        }
    }
}
