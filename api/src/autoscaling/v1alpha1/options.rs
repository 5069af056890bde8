//! `spec.opsRequestOptions`: copied into every request that the autoscaler makes.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::{duration::DurationText, ops::v1alpha1::Apply};

/// Retries when nothing is said, as KubeDB's.
pub(crate) const DEFAULT_MAX_RETRIES: i32 = 1;

/// How a request is carried out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct OpsRequestOptions {
    /// The most that one step of a request may take, such as `10m`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[x_kube(
        validation = Rule::new(crate::rules::DURATION)
            .message("timeout is not a duration above zero; write for example 10m or 1h30m")
            .reason(Reason::FieldValueInvalid)
    )]
    pub timeout: Option<DurationText>,
    /// `IfReady` waits for the database to be Ready, `Always` does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "IfReady"))]
    pub apply: Option<Apply>,
    /// How often a failed request is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = DEFAULT_MAX_RETRIES))]
    #[schemars(range(min = 0, max = 100))]
    pub max_retries: Option<i32>,
}

/// The default of the whole section.
pub(super) fn default_value() -> serde_json::Value {
    serde_json::json!({ "apply": "IfReady", "maxRetries": DEFAULT_MAX_RETRIES })
}
