//! `PetSet`: a StatefulSet whose claim templates can be edited.

mod hold;
mod shapes;
mod status;
mod strategy;

pub use hold::{BadHold, Hold};
pub use status::{Held, PetSetStatus, condition};
pub use strategy::{Ordinals, Retention, RetentionPolicy, RollingUpdate, UpdateStrategy, UpdateType};

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};
use units::{Bytes, QuantityError};

use crate::{claims::ClaimSpec, known::known, refs::LocalRef};

known! {
    /// Whether pods start one after the other.
    pub enum PodManagementPolicy {
        /// One after the other.
        OrderedReady,
        /// All at once.
        Parallel,
    }
}

/// What a user, or the provisioner, asks for.
#[derive(Debug, Clone, Default, PartialEq, CustomResource, KubeSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "apps.k8s.appscode.com",
    version = "v1",
    kind = "PetSet",
    plural = "petsets",
    singular = "petset",
    namespaced,
    status = "PetSetStatus",
    scale(
        spec_replicas_path = ".spec.replicas",
        status_replicas_path = ".status.replicas"
    ),
    derive = "PartialEq",
    derive = "Default",
    validation = Rule::new("self.metadata.name.size() <= 52")
        .message("metadata.name is longer than 52 characters; shorten it: its pods carry it, with a hash, in a label of 63")
        .reason(Reason::FieldValueInvalid),
    doc = "Pods with an identity and claims of their own; claim templates can be edited."
)]
#[schemars(extend("required" = ["selector", "template", "serviceName"]))]
#[x_kube(
    validation = Rule::new("has(self.selector.matchLabels) && size(self.selector.matchLabels) > 0 \
        || has(self.selector.matchExpressions) && size(self.selector.matchExpressions) > 0")
        .message("spec.selector is empty; write matchLabels that the pods of this set alone have")
        .reason(Reason::FieldValueRequired),
    validation = Rule::new("!has(self.selector.matchLabels) || self.selector.matchLabels.all(key, \
        has(self.template.metadata) && has(self.template.metadata.labels) && key in self.template.metadata.labels \
        && self.template.metadata.labels[key] == self.selector.matchLabels[key])")
        .message("spec.selector does not match spec.template.metadata.labels; give the template the labels of spec.selector.matchLabels")
        .reason(Reason::FieldValueInvalid),
    validation = Rule::new("self.selector == oldSelf.selector")
        .message("spec.selector cannot be changed; delete the set with --cascade=orphan and create it anew: it adopts its pods")
        .reason(Reason::FieldValueForbidden),
    validation = Rule::new("self.serviceName == oldSelf.serviceName")
        .message("spec.serviceName cannot be changed; delete the set with --cascade=orphan and create it anew: it adopts its pods")
        .reason(Reason::FieldValueForbidden),
    validation = Rule::new("!has(self.podManagementPolicy) || !has(oldSelf.podManagementPolicy) \
        || self.podManagementPolicy == oldSelf.podManagementPolicy")
        .message("spec.podManagementPolicy cannot be changed; delete the set with --cascade=orphan and create it anew: it adopts its pods")
        .reason(Reason::FieldValueForbidden),
    validation = Rule::new("self.serviceName == '' || self.serviceName.matches('^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$')")
        .message("spec.serviceName is not the name of a Service; write at most 63 lower-case letters, digits and dashes")
        .reason(Reason::FieldValueInvalid),
    validation = Rule::new("!has(self.template.spec) || !has(self.template.spec.restartPolicy) \
        || self.template.spec.restartPolicy == 'Always'")
        .message("spec.template.spec.restartPolicy is not Always; leave it out: the pods of a set do not end")
        .reason(Reason::FieldValueInvalid),
    validation = Rule::new("!has(self.template.spec) || !has(self.template.spec.activeDeadlineSeconds)")
        .message("spec.template.spec.activeDeadlineSeconds cannot be used in a set; leave it out: the pods of a set do not end")
        .reason(Reason::FieldValueForbidden),
    validation = Rule::new("!has(self.volumeClaimTemplates) || self.volumeClaimTemplates.all(one, has(one.metadata) && has(one.metadata.name) \
        && one.metadata.name.matches('^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$'))")
        .message("spec.volumeClaimTemplates has one without a usable metadata.name; write at most 63 lower-case letters, digits and dashes")
        .reason(Reason::FieldValueInvalid),
    validation = Rule::new("!has(self.volumeClaimTemplates) || self.volumeClaimTemplates.all(one, \
        !has(one.metadata) || !has(one.metadata.name) \
        || self.volumeClaimTemplates.exists_one(other, has(other.metadata) && has(other.metadata.name) \
        && other.metadata.name == one.metadata.name))")
        .message("spec.volumeClaimTemplates has two of the same metadata.name; a pod has one volume of each name")
        .reason(Reason::FieldValueInvalid)
)]
pub struct PetSetSpec {
    /// Number of pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = 1), range(min = 0))]
    pub replicas: Option<i32>,
    /// Which pods belong to the set.
    #[schemars(schema_with = "shapes::selector")]
    #[serde(default)]
    pub selector: LabelSelector,
    /// The pods.
    #[schemars(schema_with = "shapes::template")]
    #[serde(default)]
    pub template: serde_json::Value,
    /// Claims made for each pod.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), extend("x-kubernetes-list-type" = "atomic"))]
    pub volume_claim_templates: Vec<ClaimTemplate>,
    /// The headless Service that names the pods.
    #[schemars(length(max = 253))]
    #[serde(default)]
    pub service_name: String,
    /// Whether pods start one after the other.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "OrderedReady"))]
    pub pod_management_policy: Option<PodManagementPolicy>,
    /// How changed pods are replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = strategy::rolling_update()))]
    pub update_strategy: Option<UpdateStrategy>,
    /// How many old revisions are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = 10))]
    pub revision_history_limit: Option<i32>,
    /// How long a pod must be ready to count as available, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub min_ready_seconds: Option<i32>,
    /// What becomes of claims when the set is deleted or scaled down.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = strategy::retained()))]
    pub persistent_volume_claim_retention_policy: Option<RetentionPolicy>,
    /// Where counting begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ordinals: Option<Ordinals>,
    /// KubeDB's PlacementPolicy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod_placement_policy: Option<LocalRef>,
}

/// A claim made for each pod.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
pub struct ClaimTemplate {
    /// `v1`, where written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    /// `PersistentVolumeClaim`, where written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Name, labels and annotations of the claim.
    #[schemars(schema_with = "shapes::claim_metadata")]
    #[serde(default)]
    pub metadata: ClaimTemplateMeta,
    /// The claim.
    #[serde(default)]
    #[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
    pub spec: ClaimSpec,
}

/// The metadata that a claim takes over from its template.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClaimTemplateMeta {
    /// First part of the claims' names.
    pub name: Option<String>,
    /// Labels of the claims.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, String>>,
    /// Annotations of the claims.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
}

impl PetSetSpec {
    /// The place in the list, and the template, of the claims named `name`.
    #[must_use]
    pub fn claim_template(&self, name: &str) -> Option<(usize, &ClaimTemplate)> {
        self.volume_claim_templates
            .iter()
            .enumerate()
            .find(|(_, template)| template.metadata.name.as_deref() == Some(name))
    }

    /// The size that the template `name` asks for.
    #[must_use]
    pub fn claim_size(&self, name: &str) -> Option<Result<Bytes, QuantityError>> {
        self.claim_template(name)?.1.spec.storage()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::PetSet;

    #[test]
    fn a_kubedb_object_reads_and_its_template_is_found() {
        let object: PetSet = serde_json::from_value(json!({
            "apiVersion": "apps.k8s.appscode.com/v1", "kind": "PetSet", "metadata": {"name": "web"},
            "spec": {
                "serviceName": "web-pods", "replicas": 3, "selector": {"matchLabels": {"app": "web"}},
                "podPlacementPolicy": {"name": "default"}, "distributed": false,
                "template": {"metadata": {"creationTimestamp": null}, "spec": {"containers": []}},
                "volumeClaimTemplates": [
                    {"metadata": {"name": "logs"}, "spec": {}},
                    {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data", "creationTimestamp": null},
                     "spec": {"resources": {"requests": {"storage": "1Gi"}}}, "status": {"phase": "Pending"}}
                ]
            },
            "status": {"replicas": 3, "currentRevision": "web-1", "conditions": []}
        }))
        .unwrap();
        assert_eq!(object.spec.claim_template("data").unwrap().0, 1);
        assert_eq!(object.spec.claim_size("data"), Some(Ok(units::Bytes::GIB)));
        assert_eq!(object.spec.claim_size("logs"), None);
        assert!(serde_json::from_value::<PetSet>(json!({"metadata": {}, "spec": {}})).is_ok());
    }
}
