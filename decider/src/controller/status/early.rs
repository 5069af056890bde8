//! What a decider does not know yet, and therefore does not write over what is known: just after its start, and just
//! after a pod's, whose first sample may be here before the pod itself.

use std::{collections::BTreeMap, time::Duration};

use api::autoscaling::v1alpha1::{PostgresAutoscalerStatus as Status, VolumeStatus};
use jiff::Timestamp;
use units::Reason;

/// Since when what is missing may be on its way.
pub(super) struct Since<'a> {
    /// This decider listens.
    pub(super) started: Timestamp,
    /// By claim: its volume is measured for a pod that is not known.
    pub(super) strangers: &'a BTreeMap<String, Timestamp>,
}

impl Since<'_> {
    fn of(&self, volume: &VolumeStatus) -> Option<Timestamp> {
        let says = |reason: Reason| volume.reason.as_deref() == Some(reason.as_str());
        if says(Reason::UnknownPod) {
            return self.strangers.get(&volume.claim).copied().max(Some(self.started));
        }
        says(Reason::NotMeasured).then_some(self.started)
    }
}

/// How long `after` is held back, `now`: until `grace` has passed, if it would say of a volume that it is not measured,
/// or not for a pod that is known, and what is stored says anything else.
pub(super) fn held_back(
    before: &Status,
    after: &Status,
    since: &Since<'_>,
    grace: Duration,
    now: Timestamp,
) -> Option<Duration> {
    let said = |v: &VolumeStatus| {
        before
            .volumes
            .iter()
            .any(|b| b.claim == v.claim && b.reason == v.reason)
    };
    let news = after.volumes.iter().filter(|v| !said(v));
    let left = news.filter_map(|v| {
        let passed = Duration::try_from(now.duration_since(since.of(v)?)).unwrap_or(Duration::ZERO);
        grace.checked_sub(passed)
    });
    left.max().filter(|left| !left.is_zero())
}

#[cfg(test)]
mod tests {
    use runtime::clock::{Clock, ManualClock};

    use super::*;

    const GRACE: Duration = Duration::from_secs(10);

    fn status(reasons: [Reason; 2]) -> Status {
        let volume = |(n, reason): (usize, Reason)| VolumeStatus {
            claim: format!("data-pg-{n}"),
            reason: Some(reason.as_str().into()),
            ..VolumeStatus::default()
        };
        Status {
            volumes: reasons.into_iter().enumerate().map(volume).collect(),
            ..Status::default()
        }
    }

    #[test]
    fn a_decider_that_has_just_started_does_not_say_that_nothing_is_measured() {
        let clock = ManualClock::new("2026-11-21T12:00:00Z".parse().unwrap());
        let (started, strangers) = (clock.now(), BTreeMap::new());
        let since = Since {
            started,
            strangers: &strangers,
        };
        let known = status([Reason::BelowThreshold, Reason::BelowThreshold]);
        let half = status([Reason::BelowThreshold, Reason::NotMeasured]);
        let of = |before: &Status, after: &Status| held_back(before, after, &since, GRACE, clock.now());
        assert_eq!(of(&known, &half), Some(GRACE));
        assert_eq!(
            of(&Status::default(), &half),
            Some(GRACE),
            "nothing is written yet"
        );
        assert_eq!(of(&half, &half), None, "said before");
        assert_eq!(of(&half, &known), None, "measured now");
        clock.advance(Duration::from_secs(7));
        assert_eq!(of(&known, &half), Some(Duration::from_secs(3)));
        clock.advance(Duration::from_secs(3));
        assert_eq!(of(&known, &half), None, "its agents had their time");
    }

    #[test]
    fn a_pod_that_is_not_known_yet_has_its_time_from_its_first_sample() {
        let clock = ManualClock::new("2026-11-21T12:00:00Z".parse().unwrap());
        let started = clock.now();
        clock.advance(Duration::from_secs(3600));
        let strangers = [("data-pg-1".to_owned(), clock.now())].into();
        let since = Since {
            started,
            strangers: &strangers,
        };
        let known = status([Reason::BelowThreshold, Reason::BelowThreshold]);
        let half = status([Reason::BelowThreshold, Reason::UnknownPod]);
        let of = |before: &Status, after: &Status| held_back(before, after, &since, GRACE, clock.now());
        clock.advance(Duration::from_secs(4));
        assert_eq!(of(&known, &half), Some(Duration::from_secs(6)));
        assert_eq!(
            of(&status([Reason::BelowThreshold, Reason::NotMeasured]), &half),
            Some(Duration::from_secs(6)),
            "not measured yet is what it is"
        );
        assert_eq!(of(&half, &half), None, "said before");
        clock.advance(Duration::from_secs(6));
        assert_eq!(of(&known, &half), None, "nobody knows it");
    }
}
