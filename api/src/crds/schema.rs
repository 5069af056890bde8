//! From the schema that the derives make to the one a user shall meet.
//!
//! The types read tolerantly, which the derives take for `nullable` and for defaults; neither is meant for the
//! API server, which drops nulls and must not fill empty lists in.

use serde_json::{Map, Value, json};

/// Removes what stems from tolerant reading: `nullable`, empty defaults, titles, formats of Rust.
pub(super) fn tidy(schema: &mut Value) {
    each(schema, &mut |schema| {
        schema.remove("nullable");
        schema.remove("title");
        if schema.get("default").is_some_and(is_empty) {
            schema.remove("default");
        }
        if let Some(words) = schema.get_mut("enum").and_then(Value::as_array_mut) {
            words.retain(|word| !word.is_null());
        }
        for keyword in ["minimum", "maximum"] {
            // The derives write 1.0.
            if let Some(whole) = schema
                .get(keyword)
                .and_then(Value::as_f64)
                .filter(|bound| bound.fract() == 0.0)
            {
                schema.insert(keyword.to_owned(), json!(whole as i64));
            }
        }
        for keyword in ["maxLength", "minLength"] {
            if schema.get("type").and_then(Value::as_str) == Some("array")
                && let Some(length) = schema.remove(keyword)
            {
                schema.insert(keyword.replace("Length", "Items"), length);
            }
        }
    });
}

/// What `Default` gives: no default that a schema of ours means is empty or zero.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(_) => false,
        Value::Number(number) => number.as_i64() == Some(0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.values().all(is_empty),
    }
}

/// Gives every quantity the two types that it may have.
pub(super) fn quantities(schema: &mut Value) {
    each(schema, &mut |schema| {
        if schema.contains_key("x-kubernetes-int-or-string") {
            schema.remove("type");
            schema.insert(
                "anyOf".to_owned(),
                json!([{ "type": "integer" }, { "type": "string" }]),
            );
            schema.insert("pattern".to_owned(), crate::quantity::PATTERN.into());
        }
    });
}

/// Visits every schema, the outer ones first.
fn each(schema: &mut Value, visit: &mut impl FnMut(&mut Map<String, Value>)) {
    let Some(fields) = schema.as_object_mut() else {
        return;
    };
    visit(fields);
    if let Some(properties) = fields.get_mut("properties").and_then(Value::as_object_mut) {
        for property in properties.values_mut() {
            each(property, visit);
        }
    }
    for key in ["items", "additionalProperties"] {
        if let Some(inner) = fields.get_mut(key) {
            each(inner, visit);
        }
    }
}
