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
