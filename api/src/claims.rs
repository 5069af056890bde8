//! The part of a PersistentVolumeClaim's spec that a database's manifest carries.
//!
//! Not the claim itself: those are read as Kubernetes' own type.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use units::{Bytes, QuantityError};

use crate::quantity::QuantityText;

/// A claim as a manifest asks for it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ClaimSpec {
    /// Storage class; absent is the cluster's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub storage_class_name: Option<String>,
    /// How the volume may be mounted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 4))]
    pub access_modes: Vec<String>,
    /// The size asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ClaimResources>,
}

/// Requests and limits of a claim.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ClaimResources {
    /// The least to be had, by resource name; `storage` is the size.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub requests: BTreeMap<String, QuantityText>,
    /// The most to be had.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub limits: BTreeMap<String, QuantityText>,
}

impl ClaimSpec {
    /// The size asked for; `None` when the spec names none.
    #[must_use]
    pub fn storage(&self) -> Option<Result<Bytes, QuantityError>> {
        self.resources
            .as_ref()?
            .requests
            .get("storage")
            .map(QuantityText::bytes)
    }
}
