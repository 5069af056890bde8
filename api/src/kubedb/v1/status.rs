//! `status` of a Postgres.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{conditions::Condition, known::known};

/// Types of conditions on a Postgres.
pub mod condition {
    /// A request has stopped the provisioner; its message names the request.
    pub const PAUSED: &str = "Paused";
    /// The provisioner has seen the pause; its message holds the request's uid.
    pub const PAUSE_ACKNOWLEDGED: &str = "PauseAcknowledged";
    /// The database is healthy.
    pub const READY: &str = "Ready";
    /// The provisioner has begun.
    pub const PROVISIONING_STARTED: &str = "ProvisioningStarted";
    /// All members are ready, and all standbys stream.
    pub const REPLICA_READY: &str = "ReplicaReady";
    /// The primary answers, and writes.
    pub const ACCEPTING_CONNECTION: &str = "AcceptingConnection";
    /// The database was once complete.
    pub const PROVISIONED: &str = "Provisioned";
    /// Stopped by its owner.
    pub const HALTED: &str = "Halted";
    /// What the database has is more than the spec says: a manifest is out of date.
    pub const SPEC_BEHIND: &str = "SpecBehind";
    /// The spec asks for what only a PostgresOpsRequest does.
    pub const REQUEST_NEEDED: &str = "RequestNeeded";
    /// Something keeps WAL that nobody fetches.
    pub const WAL_RETAINED: &str = "WALRetained";
    /// Something stands in the way; its message says what to do.
    pub const FAILURE: &str = "Failure";
}

known! {
    /// Phase of a database.
    pub enum Phase {
        /// Being made.
        Provisioning,
        /// Being restored.
        DataRestoring,
        /// Healthy.
        Ready,
        /// It serves, but a member is missing or lags.
        Critical,
        /// It does not serve.
        NotReady,
        /// Stopped by its owner.
        Halted,
        /// Nobody looks.
        Unknown,
    }
}

/// What is known of the database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PostgresStatus {
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
}
