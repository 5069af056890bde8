//! When a volume is full, in steps: a status that followed every second of it would be written every second.

use std::time::Duration;

use api::{
    autoscaling::v1alpha1::{CanGrow, PostgresAutoscalerStatus as Status},
    conditions,
};
use decider_core::{Record, VolumeRecord};

/// The steps, with what is told: at least so long.
const STEPS: [(u64, &str); 17] = [
    (0, "0s"),
    (10, "10s"),
    (30, "30s"),
    (60, "1m"),
    (120, "2m"),
    (300, "5m"),
    (600, "10m"),
    (1_200, "20m"),
    (1_800, "30m"),
    (3_600, "1h"),
    (7_200, "2h"),
    (14_400, "4h"),
    (28_800, "8h"),
    (43_200, "12h"),
    (86_400, "1d"),
    (172_800, "2d"),
    (345_600, "4d"),
];
/// Beyond this nothing is predicted from an hour's past.
const WEEK: Duration = Duration::from_secs(7 * 86_400);
const NOT_WITHIN_A_WEEK: &str = ">7d";

/// For one volume; `None` where its rate is not known.
pub(super) fn of(volume: &VolumeRecord) -> Option<String> {
    step(volume).map(|step| text(step).to_owned())
}

/// For the volume that is full first. What is not known yet leaves what is written, and one step more is not written:
/// it may be one less the next time.
pub(super) fn of_all(record: &Record, before: &Status) -> Option<String> {
    let steps = record.volumes.iter().filter_map(step);
    let Some(first) = steps.min() else {
        return before.full_in.clone();
    };
    match before.full_in.as_deref() {
        Some(label) if position(label).map(|step| step + 1) == Some(first) => Some(label.to_owned()),
        _ => Some(text(first).to_owned()),
    }
}

/// It says an hour at least.
pub(super) fn is_far(label: Option<&str>) -> bool {
    label.is_some_and(|label| least(label).is_none_or(|least| least >= 3_600))
}

/// What a label says at least, in seconds; `None` beyond the steps.
fn least(label: &str) -> Option<u64> {
    position(label).map(|step| STEPS[step].0)
}

fn position(label: &str) -> Option<usize> {
    STEPS.iter().position(|(_, text)| *text == label)
}

/// Below these times somebody is warned, in seconds: a day, an hour, ten minutes.
const WARNED_BELOW: [u64; 3] = [86_400, 3_600, 600];

/// How many of the warnings a label is below.
fn urgency(label: Option<&str>) -> usize {
    let least = label.and_then(least);
    least.map_or(0, |least| {
        WARNED_BELOW.iter().filter(|bound| least < **bound).count()
    })
}

/// What is to be said of a database that cannot grow: when its time to full falls below the next of a day, an hour and
/// ten minutes, and when it is there already as it loses the ability. What was said is known by the stored status.
pub(super) fn warning(before: &Status, after: &Status) -> Option<String> {
    if after.can_grow != Some(CanGrow::No) {
        return None;
    }
    let could = before.can_grow == Some(CanGrow::Yes);
    let said = if could {
        0
    } else {
        urgency(before.full_in.as_deref())
    };
    let label = after.full_in.as_deref()?;
    (urgency(Some(label)) > said).then(|| {
        let why = conditions::find(&after.conditions, super::CAN_GROW).and_then(|c| c.message.as_deref());
        format!(
            "full in about {label} and cannot grow: {}",
            why.unwrap_or("no reason is known")
        )
    })
}

/// Index of the step; one beyond the last for what is far away or never.
fn step(volume: &VolumeRecord) -> Option<usize> {
    let left = match volume.full_in {
        None => {
            volume.trend.rate?;
            return Some(STEPS.len());
        }
        Some(left) if left >= WEEK => return Some(STEPS.len()),
        Some(left) => left.as_secs(),
    };
    STEPS.iter().rposition(|(least, _)| *least <= left)
}

fn text(step: usize) -> &'static str {
    STEPS.get(step).map_or(NOT_WITHIN_A_WEEK, |(_, text)| text)
}

#[cfg(test)]
mod tests {
    use decider_core::{Rate, Trend};
    use units::Reason;

    use super::*;

    fn record(full_in: Option<u64>) -> Record {
        let volume = VolumeRecord {
            claim: "data-pg-0".into(),
            node: None,
            usage: None,
            inodes: None,
            sample_age: None,
            sampled_at: None,
            trend: Trend {
                rate: full_in.map(|_| Rate::new(1)),
                sustained: None,
            },
            full_in: full_in.filter(|s| *s > 0).map(Duration::from_secs),
            lead: None,
            reason: Reason::BelowThreshold,
            text: String::new(),
        };
        Record {
            at: jiff::Timestamp::UNIX_EPOCH,
            reason: Reason::BelowThreshold,
            text: String::new(),
            volumes: vec![volume],
            alternatives: Vec::new(),
            sizing: None,
            barrier: None,
            notes: Vec::new(),
        }
    }

    fn after(before: Option<&str>, full_in: Option<u64>) -> Option<String> {
        let before = Status {
            full_in: before.map(str::to_owned),
            ..Status::default()
        };
        of_all(&record(full_in), &before)
    }

    #[test]
    fn it_is_told_in_steps() {
        for (seconds, wanted) in [
            (5, "0s"),
            (59, "30s"),
            (86_399, "12h"),
            (604_799, "4d"),
            (604_800, ">7d"),
        ] {
            assert_eq!(after(None, Some(seconds)).as_deref(), Some(wanted), "{seconds}");
        }
        assert_eq!(after(None, Some(0)).as_deref(), Some(">7d"), "never");
        assert_eq!(after(None, None), None, "not known");
    }

    #[test]
    fn what_wavers_about_a_border_is_written_once() {
        assert_eq!(after(Some("1h"), Some(7_300)).as_deref(), Some("1h"));
        assert_eq!(after(Some("1h"), Some(14_400)).as_deref(), Some("4h"));
        assert_eq!(
            after(Some("2h"), Some(7_100)).as_deref(),
            Some("1h"),
            "sooner is told at once"
        );
        assert_eq!(after(Some("4d"), Some(0)).as_deref(), Some("4d"));
        assert_eq!(after(Some("2h"), None).as_deref(), Some("2h"), "just started");
    }

    #[test]
    fn who_cannot_grow_is_warned_at_a_day_an_hour_and_ten_minutes() {
        let status = |can_grow, label: Option<&str>| Status {
            can_grow: Some(can_grow),
            full_in: label.map(str::to_owned),
            ..Status::default()
        };
        let no = |label| status(CanGrow::No, Some(label));
        let mut last = status(CanGrow::No, None);
        let mut said = Vec::new();
        for label in [">7d", "1d", "12h", "8h", "1h", "30m", "20m", "10m", "5m", "0s"] {
            let next = no(label);
            said.extend(warning(&last, &next).map(|_| label));
            last = next;
        }
        assert_eq!(said, ["12h", "30m", "5m"]);
        assert!(warning(&no("12h"), &no("2d")).is_none(), "it has time again");
        assert!(
            warning(&no("2d"), &no("5m"))
                .unwrap()
                .starts_with("full in about 5m")
        );
        let could = |label| status(CanGrow::Yes, Some(label));
        assert!(warning(&could("2h"), &could("30m")).is_none(), "it will grow");
        assert!(warning(&could("30m"), &no("30m")).is_some(), "it cannot any more");
    }
}
