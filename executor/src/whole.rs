//! An object with everything in it, also what our types do not read: others' conditions and templates are written back
//! as they came.

use std::{borrow::Cow, fmt::Debug, marker::PhantomData};

use kube::{
    Resource,
    core::{NamespaceResourceScope, ObjectMeta},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::error::Error;

/// A namespaced object of kind `K`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "")]
pub(crate) struct Whole<K> {
    metadata: ObjectMeta,
    #[serde(flatten)]
    rest: Value,
    #[serde(skip)]
    kind: PhantomData<fn() -> K>,
}

impl<K> Whole<K> {
    /// The value at a JSON pointer such as `/status/conditions`; not for metadata.
    pub(crate) fn at(&self, pointer: &str) -> Option<&Value> {
        self.rest.pointer(pointer)
    }

    /// As our type.
    pub(crate) fn typed(&self) -> Result<K, Error>
    where
        K: DeserializeOwned,
    {
        let name = self.metadata.name.clone().unwrap_or_default();
        let value = serde_json::to_value(self);
        value
            .and_then(serde_json::from_value)
            .map_err(|error| Error::Malformed(name, error))
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
    use api::kubedb::v1::Postgres;
    use serde_json::json;

    use super::Whole;

    #[test]
    fn what_our_type_does_not_read_is_still_there() {
        let object = json!({
            "apiVersion": "kubedb.com/v1", "kind": "Postgres", "metadata": {"name": "pg"},
            "spec": {"version": "16.4", "monitor": {"agent": "x"}},
            "status": {"conditions": [{"type": "Ready", "status": "True", "foreign": [1]}]}
        });
        let whole: Whole<Postgres> = serde_json::from_value(object.clone()).unwrap();
        assert_eq!(serde_json::to_value(&whole).unwrap(), object);
        assert_eq!(whole.at("/status/conditions/0/foreign"), Some(&json!([1])));
        assert_eq!(whole.typed().unwrap().spec.version, "16.4");
    }
}
