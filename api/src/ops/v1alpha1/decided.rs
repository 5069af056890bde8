//! What a decider writes on its request of how it came about.

use std::collections::BTreeMap;

use jiff::Timestamp;
use kube::{Resource, ResourceExt as _};
use serde::{Deserialize, Serialize};

use crate::names::ANNOTATION_DECIDED;

/// When a growth was decided, and by which measurements: annotation [`ANNOTATION_DECIDED`] of a request, JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Decided {
    /// When it was decided.
    pub at: Timestamp,
    /// When what was known of each claim had been measured. Of the one that made the growth necessary this is the first
    /// measurement above its threshold, unless something stood in the way before.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub measured: BTreeMap<String, Timestamp>,
}

impl Decided {
    /// What a PostgresOpsRequest says of it; one that was made by hand says nothing.
    #[must_use]
    pub fn of(request: &impl Resource) -> Option<Self> {
        let text = request.annotations().get(ANNOTATION_DECIDED)?;
        serde_json::from_str(text).ok()
    }
}
