//! `status` of a PetSet: a StatefulSet's.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::conditions::Condition;

/// What is known of the pods.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PetSetStatus {
    /// The generation of the spec that this status speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Pods that exist.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<i32>,
    /// Pods that are ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready_replicas: Option<i32>,
    /// Pods of the current revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_replicas: Option<i32>,
    /// Pods of the revision being rolled out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_replicas: Option<i32>,
    /// Pods that have been ready long enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available_replicas: Option<i32>,
    /// Name of the current revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_revision: Option<String>,
    /// Name of the revision being rolled out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update_revision: Option<String>,
    /// How often two revisions had the same hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collision_count: Option<i32>,
    /// The hold that the controller keeps: until it is gone, no pod of that ordinal is made or deleted by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<Held>,
    /// Conditions, by type.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}

/// Types of conditions on a PetSet. Each is there only while there is something to say.
pub mod condition {
    /// `False` while a pod or a claim cannot be made, changed or deleted.
    pub const REPLICAS_CREATED: &str = "ReplicasCreated";
    /// `False` while something keeps a pod from being ready: its claim, its image, the scheduler.
    pub const REPLICAS_READY: &str = "ReplicasReady";
    /// `True` while an ordinal is held, `False` while the annotation holds one that does not count.
    pub const HELD: &str = "Held";
}

/// The acknowledgement of a [`crate::petset::v1::Hold`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["ordinal", "uid"]))]
pub struct Held {
    /// The ordinal that is held.
    #[schemars(range(min = 0))]
    pub ordinal: i32,
    /// Uid of the request it is held for.
    #[schemars(length(max = 64))]
    pub uid: String,
}
