//! `status`: KubeDB's fields, and ours, which KubeDB's own definition would prune.
//!
//! Every field holds a state or a time of change, never an age: an object that does not change is not written.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{conditions::Condition, known::known};

known! {
    /// Phase of an autoscaler.
    pub enum Phase {
        /// Waiting: the database is not there, or nothing was measured yet.
        InProgress,
        /// Watching the volumes.
        Current,
        /// Being deleted.
        Terminating,
        /// The spec cannot be used, or a defect stands in the way.
        Failed,
    }
}

known! {
    /// Whether a full volume would grow now.
    pub enum CanGrow {
        /// It would.
        Yes,
        /// It would not; `reason` says why.
        No,
    }
}

/// What the autoscaler sees and does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PostgresAutoscalerStatus {
    /// State in one word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// The generation of the spec that this status speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Conditions, by type.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "crate::conditions::by_type")]
    pub conditions: Vec<Condition>,
    /// The fullest volume, as `81%`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<String>,
    /// Whether a full volume would grow now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_grow: Option<CanGrow>,
    /// When the first volume is full at the present rate, as `4h`; `>7d` if not within a week.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full_in: Option<String>,
    /// Why the volumes grow or do not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The data volumes, by claim.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["claim"]))]
    pub volumes: Vec<VolumeStatus>,
    /// The last growth that was decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_decision: Option<LastDecision>,
}

/// One data volume.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["claim"]))]
pub struct VolumeStatus {
    /// Name of the claim.
    pub claim: String,
    /// Name of the PersistentVolume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume: Option<String>,
    /// The node that measured it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Size of the filesystem.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<String>,
    /// What is taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used: Option<String>,
    /// What can still be written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available: Option<String>,
    /// Taken, in whole percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used_percent: Option<i32>,
    /// How fast it filled when this was written, as `10Mi/s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<String>,
    /// When it is full at that rate, as `4h`; `>7d` if not within a week.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full_in: Option<String>,
    /// Why this volume grows or does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The same in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Since when the reason holds, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
}

/// A growth that was decided.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct LastDecision {
    /// What made it necessary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The arithmetic in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Size before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Size asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Name of the PostgresOpsRequest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
}
