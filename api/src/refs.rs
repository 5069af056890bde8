//! References from one object to another, shared by the kinds.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The name of an object in the same namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-kubernetes-map-type" = "atomic"))]
pub struct LocalRef {
    /// Name of the object.
    #[serde(default)]
    #[schemars(length(max = 253))]
    pub name: String,
}

impl From<&str> for LocalRef {
    fn from(name: &str) -> Self {
        Self {
            name: name.to_owned(),
        }
    }
}
