//! What a decider that has just started does not know yet, and therefore does not write over what is known.

use std::time::Duration;

use api::autoscaling::v1alpha1::{PostgresAutoscalerStatus as Status, VolumeStatus};
use jiff::Timestamp;
use units::Reason;

/// How long `after` is held back, `now`, by a decider that listens since `started`: until `grace` has passed, if it
/// would say of a volume that it is not measured, and what is stored says anything else.
pub(super) fn held_back(
    before: &Status,
    after: &Status,
    started: Timestamp,
    grace: Duration,
    now: Timestamp,
) -> Option<Duration> {
    let unmeasured = |v: &VolumeStatus| v.reason.as_deref() == Some(Reason::NotMeasured.as_str());
    let said = |v: &VolumeStatus| before.volumes.iter().any(|b| b.claim == v.claim && unmeasured(b));
    if !after.volumes.iter().any(|v| unmeasured(v) && !said(v)) {
        return None;
    }
    let since = Duration::try_from(now.duration_since(started)).unwrap_or(Duration::ZERO);
    grace.checked_sub(since).filter(|left| !left.is_zero())
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
        let started = clock.now();
        let known = status([Reason::BelowThreshold, Reason::BelowThreshold]);
        let half = status([Reason::BelowThreshold, Reason::NotMeasured]);
        let of = |before: &Status, after: &Status| held_back(before, after, started, GRACE, clock.now());
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
}
