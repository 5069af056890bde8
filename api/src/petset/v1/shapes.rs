//! Schemas of the parts of a PetSet that its rules look into. All else in them is kept as it is.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

/// Labels, or names and values of labels: Kubernetes' own bounds, and more of them than anybody has.
fn labels() -> Value {
    json!({ "type": "object", "maxProperties": 64, "additionalProperties": { "type": "string", "maxLength": 63 } })
}

/// A selector of labels.
pub(super) fn selector(_: &mut SchemaGenerator) -> Schema {
    let text = |most: u32| json!({ "type": "string", "maxLength": most });
    json_schema!({
        "type": "object",
        "properties": {
            "matchLabels": labels(),
            "matchExpressions": {
                "type": "array",
                "maxItems": 32,
                "items": {
                    "type": "object",
                    "required": ["key", "operator"],
                    "properties": {
                        "key": text(317),
                        "operator": { "type": "string", "enum": ["In", "NotIn", "Exists", "DoesNotExist"] },
                        "values": { "type": "array", "maxItems": 64, "items": text(63) },
                    },
                },
            },
        },
    })
}

/// A pod template.
pub(super) fn template(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "x-kubernetes-preserve-unknown-fields": true,
        "properties": {
            "metadata": {
                "type": "object",
                "x-kubernetes-preserve-unknown-fields": true,
                "properties": { "labels": labels() },
            },
            "spec": {
                "type": "object",
                "x-kubernetes-preserve-unknown-fields": true,
                "properties": {
                    "restartPolicy": { "type": "string", "maxLength": 16 },
                    "activeDeadlineSeconds": { "type": "integer", "format": "int64" },
                },
            },
        },
    })
}

/// The metadata of a claim template.
pub(super) fn claim_metadata(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "x-kubernetes-preserve-unknown-fields": true,
        "properties": { "name": { "type": "string", "maxLength": 63 } },
    })
}
