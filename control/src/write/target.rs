//! The object that a write means.

use kube::{Resource, ResourceExt};

/// The object that a write means, as it was when it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// The object's uid: another object of the same name is not meant.
    pub uid: String,
    /// If given, the write happens only if the object has not changed since.
    pub resource_version: Option<String>,
}

impl Target {
    /// Means this object, in the state that it has here.
    #[must_use]
    pub fn of<K: Resource>(object: &K) -> Self {
        Self {
            namespace: object.namespace().unwrap_or_default(),
            name: object.name_any(),
            uid: object.uid().unwrap_or_default(),
            resource_version: object.resource_version(),
        }
    }

    /// Means this object whatever its state.
    #[must_use]
    pub fn in_any_state(self) -> Self {
        Self {
            resource_version: None,
            ..self
        }
    }
}
