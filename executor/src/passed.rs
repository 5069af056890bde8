//! The stages that the claims of a request have passed, with their times.
//!
//! A usual growth is over before anything about it would be written: its times are kept here, and written with its end.

use std::{collections::BTreeMap, time::Duration};

use api::ops::v1alpha1::{Decided, PostgresOpsRequest};
use control::whole::Whole;
use executor_core::{Request, request::Stage};
use jiff::Timestamp;

/// By claim, in the order in which they were first seen: no more than there are stages.
#[derive(Debug, Clone, Default)]
pub(crate) struct Passed(BTreeMap<String, Vec<(Stage, Timestamp)>>);

/// A part of the way, of which begin and end were seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leg {
    /// The device of a claim has grown.
    Volume,
    /// Its filesystem has grown as well, so long after the device.
    Filesystem(Duration),
}

impl Passed {
    /// Takes in where the claims are `now`; answers what has ended since the last time.
    pub(crate) fn see(&mut self, stages: Vec<(String, Stage)>, now: Timestamp) -> Vec<Leg> {
        let mut legs = Vec::new();
        for (claim, stage) in stages {
            let passed = self.0.entry(claim).or_default();
            if passed.iter().any(|(known, _)| *known == stage) {
                continue;
            }
            legs.extend(leg(passed, stage, now));
            passed.push((stage, now));
        }
        legs
    }

    /// What one claim has passed.
    pub(crate) fn of(&self, claim: &str) -> &[(Stage, Timestamp)] {
        self.0.get(claim).map_or(&[], Vec::as_slice)
    }
}

/// When the way of a request began: with the decision for it; of one that was made by hand with its creation, of which only the
/// second is known.
pub(crate) fn begun(whole: &Whole<PostgresOpsRequest>, request: &Request) -> Timestamp {
    Decided::of(whole).map_or(request.created, |decided| decided.at)
}

/// What ends with this stage. Of a claim that is first seen in it nothing is known of the way there.
fn leg(passed: &[(Stage, Timestamp)], stage: Stage, now: Timestamp) -> Option<Leg> {
    let has_device = |stage: Stage| stage >= Stage::FileSystemPending;
    let device = passed.iter().find(|(known, _)| has_device(*known));
    match device {
        Some((Stage::FileSystemPending, since)) if stage == Stage::Grown => {
            let took = Duration::try_from(now.duration_since(*since));
            took.ok().map(Leg::Filesystem)
        }
        None if has_device(stage) && !passed.is_empty() => Some(Leg::Volume),
        Some(_) | None => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::observe::request::request;

    fn at(milli: i64) -> Timestamp {
        Timestamp::from_millisecond(1_800_000_000_000 + milli).unwrap()
    }

    fn walk(stages: &[Stage]) -> (Vec<Leg>, Passed) {
        let mut passed = Passed::default();
        let legs = stages.iter().enumerate().flat_map(|(n, stage)| {
            let now = at(250 * i64::try_from(n).unwrap());
            passed.see(vec![("data-pg-0".into(), *stage)], now)
        });
        (legs.collect(), passed)
    }

    #[test]
    fn each_part_of_the_way_is_timed_once() {
        use Stage::{FileSystemPending, Grown, Pending, Resizing};
        let way = [
            Pending,
            Resizing,
            Resizing,
            FileSystemPending,
            FileSystemPending,
            Grown,
            Grown,
        ];
        let (legs, passed) = walk(&way);
        assert_eq!(legs, [Leg::Volume, Leg::Filesystem(Duration::from_millis(500))]);
        let expected = [
            (Pending, at(0)),
            (Resizing, at(250)),
            (FileSystemPending, at(750)),
            (Grown, at(1_250)),
        ];
        assert_eq!(passed.of("data-pg-0"), expected);
        assert!(passed.of("data-pg-1").is_empty());
    }

    #[test]
    fn the_way_begins_with_the_decision_where_one_is_told() {
        let begun = |annotations: Value| {
            let whole: Whole<PostgresOpsRequest> = serde_json::from_value(json!({
                "spec": {"databaseRef": {"name": "pg"}}, "metadata": {
                    "name": "grow", "creationTimestamp": "2026-11-21T10:00:00Z", "annotations": annotations},
            }))
            .unwrap();
            super::begun(&whole, &request(&whole).unwrap()).to_string()
        };
        let decided = json!({"highwater.dev/decided": r#"{"at":"2026-11-21T10:00:00.700Z"}"#});
        assert_eq!(begun(decided), "2026-11-21T10:00:00.7Z");
        let garbled = json!({"highwater.dev/decided": "at ten"});
        assert_eq!(begun(garbled), "2026-11-21T10:00:00Z");
        assert_eq!(begun(json!({})), "2026-11-21T10:00:00Z");
    }

    #[test]
    fn what_was_not_seen_is_not_timed() {
        assert!(walk(&[Stage::Grown]).0.is_empty(), "it had grown before");
        assert!(walk(&[Stage::FileSystemPending]).0.is_empty());
        let (legs, _) = walk(&[Stage::Resizing, Stage::Grown]);
        assert_eq!(
            legs,
            [Leg::Volume],
            "both ends of the device, not of the filesystem"
        );
        let (legs, _) = walk(&[Stage::FileSystemPending, Stage::Grown]);
        assert_eq!(legs.len(), 1, "{legs:?}");
    }
}
