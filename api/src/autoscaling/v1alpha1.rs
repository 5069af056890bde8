//! `PostgresAutoscaler`: when the volumes of a Postgres grow, and by how much.

mod options;
mod status;
mod storage;

pub(crate) use options::DEFAULT_MAX_RETRIES;
pub use options::OpsRequestOptions;
pub use status::{CanGrow, LastDecision, Phase, PostgresAutoscalerStatus, VolumeStatus};
pub use storage::{
    DEFAULT_SCALING_THRESHOLD, DEFAULT_USAGE_THRESHOLD, ExpansionMode, ScalingRuleSpec,
    StorageAutoscalerSpec, StorageSection,
};

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use crate::refs::LocalRef;

/// What a user asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq, CustomResource, KubeSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "autoscaling.kubedb.com",
    version = "v1alpha1",
    kind = "PostgresAutoscaler",
    plural = "postgresautoscalers",
    singular = "postgresautoscaler",
    shortname = "pgscaler",
    category = "autoscaler",
    category = "kubedb",
    category = "appscode",
    namespaced,
    status = "PostgresAutoscalerStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "Grows the volumes of a Postgres as they fill.",
    printcolumn(name = "Database", type_ = "string", json_path = ".spec.databaseRef.name"),
    printcolumn(name = "Usage", type_ = "string", json_path = ".status.usage"),
    printcolumn(name = "Full in", type_ = "string", json_path = ".status.fullIn"),
    printcolumn(name = "Can grow", type_ = "string", json_path = ".status.canGrow"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.reason")
)]
#[schemars(extend("required" = ["databaseRef"]))]
#[x_kube(
    validation = Rule::new("has(self.databaseRef.name) && self.databaseRef.name != ''")
        .message("spec.databaseRef.name is empty; write the name of the Postgres in this namespace")
        .reason(Reason::FieldValueRequired)
)]
pub struct PostgresAutoscalerSpec {
    /// The Postgres, in the same namespace.
    #[serde(default)]
    pub database_ref: LocalRef,
    /// Options of the requests that are made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = options::default_value()))]
    pub ops_request_options: Option<OpsRequestOptions>,
    /// Growth of volumes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<StorageSection>,
}

impl PostgresAutoscalerSpec {
    /// The settings for the data volumes, if there are any.
    #[must_use]
    pub fn data_storage(&self) -> Option<&StorageAutoscalerSpec> {
        self.storage.as_ref()?.postgres.as_ref()
    }
}

#[cfg(test)]
mod tests;
