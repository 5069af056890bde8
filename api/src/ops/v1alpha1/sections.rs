//! The sections of a request's spec, one per type that Highwater carries out.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{autoscaling::v1alpha1::ExpansionMode, known::known, quantity::QuantityText};

known! {
    /// What a request does. Which of them Highwater carries out: `crate::compatibility`.
    pub enum RequestType {
        /// Another version of PostgreSQL.
        UpdateVersion,
        /// Another number of members.
        HorizontalScaling,
        /// Other CPU and memory.
        VerticalScaling,
        /// Larger volumes.
        VolumeExpansion,
        /// All members started again, one after the other.
        Restart,
        /// Other settings of PostgreSQL.
        Reconfigure,
        /// Other certificates.
        ReconfigureTLS,
        /// Another password.
        RotateAuth,
        /// Standbys connected anew.
        ReconnectStandby,
        /// Another primary, at the price of data.
        ForceFailOver,
        /// KubeDB's coordinator only.
        SetRaftKeyPair,
        /// Another storage class.
        StorageMigration,
    }
}

known! {
    /// When a request may run.
    pub enum Apply {
        /// Only when the database is Ready.
        IfReady,
        /// In any state.
        Always,
    }
}

/// For type VolumeExpansion.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[schemars(extend("required" = ["mode"]))]
#[x_kube(
    validation = Rule::new("has(self.postgres) || has(self.arbiter)")
        .message("volumeExpansion.postgres is missing; write the new size of each data volume, such as 20Gi")
        .reason(Reason::FieldValueRequired)
)]
pub struct VolumeExpansion {
    /// The new size of each data volume.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[x_kube(
        validation = Rule::new("isQuantity(string(self)) && quantity(string(self)).isGreaterThan(quantity('0'))")
            .message("volumeExpansion.postgres is not a size above 0; write for example 500Gi or 500G (not 500GB)")
            .reason(Reason::FieldValueInvalid)
    )]
    pub postgres: Option<QuantityText>,
    /// Whether pods keep running while their volume grows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<ExpansionMode>,
}

/// For type HorizontalScaling.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.replicas) || has(self.readReplicas)")
        .message("horizontalScaling.replicas is missing; write the number of members the database shall have")
        .reason(Reason::FieldValueRequired)
)]
pub struct HorizontalScaling {
    /// The number of members the database shall have.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[x_kube(
        validation = Rule::new("self >= 1")
            .message("horizontalScaling.replicas is below 1; write 1 or more, or set halted on the Postgres to stop it")
            .reason(Reason::FieldValueInvalid)
    )]
    pub replicas: Option<i32>,
    /// Absent leaves the standbys as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standby_mode: Option<crate::kubedb::v1::StandbyMode>,
    /// Absent leaves replication as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub streaming_mode: Option<crate::kubedb::v1::StreamingMode>,
}

known! {
    /// Whether pods are made anew for other resources.
    pub enum VerticalMode {
        /// They are.
        Restart,
        /// They keep running, where the API server and the node can resize them.
        InPlace,
    }
}

/// For type VerticalScaling.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VerticalScaling {
    /// The members.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postgres: Option<PodResources>,
    /// Whether pods are made anew for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "Restart"))]
    pub mode: Option<VerticalMode>,
}

/// What a member's pod is to have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PodResources {
    /// Of the container `postgres`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ContainerResources>,
}

/// Resources of a container, by name. What is not named is not kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ContainerResources {
    /// What is reserved.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 16))]
    pub requests: BTreeMap<String, QuantityText>,
    /// What is the most.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 16))]
    pub limits: BTreeMap<String, QuantityText>,
}
