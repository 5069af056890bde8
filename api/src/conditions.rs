//! Conditions in KubeDB's shape (kmodules/client-go `api/v1`, Apache-2.0): `reason` and `message` need not be there.
//!
//! [`set_condition`] is the only way to change a list, so that a condition's time moves only when it changes.

use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

/// One aspect of an object's state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["type", "status", "lastTransitionTime"]))]
pub struct Condition {
    /// Which aspect.
    #[serde(rename = "type")]
    #[schemars(length(max = 316))]
    pub type_: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// When status, reason or message last changed, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub last_transition_time: Option<String>,
    /// The generation of the spec that the condition speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Error`, `Warning`, `Info` or empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// Cause in one word.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub reason: Option<String>,
    /// The same in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32768))]
    pub message: Option<String>,
}

/// The schema of every list of conditions of ours: one of each type, so that two writers can apply theirs side by side.
pub(crate) fn by_type(generator: &mut SchemaGenerator) -> Schema {
    let mut list = generator.subschema_for::<Vec<Condition>>();
    list.insert("x-kubernetes-list-type".into(), "map".into());
    list.insert("x-kubernetes-list-map-keys".into(), vec!["type"].into());
    list
}

impl Condition {
    /// A condition; its time is set by [`set_condition`].
    #[must_use]
    pub fn new(type_: &str, status: bool, reason: &str, message: impl Into<String>) -> Self {
        Condition {
            type_: type_.to_owned(),
            status: if status { "True" } else { "False" }.to_owned(),
            reason: Some(reason.to_owned()),
            message: Some(message.into()),
            ..Condition::default()
        }
    }

    /// The same, speaking of this generation of the spec.
    #[must_use]
    pub fn observed(mut self, generation: Option<i64>) -> Self {
        self.observed_generation = generation;
        self
    }

    /// True when the status is `True`.
    #[must_use]
    pub fn is_true(&self) -> bool {
        self.status == "True"
    }
}

/// The condition of this type.
#[must_use]
pub fn find<'a>(conditions: &'a [Condition], type_: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.type_ == type_)
}

/// True when the condition of this type is there and `True`.
#[must_use]
pub fn is_true(conditions: &[Condition], type_: &str) -> bool {
    find(conditions, type_).is_some_and(Condition::is_true)
}

/// Puts the condition into the list; false when that changes nothing.
///
/// As KubeDB's: the same status, reason and message leave the stored one untouched, and one that speaks of an
/// older generation than the stored is dropped. A change sets the time to `now`. Others' conditions stay.
pub fn set_condition(conditions: &mut Vec<Condition>, mut condition: Condition, now: Timestamp) -> bool {
    let stored = conditions
        .iter_mut()
        .find(|stored| stored.type_ == condition.type_);
    if let Some(stored) = &stored {
        let same =
            |a: &Option<String>, b: &Option<String>| a.as_deref().unwrap_or("") == b.as_deref().unwrap_or("");
        let unchanged = stored.status == condition.status
            && same(&stored.reason, &condition.reason)
            && same(&stored.message, &condition.message);
        if unchanged
            || condition
                .observed_generation
                .is_some_and(|new| stored.observed_generation > Some(new))
        {
            return false;
        }
    }
    condition.last_transition_time = Some(time_text(now));
    match stored {
        Some(stored) => *stored = condition,
        None => conditions.push(condition),
    }
    true
}

/// Takes the condition of this type out of the list; false when it was not there.
pub fn remove_condition(conditions: &mut Vec<Condition>, type_: &str) -> bool {
    let before = conditions.len();
    conditions.retain(|condition| condition.type_ != type_);
    conditions.len() != before
}

/// RFC 3339 in whole seconds, as Kubernetes' `metav1.Time`.
#[must_use]
pub fn time_text(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{Condition, find, is_true, remove_condition, set_condition, time_text};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn the_time_moves_only_with_a_change() {
        let mut list = vec![Condition::new("Other", true, "", "")];
        assert!(set_condition(
            &mut list,
            Condition::new("A", true, "R", "m"),
            at(1)
        ));
        assert!(!set_condition(
            &mut list,
            Condition::new("A", true, "R", "m"),
            at(2)
        ));
        assert_eq!(
            find(&list, "A").unwrap().last_transition_time.as_deref(),
            Some("1970-01-01T00:00:01Z")
        );
        assert!(set_condition(
            &mut list,
            Condition::new("A", true, "R", "other"),
            at(3)
        ));
        assert_eq!(
            find(&list, "A").unwrap().last_transition_time,
            Some(time_text(at(3)))
        );
        assert_eq!(list.len(), 2, "others' conditions stay");
    }

    #[test]
    fn an_absent_reason_is_an_empty_one() {
        let bare = Condition {
            type_: "A".into(),
            status: "True".into(),
            ..Condition::default()
        };
        let mut list = vec![bare];
        assert!(!set_condition(
            &mut list,
            Condition::new("A", true, "", ""),
            at(1)
        ));
    }

    #[test]
    fn news_of_an_older_generation_are_dropped() {
        let mut list = Vec::new();
        assert!(set_condition(
            &mut list,
            Condition::new("A", true, "R", "m").observed(Some(3)),
            at(1)
        ));
        assert!(!set_condition(
            &mut list,
            Condition::new("A", false, "R", "m").observed(Some(2)),
            at(2)
        ));
        assert!(is_true(&list, "A"));
        assert!(set_condition(
            &mut list,
            Condition::new("A", false, "R", "m").observed(Some(4)),
            at(3)
        ));
        assert!(
            set_condition(&mut list, Condition::new("A", true, "R", "m"), at(4)),
            "one without a generation counts"
        );
    }

    #[test]
    fn removing_says_whether_it_was_there() {
        let mut list = vec![Condition::new("A", true, "", "")];
        assert!(remove_condition(&mut list, "A"));
        assert!(!remove_condition(&mut list, "A"));
    }

    #[test]
    fn kubedbs_step_condition_reads() {
        let read: Condition = serde_json::from_value(serde_json::json!({
            "type": "IsPvcData-dcdb-0Updated", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z",
            "message": "is pvc data-dcdb-0 updated; ConditionStatus:True"
        }))
        .unwrap();
        assert_eq!(read.reason, None);
    }
}
