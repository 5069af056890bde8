//! The table of fields, put into a schema: declarations of what the types leave out, and refusals.

use serde_json::{Map, Value, json};

use crate::compatibility::{Class, Kind, Row, Shape, rows};

/// A row that does not fit the schema.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The parent is not declared.
    #[error("{0}: its parent is not declared")]
    NoParent(&'static str),
    /// The row says that the field is declared, and it is not.
    #[error("{0}: not declared")]
    NotDeclared(&'static str),
    /// The row declares a field that is declared already.
    #[error("{0}: declared already")]
    Twice(&'static str),
    /// The row's schema is not JSON.
    #[error("{0}: its schema is not JSON")]
    Json(&'static str, #[source] serde_json::Error),
}

/// Longest list of objects that a manifest may hold where nothing reads them.
const MAX_ITEMS: u32 = 64;

pub(super) fn complete(root: &mut Value, kind: Kind) -> Result<(), TableError> {
    for row in rows().filter(|row| row.kind == kind) {
        let (path, name) = row.split();
        let parent = find(root, path).ok_or(TableError::NoParent(row.path))?;
        declare(parent, name, row)?;
        if row.class == Class::Dangerous {
            refuse(parent, row);
        }
    }
    Ok(())
}

fn find<'a>(root: &'a mut Value, path: &str) -> Option<&'a mut Map<String, Value>> {
    let mut schema = root;
    for name in path.split('.').filter(|name| !name.is_empty()) {
        schema = schema.get_mut("properties")?.get_mut(name)?;
    }
    schema.as_object_mut()
}

fn declare(parent: &mut Map<String, Value>, name: &str, row: &Row) -> Result<(), TableError> {
    let properties = parent.entry("properties").or_insert_with(|| json!({}));
    let declared = properties.get(name).is_some();
    match (declaration(row)?, declared) {
        (None, true) => Ok(()),
        (None, false) => Err(TableError::NotDeclared(row.path)),
        (Some(_), true) => Err(TableError::Twice(row.path)),
        (Some(mut schema), false) => {
            let note = match row.class {
                Class::ActedOn(_) => row.note.to_owned(),
                Class::Harmless => format!("Ignored: {}", row.note),
                Class::Dangerous => format!("Refused: {}", row.note),
            };
            schema["description"] = note.into();
            properties[name] = schema;
            Ok(())
        }
    }
}

fn declaration(row: &Row) -> Result<Option<Value>, TableError> {
    let open = || json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
    Ok(Some(match row.shape {
        Shape::Declared => return Ok(None),
        Shape::Object => open(),
        Shape::Objects => json!({ "type": "array", "maxItems": MAX_ITEMS, "items": open() }),
        Shape::Text => json!({ "type": "string", "maxLength": 253 }),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Quantity => json!({ "x-kubernetes-int-or-string": true }),
        Shape::Json(text) => serde_json::from_str(text).map_err(|error| TableError::Json(row.path, error))?,
    }))
}

fn refuse(parent: &mut Map<String, Value>, row: &Row) {
    let rule =
        json!({ "rule": row.absent_in("self"), "message": row.message(), "reason": "FieldValueForbidden" });
    let rules = parent
        .entry("x-kubernetes-validations")
        .or_insert_with(|| json!([]));
    if let Some(rules) = rules.as_array_mut() {
        rules.push(rule);
    }
}
