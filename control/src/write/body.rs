//! What is sent: the caller's patch, and what it is based on. Pure.

use serde_json::{Value, json};

use super::{Cause, Namespaced, Target};

/// The patch with what it is based on, and for an apply with the identity that the server wants.
pub(super) fn patch<K: Namespaced>(target: &Target, patch: Value, apply: bool) -> Result<Value, Cause> {
    let Value::Object(mut body) = patch else {
        return Err(Cause::NotAnObject);
    };
    let meta = body.entry("metadata").or_insert_with(|| json!({}));
    let Value::Object(meta) = meta else {
        return Err(Cause::NotAnObject);
    };
    // Without a uid an object is meant that is not there yet.
    if !target.uid.is_empty() {
        meta.insert("uid".to_owned(), json!(target.uid));
    }
    if let Some(version) = &target.resource_version {
        meta.insert("resourceVersion".to_owned(), json!(version));
    }
    if apply {
        meta.insert("name".to_owned(), json!(target.name));
        meta.insert("namespace".to_owned(), json!(target.namespace));
        body.insert("apiVersion".to_owned(), json!(K::api_version(&())));
        body.insert("kind".to_owned(), json!(K::kind(&())));
    }
    Ok(Value::Object(body))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ConfigMap;
    use serde_json::json;

    use super::{Cause, Target, patch};

    fn target() -> Target {
        Target {
            namespace: "demo".to_owned(),
            name: "a".to_owned(),
            uid: "u-1".to_owned(),
            resource_version: Some("7".to_owned()),
        }
    }

    #[test]
    fn a_merge_carries_what_it_is_based_on_and_keeps_other_metadata() {
        let labels = json!({ "metadata": { "labels": { "a": "b" } }, "data": { "k": "v" } });
        let whole = patch::<ConfigMap>(&target(), labels.clone(), false).unwrap();
        assert_eq!(
            whole,
            json!({
                "metadata": { "uid": "u-1", "resourceVersion": "7", "labels": { "a": "b" } },
                "data": { "k": "v" },
            })
        );
        let any = patch::<ConfigMap>(&target().in_any_state(), labels, false).unwrap();
        assert_eq!(any["metadata"], json!({ "uid": "u-1", "labels": { "a": "b" } }));
    }

    #[test]
    fn an_apply_names_its_kind() {
        let applied = patch::<ConfigMap>(&target(), json!({ "data": {} }), true).unwrap();
        assert_eq!(
            applied,
            json!({
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": { "name": "a", "namespace": "demo", "uid": "u-1", "resourceVersion": "7" },
                "data": {},
            })
        );
    }

    #[test]
    fn a_patch_that_is_no_object_is_refused() {
        for value in [json!([]), json!("x"), json!({ "metadata": 1 })] {
            assert!(matches!(
                patch::<ConfigMap>(&target(), value, false),
                Err(Cause::NotAnObject)
            ));
        }
    }
}
