//! Schemas of parts that are passed through without being read.

use schemars::{Schema, SchemaGenerator, json_schema};

/// An object of any content, kept as it is.
pub(crate) fn any_object(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true })
}
