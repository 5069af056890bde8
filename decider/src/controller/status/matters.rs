//! Whether a status differs from the stored one enough to be written.

use std::time::Duration;

use api::autoscaling::v1alpha1::{PostgresAutoscalerStatus as Status, VolumeStatus};
use jiff::Timestamp;
use units::{Bytes, Reason};

use super::{DECISION, full_in};

/// Usage alone is written at most this often for one autoscaler.
const USAGE_PERIOD: Duration = Duration::from_secs(10);
/// A prediction that is no cause for haste, before and after: a volume that fills by small steps is predicted anew at each.
const CALM_PERIOD: Duration = Duration::from_secs(600);

/// When a status is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// It says what is stored.
    Never,
    /// Usage alone has moved, and was written a short time ago.
    In(Duration),
    /// Usage alone has moved.
    NowForUsage,
    /// Something else differs.
    Now,
}

/// When `after` is to be written over `before`, usage alone having been written last at `written`.
pub(super) fn due(before: &Status, after: &Status, written: Option<Timestamp>, now: Timestamp) -> Due {
    if more_than_usage(before, after) {
        return Due::Now;
    }
    let period = if usage(before, after) {
        USAGE_PERIOD
    } else if before.full_in == after.full_in {
        return Due::Never;
    } else if [before, after]
        .iter()
        .all(|s| full_in::is_far(s.full_in.as_deref()))
    {
        CALM_PERIOD
    } else {
        USAGE_PERIOD
    };
    let since = written.map(|at| Duration::try_from(now.duration_since(at)).unwrap_or(Duration::ZERO));
    match since.and_then(|since| period.checked_sub(since)) {
        Some(left) if !left.is_zero() => Due::In(left),
        Some(_) | None => Due::NowForUsage,
    }
}

/// Something differs besides usage and the times and words that follow from it.
fn more_than_usage(before: &Status, after: &Status) -> bool {
    stripped(before) != stripped(after) || capacity(before, after)
}

/// A filesystem has another size: by a thousandth at least, since those of some waver by a few blocks.
fn capacity(before: &Status, after: &Status) -> bool {
    let size = |v: &VolumeStatus| Some(Bytes::parse_quantity(v.capacity.as_deref()?).ok()?.get());
    let mut pairs = after.volumes.iter().filter_map(|now| {
        let then = before.volumes.iter().find(|v| v.claim == now.claim)?;
        Some((size(then), size(now)))
    });
    pairs.any(|(then, now)| match (then, now) {
        (Some(then), Some(now)) => u128::from(then.abs_diff(now)) * 1000 >= u128::from(now.max(1)),
        (then, now) => then != now,
    })
}

/// Reasons whose words hold the present usage.
fn speaks_of_usage(reason: Option<&str>) -> bool {
    reason.and_then(Reason::of_word).is_some_and(|reason| {
        reason.is_trigger()
            || matches!(
                reason,
                Reason::BelowThreshold | Reason::IfReadySuperseded | Reason::Shadow
            )
    })
}

/// The status without what changes with usage alone, and without times that follow from the rest.
fn stripped(status: &Status) -> Status {
    let mut status = status.clone();
    (status.usage, status.full_in) = (None, None);
    for volume in &mut status.volumes {
        (volume.used, volume.available, volume.used_percent, volume.since) = (None, None, None, None);
        (volume.capacity, volume.rate, volume.full_in) = (None, None, None);
        if speaks_of_usage(volume.reason.as_deref()) {
            volume.message = None;
        }
    }
    for condition in &mut status.conditions {
        condition.last_transition_time = None;
        condition.observed_generation = None;
        if condition.type_ == DECISION && speaks_of_usage(condition.reason.as_deref()) {
            condition.message = None;
        }
    }
    if let Some(decision) = &mut status.last_decision {
        (decision.at, decision.message) = (None, None);
    }
    status
}

/// A volume's usage has moved by a hundredth of its capacity since it was written.
fn usage(before: &Status, after: &Status) -> bool {
    after.volumes.iter().any(|now| {
        let then = before.volumes.iter().find(|v| v.claim == now.claim);
        let size = |text: Option<&String>| text.and_then(|t| Bytes::parse_quantity(t).ok()).map(Bytes::get);
        match (
            then.and_then(|v| size(v.used.as_ref())),
            size(now.used.as_ref()),
            size(now.capacity.as_ref()),
        ) {
            (Some(then), Some(now), Some(capacity)) => {
                u128::from(then.abs_diff(now)) * 100 >= u128::from(capacity)
            }
            (then, now, _) => then != now,
        }
    })
}

#[cfg(test)]
mod tests {
    use api::conditions::Condition;

    use super::*;

    fn status(used: u64, reason: &str) -> Status {
        let volume = VolumeStatus {
            claim: "data-pg-0".into(),
            capacity: Some("1000".into()),
            used: Some(used.to_string()),
            reason: Some(reason.into()),
            message: Some(format!("{used} used")),
            ..VolumeStatus::default()
        };
        Status {
            reason: Some(reason.into()),
            conditions: vec![Condition::new(DECISION, true, reason, format!("{used} used"))],
            volumes: vec![volume],
            ..Status::default()
        }
    }

    #[test]
    fn usage_alone_matters_by_the_hundredth() {
        let before = status(500, "BelowThreshold");
        assert_eq!(stripped(&before), stripped(&status(600, "BelowThreshold")));
        assert!(!usage(&before, &status(509, "BelowThreshold")));
        assert!(
            !usage(&before, &status(491, "BelowThreshold")),
            "a jitter about a percent changes nothing"
        );
        assert!(usage(&before, &status(510, "BelowThreshold")));
        assert!(usage(&Status::default(), &before));
    }

    #[test]
    fn usage_held_back_is_due_when_the_period_has_passed() {
        let at = |second: i64| Timestamp::from_second(1_800_000_000 + second).unwrap();
        let (before, moved) = (status(500, "BelowThreshold"), status(600, "BelowThreshold"));
        let due_at = |second| due(&before, &moved, Some(at(0)), at(second));
        assert_eq!(due(&before, &moved, None, at(0)), Due::NowForUsage);
        assert_eq!(due_at(3), Due::In(Duration::from_secs(7)));
        assert_eq!(due_at(10), Due::NowForUsage);
        assert_eq!(due(&before, &before, Some(at(0)), at(99)), Due::Never);
        let stale = status(600, "Stale");
        assert_eq!(due(&before, &stale, Some(at(0)), at(1)), Due::Now);
    }

    #[test]
    fn a_prediction_beyond_an_hour_is_not_written_at_each_step() {
        let at = |second: i64| Timestamp::from_second(1_800_000_000 + second).unwrap();
        let full_in = |label: Option<&str>| Status {
            full_in: label.map(str::to_owned),
            ..status(500, "BelowThreshold")
        };
        let due_of = |before, after| due(&full_in(before), &full_in(after), Some(at(0)), at(10));
        assert_eq!(due_of(Some(">7d"), Some("2h")), Due::In(Duration::from_secs(590)));
        assert_eq!(due_of(Some("2h"), Some("30m")), Due::NowForUsage);
        assert_eq!(due_of(Some("30m"), Some(">7d")), Due::NowForUsage);
        assert_eq!(due_of(None, Some(">7d")), Due::NowForUsage, "the first one");
        assert_eq!(due_of(Some("2h"), Some("2h")), Due::Never);
    }

    #[test]
    fn a_size_matters_by_the_thousandth() {
        let sized = |capacity: u64| {
            let mut status = status(500, "BelowThreshold");
            status.volumes[0].capacity = Some(capacity.to_string());
            status
        };
        assert!(!more_than_usage(&sized(1_000_000), &sized(999_100)));
        assert!(more_than_usage(&sized(1_000_000), &sized(1_001_002)));
        let mut unknown = sized(1_000_000);
        unknown.volumes[0].capacity = None;
        assert!(more_than_usage(&sized(1_000_000), &unknown));
    }

    #[test]
    fn another_reason_or_other_words_matter() {
        let before = status(500, "BelowThreshold");
        assert_ne!(stripped(&before), stripped(&status(500, "Stale")));
        assert_ne!(
            stripped(&status(500, "Stale")),
            stripped(&status(501, "Stale")),
            "its words hold no usage"
        );
    }
}
