//! An object with everything in it, also what our types do not read: others' conditions and templates are written back
//! as they came.

use std::{borrow::Cow, fmt::Debug, marker::PhantomData};

use kube::{
    Resource,
    core::{NamespaceResourceScope, ObjectMeta},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use thiserror::Error;

/// The object is not what its kind says.
#[derive(Debug, Error)]
#[error("{name} is malformed")]
pub struct Malformed {
    /// Its name.
    pub name: String,
    /// What is wrong.
    #[source]
    pub source: serde_json::Error,
}

/// A namespaced object of kind `K`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Whole<K> {
    metadata: ObjectMeta,
    #[serde(flatten)]
    rest: Value,
    #[serde(skip)]
    kind: PhantomData<fn() -> K>,
}

impl<K> Whole<K> {
    /// An object to be made: its metadata, and all else. What `rest` says of metadata, kind and version is left out.
    #[must_use]
    pub fn new(metadata: ObjectMeta, rest: Value) -> Self {
        let rest = match rest {
            Value::Object(mut fields) => {
                for field in ["metadata", "kind", "apiVersion"] {
                    fields.remove(field);
                }
                Value::Object(fields)
            }
            other => other,
        };
        Self {
            metadata,
            rest,
            kind: PhantomData,
        }
    }

    /// Metadata, and everything else.
    #[must_use]
    pub fn into_parts(self) -> (ObjectMeta, Value) {
        (self.metadata, self.rest)
    }

    /// The value at a JSON pointer such as `/status/conditions`; not for metadata.
    #[must_use]
    pub fn at(&self, pointer: &str) -> Option<&Value> {
        self.rest.pointer(pointer)
    }

    /// As a type of Rust.
    ///
    /// # Errors
    /// If it cannot be read as one.
    pub fn typed(&self) -> Result<K, Malformed>
    where
        K: DeserializeOwned,
    {
        let name = self.metadata.name.clone().unwrap_or_default();
        let value = serde_json::to_value(self);
        value
            .and_then(serde_json::from_value)
            .map_err(|source| Malformed { name, source })
    }
}

/// The resource is `K`'s.
impl<K> Resource for Whole<K>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
{
    type DynamicType = ();
    type Scope = NamespaceResourceScope;

    fn kind(_: &()) -> Cow<'_, str> {
        Cow::Owned(K::kind(&()).into_owned())
    }

    fn group(_: &()) -> Cow<'_, str> {
        Cow::Owned(K::group(&()).into_owned())
    }

    fn version(_: &()) -> Cow<'_, str> {
        Cow::Owned(K::version(&()).into_owned())
    }

    fn plural(_: &()) -> Cow<'_, str> {
        Cow::Owned(K::plural(&()).into_owned())
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Pod;
    use serde_json::json;

    use super::Whole;

    #[test]
    fn what_a_type_does_not_read_is_still_there() {
        let object = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},
            "spec": {"containers": [], "newer": {"field": [1]}},
            "status": {"conditions": [{"type": "Ready", "status": "True", "foreign": [1]}]}
        });
        let whole: Whole<Pod> = serde_json::from_value(object.clone()).unwrap();
        assert_eq!(serde_json::to_value(&whole).unwrap(), object);
        assert_eq!(whole.at("/status/conditions/0/foreign"), Some(&json!([1])));
        assert_eq!(whole.typed().unwrap().spec.unwrap().containers, []);
    }
}
