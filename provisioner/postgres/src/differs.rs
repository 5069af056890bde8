//! Whether an object is as it should be. Pure.
//!
//! What we apply is compared with what is there field by field, so that a change by hand is seen; what we do not apply, the
//! API server's defaults and others' fields, is not looked at. A digest of what was applied last is compared, too: it shows
//! what we no longer want.

use api::names::ANNOTATION_APPLIED;
use kube::core::ObjectMeta;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Digest of what is to be applied.
pub(crate) fn digest(body: &Value) -> String {
    let hash = Sha256::digest(body.to_string());
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// The body with its digest in its annotations.
pub(crate) fn stamped(mut body: Value) -> Value {
    let digest = digest(&body);
    body["metadata"]["annotations"][ANNOTATION_APPLIED] = json!(digest);
    body
}

/// Whether `found` lacks something of `wanted`, a [`stamped`] body.
pub(crate) fn differs(wanted: &Value, meta: &ObjectMeta, found: &Value) -> bool {
    let found_meta = json!(meta);
    let Some(fields) = wanted.as_object() else {
        return false;
    };
    fields.iter().any(|(name, value)| match name.as_str() {
        "metadata" => value.as_object().is_some_and(|meta| {
            // Owners are told apart by uid, in any order.
            let others = meta.iter().filter(|(name, _)| *name != "ownerReferences");
            others
                .map(|(name, value)| (value, &found_meta[name]))
                .any(|(value, found)| !is_within(value, found))
        }),
        name => !is_within(value, &found[name]),
    })
}

/// Whether `found` lacks something of `wanted`.
pub(crate) fn lacks(wanted: &Value, found: &Value) -> bool {
    !is_within(wanted, found)
}

/// Whether everything of `wanted` is in `found`. Lists have the same length: what is added to one changes what it means.
fn is_within(wanted: &Value, found: &Value) -> bool {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => wanted
            .iter()
            .all(|(name, value)| is_within(value, found.get(name).unwrap_or(&Value::Null))),
        (Value::Array(wanted), Value::Array(found)) => {
            wanted.len() == found.len()
                && wanted
                    .iter()
                    .zip(found)
                    .all(|(wanted, found)| is_within(wanted, found))
        }
        // An empty map or list is not kept by the API server.
        (Value::Object(wanted), Value::Null) => wanted.is_empty(),
        (Value::Array(wanted), Value::Null) => wanted.is_empty(),
        _ => wanted == found,
    }
}

#[cfg(test)]
mod tests {
    use kube::core::ObjectMeta;
    use serde_json::json;

    use super::{differs, stamped};

    fn meta(value: serde_json::Value) -> ObjectMeta {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn defaults_and_others_fields_are_not_looked_at() {
        let wanted = stamped(
            json!({"metadata": {"labels": {"a": "b"}}, "spec": {"ports": [{"port": 1}], "selector": {}}}),
        );
        let digest = wanted["metadata"]["annotations"]["highwater.dev/applied"].clone();
        let there = |digest: &serde_json::Value, port: i32| {
            let meta = meta(
                json!({"labels": {"a": "b", "c": "d"}, "annotations": {"highwater.dev/applied": digest, "x": "y"}}),
            );
            differs(
                &wanted,
                &meta,
                &json!({"spec": {"ports": [{"port": port, "protocol": "TCP"}], "clusterIP": "10.0.0.1"}}),
            )
        };
        assert!(!there(&digest, 1));
        assert!(there(&digest, 2), "a change by hand");
        assert!(there(&json!("old"), 1), "applied by an older spec");
    }

    #[test]
    fn what_is_missing_or_added_to_a_list_differs() {
        let wanted = json!({"spec": {"list": [1]}});
        for (found, expected) in [
            (json!({"spec": {"list": [1]}}), false),
            (json!({"spec": {"list": [1, 2]}}), true),
            (json!({"spec": {}}), true),
            (json!({}), true),
        ] {
            assert_eq!(
                differs(&wanted, &ObjectMeta::default(), &found),
                expected,
                "{found}"
            );
        }
    }
}
