//! How pods are replaced and counted, and what becomes of their claims: a StatefulSet's fields with KubeDB's defaults.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::known::known;

known! {
    /// How changed pods are replaced.
    pub enum UpdateType {
        /// One after the other, by the controller.
        RollingUpdate,
        /// By whoever deletes them.
        OnDelete,
    }
}

known! {
    /// What becomes of a claim.
    pub enum Retention {
        /// It stays.
        Retain,
        /// It is deleted.
        Delete,
    }
}

/// How changed pods are replaced.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.type) || self.type != 'OnDelete' || !has(self.rollingUpdate)")
    .message("spec.updateStrategy.rollingUpdate is for type RollingUpdate only; leave it out with type OnDelete"))]
pub struct UpdateStrategy {
    /// Who replaces them; absent is RollingUpdate.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_: Option<UpdateType>,
    /// How RollingUpdate goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rolling_update: Option<RollingUpdate>,
}

/// How RollingUpdate goes on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
pub struct RollingUpdate {
    /// Pods with a lower ordinal, counted from the first, keep the revision that they have.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub partition: Option<i32>,
}

/// What becomes of claims. A claim that is to be deleted names its pod, or the set, as its owner.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RetentionPolicy {
    /// When the set is deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "Retain"))]
    pub when_deleted: Option<Retention>,
    /// When the set is scaled down.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "Retain"))]
    pub when_scaled: Option<Retention>,
}

/// Where counting begins.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Ordinals {
    /// The first ordinal.
    #[schemars(range(min = 0))]
    pub start: i32,
}

/// KubeDB's default of `updateStrategy`.
pub(super) fn rolling_update() -> serde_json::Value {
    serde_json::json!({ "type": "RollingUpdate", "rollingUpdate": { "partition": 0 } })
}

/// KubeDB's default of `persistentVolumeClaimRetentionPolicy`.
pub(super) fn retained() -> serde_json::Value {
    serde_json::json!({ "whenDeleted": "Retain", "whenScaled": "Retain" })
}
