//! `status`: KubeDB's fields, and ours, which KubeDB's own definition would prune.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{conditions::Condition, known::known};

known! {
    /// Phase of a request.
    pub enum Phase {
        /// In the queue.
        Pending,
        /// Running.
        Progressing,
        /// Done.
        Successful,
        /// Waits for someone's approval.
        WaitingForApproval,
        /// Given up.
        Failed,
        /// Approved, and in the queue.
        Approved,
        /// Refused by someone.
        Denied,
        /// Replaced by a newer request of the same type.
        Skipped,
    }
}

impl Phase {
    /// True for a phase that no request leaves.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(
            self,
            Phase::Successful | Phase::Failed | Phase::Skipped | Phase::Denied
        )
    }
}

/// How far a request is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PostgresOpsRequestStatus {
    /// State in one word; absent is Pending.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// The generation of the spec that this status speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Conditions, by type.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "crate::conditions::by_type")]
    pub conditions: Vec<Condition>,
    /// Backups that KubeDB paused for the request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub paused_backups: Vec<PausedBackup>,
    /// The volumes of the request, by claim.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["claim"]))]
    pub volumes: Vec<ExpandedVolume>,
    /// The members of the request, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub members: Vec<ChangedMember>,
    /// How often the request was begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<i32>,
    /// When the present attempt began, RFC 3339; deadlines count from here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
}

/// One volume of a volume expansion.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["claim"]))]
pub struct ExpandedVolume {
    /// Name of the claim.
    pub claim: String,
    /// Name of the PersistentVolume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume: Option<String>,
    /// Size when the request began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Size asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// How far the volume is, in one word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// The claim's capacity as last seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<String>,
    /// Why it waits or failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The same in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Since when the stage holds, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// What its growth was decided by (`Measured`), when that was (`Decided`), and the stages of the present attempt, each with the
    /// time when it was first seen.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["stage"]))]
    pub stages: Vec<PassedStage>,
}

/// A stage of a volume's way to its new size.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["stage"]))]
pub struct PassedStage {
    /// The stage, in one word.
    pub stage: String,
    /// When it was first seen, RFC 3339 with milliseconds.
    pub at: String,
}

/// One member that is added, removed, stopped or replaced.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["name"]))]
pub struct ChangedMember {
    /// Name of the member and of its pod.
    pub name: String,
    /// Its ordinal in the PetSet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ordinal: Option<i32>,
    /// How far it is, in one word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// Uid of its pod before the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod_uid: Option<String>,
    /// Uid of its claim before the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim_uid: Option<String>,
    /// Its last position in the write-ahead log before it was stopped, such as `16/B374D848`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<String>,
    /// The timeline of that position.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeline: Option<i64>,
    /// Why it waits or failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The same in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Since when the stage holds, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
}

/// A backup that KubeDB paused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["name"]))]
pub struct PausedBackup {
    /// API group of the object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_group: Option<String>,
    /// Kind of the object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Namespace of the object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Name of the object.
    pub name: String,
}
