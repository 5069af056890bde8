//! The hold: one ordinal of a set whose pod stays away while its volume is worked on.
//!
//! The executor writes it as an annotation, which no definition prunes; the PetSet controller acknowledges it in
//! [`super::PetSetStatus::hold`] before the executor deletes the pod. One per set.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::PetSet;
use crate::names::ANNOTATION_HOLD;

/// What is asked of the PetSet controller: make no pod of this ordinal, delete none.
///
/// It is ignored once it has expired, or its request is finished or gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// The ordinal.
    pub ordinal: i32,
    /// Name of the PostgresOpsRequest, in the set's namespace.
    pub request: String,
    /// Its uid.
    pub uid: String,
    /// When it ends by itself.
    pub expires: Timestamp,
}

/// The annotation holds something else.
#[derive(Debug, Error)]
#[error("annotation {ANNOTATION_HOLD} of the PetSet is not a hold; remove it")]
pub struct BadHold(#[source] serde_json::Error);

impl Hold {
    /// The hold on this set, when there is one.
    ///
    /// # Errors
    /// When the annotation cannot be read.
    pub fn of(set: &PetSet) -> Result<Option<Hold>, BadHold> {
        let annotations = set.metadata.annotations.as_ref();
        let text = annotations.and_then(|annotations| annotations.get(ANNOTATION_HOLD));
        text.map(|text| serde_json::from_str(text).map_err(BadHold))
            .transpose()
    }

    /// The annotation's value.
    #[must_use]
    pub fn text(&self) -> String {
        serde_json::json!(self).to_string()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Hold;
    use crate::petset::v1::PetSet;

    fn annotated(value: &str) -> PetSet {
        serde_json::from_value(
            json!({"metadata": {"name": "db", "annotations": {"highwater.dev/hold": value}}, "spec": {}}),
        )
        .unwrap()
    }

    #[test]
    fn what_is_written_is_read() {
        let hold = Hold {
            ordinal: 2,
            request: "grow".into(),
            uid: "u-1".into(),
            expires: "2026-01-02T03:04:05Z".parse().unwrap(),
        };
        assert_eq!(Hold::of(&annotated(&hold.text())).unwrap(), Some(hold));
        assert_eq!(Hold::of(&PetSet::default()).unwrap(), None);
    }

    #[test]
    fn anything_else_is_an_error_that_names_the_annotation() {
        for text in ["", "2", "{}", r#"{"ordinal": -1}"#] {
            let error = Hold::of(&annotated(text)).unwrap_err();
            assert!(error.to_string().contains("highwater.dev/hold"), "{text}");
        }
    }
}
