//! A quantity in an object: Kubernetes accepts a number or a text, and keeps what was written.
//!
//! Reading never fails here, so that one bad size does not make the whole object unreadable; the size is
//! judged where it is used, with [`QuantityText::bytes`].

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};
use units::{Bytes, QuantityError};

/// A quantity as written: `5Gi`, `"1594884096"` or `1594884096`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct QuantityText(pub String);

/// The pattern that Kubernetes' own generator gives to a Quantity.
pub const PATTERN: &str = r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$";

impl QuantityText {
    /// The size in bytes, a fraction rounded up.
    pub fn bytes(&self) -> Result<Bytes, QuantityError> {
        Bytes::parse_quantity(&self.0)
    }
}

impl From<Bytes> for QuantityText {
    fn from(size: Bytes) -> Self {
        Self(size.to_string())
    }
}

impl From<&str> for QuantityText {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for QuantityText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl<'de> Deserialize<'de> for QuantityText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Visitor)
    }
}

struct Visitor;

impl de::Visitor<'_> for Visitor {
    type Value = QuantityText;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a quantity, as a number or a text")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<QuantityText, E> {
        Ok(QuantityText(text.to_owned()))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<QuantityText, E> {
        Ok(QuantityText(number.to_string()))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<QuantityText, E> {
        Ok(QuantityText(number.to_string()))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<QuantityText, E> {
        Ok(QuantityText(number.to_string()))
    }
}

impl JsonSchema for QuantityText {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Quantity".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "x-kubernetes-int-or-string": true, "pattern": PATTERN })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::QuantityText;

    #[test]
    fn a_number_and_a_text_read_alike_and_nonsense_still_reads() {
        for (value, bytes) in [
            (json!(1024), Some(1024)),
            (json!("1Ki"), Some(1024)),
            (json!(-1), None),
            (json!(""), None),
        ] {
            let read: QuantityText = serde_json::from_value(value.clone()).unwrap();
            assert_eq!(read.bytes().ok().map(units::Bytes::get), bytes, "{value}");
        }
    }
}
