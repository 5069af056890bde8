//! Sections of a Postgres' spec: credentials, configuration, replication, health, first start.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{known::known, refs::LocalRef};

known! {
    /// How passwords are checked.
    #[expect(non_camel_case_types, reason = "the words are KubeDB's")]
    pub enum ClientAuthMode {
        /// As `scram` where the password is stored so, which it is.
        md5,
        /// SCRAM-SHA-256.
        scram,
        /// Client certificates, which are refused.
        cert,
    }
}

known! {
    /// What keeps WAL for standbys.
    pub enum WalLimitPolicy {
        /// `wal_keep_size`, and slots.
        WALKeepSize,
        /// Slots.
        ReplicationSlot,
        /// As `WALKeepSize`, in segments; of versions before 13.
        WALKeepSegment,
    }
}

/// The Secret with the superuser's password.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
pub struct AuthSecret {
    /// `Secret`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63), extend("default" = "Secret"))]
    pub kind: Option<String>,
    /// Name; absent is `<db>-auth`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub name: Option<String>,
    /// Somebody else makes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub externally_managed: Option<bool>,
}

/// Settings of PostgreSQL.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
pub struct Configuration {
    /// A Secret with key `user.conf`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub secret_name: Option<String>,
    /// The same in place; key `user.conf`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub inline: BTreeMap<String, String>,
}

/// How much WAL is kept for standbys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
pub struct Replication {
    /// What keeps it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wal_limit_policy: Option<WalLimitPolicy>,
    /// `wal_keep_size` in MB; never above 30 % of the volume.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub wal_keep_size: Option<i32>,
    /// `max_slot_wal_keep_size` in MB; 30 % of the volume when absent or not above 0.
    #[serde(rename = "maxSlotWALKeepSize", skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -1))]
    pub max_slot_wal_keep_size: Option<i32>,
}

/// How often the database is asked whether it works.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("default" = {"periodSeconds": 10, "timeoutSeconds": 10, "failureThreshold": 1}))]
pub struct HealthChecker {
    /// Seconds from one check to the next.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1), extend("default" = 10))]
    pub period_seconds: Option<i32>,
    /// Seconds after which a check has failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1), extend("default" = 10))]
    pub timeout_seconds: Option<i32>,
    /// Failed checks in a row that count.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1), extend("default" = 1))]
    pub failure_threshold: Option<i32>,
    /// Ask without writing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disable_write_check: Option<bool>,
}

/// What is done at the first start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
pub struct Init {
    /// Run on the first primary before anyone may connect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub script: Option<Script>,
}

/// Files that are run in the order of their names: `*.sql`, `*.sql.gz`, `*.sh`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
pub struct Script {
    /// Only this file.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub script_path: Option<String>,
    /// Where the files are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_map: Option<LocalRef>,
}

/// Changes to one of the database's Services.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
pub struct ServiceTemplate {
    /// Which: `primary`, `standby` or `stats`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub alias: Option<String>,
    /// Labels and annotations.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::shapes::any_object")]
    pub metadata: Option<serde_json::Value>,
    /// Fields of the Service; `ports` are matched by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::shapes::any_object")]
    pub spec: Option<serde_json::Value>,
}
