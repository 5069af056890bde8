//! `PostgresOpsRequest`: one operation on a Postgres, run once.

mod decided;
mod sections;
mod status;

pub use decided::Decided;
pub use sections::{
    Apply, ContainerResources, HorizontalScaling, PodResources, RequestType, VerticalMode, VerticalScaling,
    VolumeExpansion,
};
pub use status::{ChangedMember, ExpandedVolume, PassedStage, PausedBackup, Phase, PostgresOpsRequestStatus};

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use crate::{duration::DurationText, refs::LocalRef};

/// What a user, or the decider, asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq, CustomResource, KubeSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "ops.kubedb.com",
    version = "v1alpha1",
    kind = "PostgresOpsRequest",
    plural = "postgresopsrequests",
    singular = "postgresopsrequest",
    shortname = "pgops",
    category = "ops",
    category = "kubedb",
    category = "appscode",
    namespaced,
    status = "PostgresOpsRequestStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "One operation on a Postgres.",
    printcolumn(name = "Type", type_ = "string", json_path = ".spec.type"),
    printcolumn(name = "Status", type_ = "string", json_path = ".status.phase"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[schemars(extend("required" = ["databaseRef", "type"]))]
#[x_kube(
    validation = Rule::new("self == oldSelf")
        .message("spec of a PostgresOpsRequest cannot be changed; delete the request and create another one")
        .reason(Reason::FieldValueForbidden),
    validation = Rule::new("has(self.databaseRef.name) && self.databaseRef.name != ''")
        .message("spec.databaseRef.name is empty; write the name of the Postgres in this namespace")
        .reason(Reason::FieldValueRequired),
    validation = Rule::new("self.type != 'VolumeExpansion' || has(self.volumeExpansion)")
        .message("spec.volumeExpansion is missing; a request of type VolumeExpansion needs volumeExpansion.postgres and volumeExpansion.mode")
        .reason(Reason::FieldValueRequired),
    validation = Rule::new("self.type != 'HorizontalScaling' || has(self.horizontalScaling)")
        .message("spec.horizontalScaling is missing; a request of type HorizontalScaling needs horizontalScaling.replicas")
        .reason(Reason::FieldValueRequired),
    validation = Rule::new("self.type != 'VerticalScaling' || has(self.verticalScaling)")
        .message("spec.verticalScaling is missing; a request of type VerticalScaling needs verticalScaling.postgres.resources")
        .reason(Reason::FieldValueRequired),
    validation = Rule::new("self.type != 'VerticalScaling' || !has(self.verticalScaling) || (has(self.verticalScaling.postgres) && has(self.verticalScaling.postgres.resources) && (has(self.verticalScaling.postgres.resources.requests) || has(self.verticalScaling.postgres.resources.limits)))")
        .message("spec.verticalScaling.postgres.resources is missing; write for example requests: {cpu: 500m, memory: 1Gi}")
        .reason(Reason::FieldValueRequired)
)]
pub struct PostgresOpsRequestSpec {
    /// The Postgres, in the same namespace.
    #[serde(default)]
    pub database_ref: LocalRef,
    /// What is to be done.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_: Option<RequestType>,
    /// For type VolumeExpansion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_expansion: Option<VolumeExpansion>,
    /// For type HorizontalScaling.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub horizontal_scaling: Option<HorizontalScaling>,
    /// For type VerticalScaling.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vertical_scaling: Option<VerticalScaling>,
    /// The most that one step may take, such as `10m`.
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
    #[schemars(extend("default" = crate::autoscaling::v1alpha1::DEFAULT_MAX_RETRIES), range(min = 0, max = 100))]
    pub max_retries: Option<i32>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Apply, PostgresOpsRequest, RequestType};

    #[test]
    fn a_kubedb_object_reads_and_writes_back_what_is_known() {
        let object: PostgresOpsRequest = serde_json::from_value(json!({
            "apiVersion": "ops.kubedb.com/v1alpha1", "kind": "PostgresOpsRequest", "metadata": {"name": "r"},
            "spec": {
                "type": "VolumeExpansion", "databaseRef": {"name": "db"}, "apply": "Always", "maxRetries": 1,
                "volumeExpansion": {"mode": "Online", "postgres": "1594884096", "replica": "1Gi"}
            },
            "status": {"phase": "WaitingForApproval", "pausedBackups": [{"name": "b"}], "other": {}}
        }))
        .unwrap();
        assert_eq!(object.spec.type_, Some(RequestType::VolumeExpansion));
        assert_eq!(object.spec.apply, Some(Apply::Always));
        let size = object
            .spec
            .volume_expansion
            .as_ref()
            .unwrap()
            .postgres
            .as_ref()
            .unwrap()
            .bytes();
        assert_eq!(size.map(units::Bytes::get), Ok(1_594_884_096));
        let written = serde_json::to_value(&object.spec).unwrap();
        assert_eq!(
            written["volumeExpansion"],
            json!({"mode": "Online", "postgres": "1594884096"})
        );
    }

    #[test]
    fn an_empty_spec_reads() {
        let object: PostgresOpsRequest = serde_json::from_value(json!({"metadata": {}, "spec": {}})).unwrap();
        assert_eq!(object.spec.type_, None);
    }
}
