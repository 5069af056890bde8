//! `Postgres`: a database and what it runs on.
//!
//! Only the fields that Highwater acts on are read; the others of KubeDB's definition are declared by the table
//! in `crate::compatibility`.

mod settings;
mod status;

pub use settings::{
    AuthSecret, ClientAuthMode, Configuration, HealthChecker, Init, Replication, Script, ServiceTemplate,
    WalLimitPolicy,
};
pub use status::{Phase, PostgresStatus, condition};

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use crate::{claims::ClaimSpec, known::known, refs::LocalRef};

known! {
    /// Whether standbys answer reads.
    pub enum StandbyMode {
        /// They do.
        Hot,
        /// They do not.
        Warm,
    }
}

known! {
    /// Whether a commit waits for a standby.
    pub enum StreamingMode {
        /// It does.
        Synchronous,
        /// It does not.
        Asynchronous,
    }
}

known! {
    /// Where the data lives.
    pub enum StorageType {
        /// On claims.
        Durable,
        /// In the pod; lost with it.
        Ephemeral,
    }
}

known! {
    /// What becomes of the data when the Postgres is deleted.
    pub enum DeletionPolicy {
        /// Claims and secrets stay.
        Halt,
        /// Claims go, secrets stay.
        Delete,
        /// Everything goes.
        WipeOut,
        /// Deleting is refused.
        DoNotTerminate,
    }
}

/// What a user asks for.
#[derive(Debug, Clone, Default, PartialEq, CustomResource, KubeSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "kubedb.com",
    version = "v1",
    kind = "Postgres",
    plural = "postgreses",
    singular = "postgres",
    shortname = "pg",
    category = "datastore",
    category = "kubedb",
    category = "appscode",
    category = "all",
    namespaced,
    status = "PostgresStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "A PostgreSQL database.",
    validation = Rule::new("self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')")
        .message("metadata.name is not a name for a Postgres; begin with a letter, then use lower-case letters, digits and -")
        .reason(Reason::FieldValueInvalid),
    printcolumn(name = "Version", type_ = "string", json_path = ".spec.version"),
    printcolumn(name = "Status", type_ = "string", json_path = ".status.phase"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[schemars(extend("required" = ["version"]))]
#[x_kube(
    validation = Rule::new("(has(self.storageType) && self.storageType == 'Ephemeral') || has(self.storage)")
        .message("spec.storage is missing; a Durable Postgres needs storage.resources.requests.storage")
        .reason(Reason::FieldValueRequired),
    validation = Rule::new("!has(self.storage) || (has(self.storage.resources) && has(self.storage.resources.requests) && 'storage' in self.storage.resources.requests)")
        .message("spec.storage.resources.requests.storage is missing; write the size of each volume, such as 10Gi")
        .reason(Reason::FieldValueRequired),
    validation = Rule::new("!has(self.storage) || !has(self.storage.resources) || !has(self.storage.resources.requests) || !('storage' in self.storage.resources.requests) || (isQuantity(string(self.storage.resources.requests['storage'])) && quantity(string(self.storage.resources.requests['storage'])).isGreaterThan(quantity('0')))")
        .message("spec.storage.resources.requests.storage is not a size above 0; write for example 500Gi or 500G (not 500GB)")
        .reason(Reason::FieldValueInvalid),
    validation = Rule::new("!has(self.halted) || !self.halted || !has(self.deletionPolicy) || self.deletionPolicy != 'DoNotTerminate'")
        .message("a Postgres with deletionPolicy DoNotTerminate cannot be halted; set another deletionPolicy first")
        .reason(Reason::FieldValueInvalid),
    validation = Rule::new("!has(self.storageType) || self.storageType != 'Ephemeral' || !has(self.deletionPolicy) || self.deletionPolicy != 'Halt'")
        .message("an Ephemeral Postgres has nothing that deletionPolicy Halt could keep; write Delete or WipeOut")
        .reason(Reason::FieldValueInvalid)
)]
pub struct PostgresSpec {
    /// Name of a PostgresVersion.
    #[schemars(length(min = 1, max = 253))]
    #[serde(default)]
    pub version: String,
    /// Number of members.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = 1))]
    #[x_kube(
        validation = Rule::new("self >= 1")
            .message("spec.replicas is below 1; write 1 or more, or halted: true to stop the database")
            .reason(Reason::FieldValueInvalid)
    )]
    pub replicas: Option<i32>,
    /// Whether standbys answer reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "Hot"))]
    pub standby_mode: Option<StandbyMode>,
    /// Whether a commit waits for a standby; absent is Asynchronous.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub streaming_mode: Option<StreamingMode>,
    /// Where the data lives.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "Durable"))]
    #[x_kube(
        validation = Rule::new("self == oldSelf")
            .message("spec.storageType cannot be changed; create another Postgres and move the data")
            .reason(Reason::FieldValueForbidden)
    )]
    pub storage_type: Option<StorageType>,
    /// The claim of each member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<ClaimSpec>,
    /// Pods and services are removed, claims and secrets kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub halted: Option<bool>,
    /// What becomes of the data when the Postgres is deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "Delete"))]
    pub deletion_policy: Option<DeletionPolicy>,
    /// Changes to the pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::shapes::any_object")]
    pub pod_template: Option<serde_json::Value>,
    /// The superuser's password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_secret: Option<AuthSecret>,
    /// A Secret with key `user.conf`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_secret: Option<LocalRef>,
    /// Settings of PostgreSQL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration: Option<Configuration>,
    /// How much WAL is kept for standbys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replication: Option<Replication>,
    /// Changes to the Services.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub service_templates: Vec<ServiceTemplate>,
    /// How often the database is asked whether it works.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_checker: Option<HealthChecker>,
    /// How passwords are checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_auth_mode: Option<ClientAuthMode>,
    /// What is done at the first start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init: Option<Init>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Postgres;

    #[test]
    fn an_old_or_foreign_object_reads() {
        let object: Postgres = serde_json::from_value(json!({
            "apiVersion": "kubedb.com/v1", "kind": "Postgres", "metadata": {"name": "db"},
            "spec": {
                "version": "16.4", "replicas": 3, "standbyMode": "Lukewarm", "tls": {"issuerRef": {}},
                "storage": {"storageClassName": "x", "volumeMode": "Filesystem", "resources": {"requests": {"storage": 1073741824}}},
                "podTemplate": {"spec": {"containers": []}}
            },
            "status": {"phase": "Ready", "conditions": [{"type": "Ready", "status": "True", "observedGeneration": 2}], "authSecret": {}}
        }))
        .unwrap();
        assert_eq!(
            object.spec.storage.unwrap().storage(),
            Some(Ok(units::Bytes::GIB))
        );
        assert!(serde_json::from_value::<Postgres>(json!({"metadata": {}, "spec": {}})).is_ok());
    }
}
