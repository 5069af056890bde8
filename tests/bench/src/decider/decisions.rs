//! What deciding costs by itself: the decider's own function on one thread, over databases like those of the fleet that were made
//! beforehand. Left out is what gathering does: joining objects, reading policies, and rates of windows.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use decider_core::{
    Claim, Database, Decision, Modifications, Point, Policy, PolicySpec, Profile, Raw, Resize, Room,
    RuleSpec, Sample, Seen, Usage, Volume, Window, decide,
};
use jiff::{SignedDuration, Timestamp};
use runtime::clock::{Clock, SystemClock};
use units::Bytes;

use super::fleet::{self, CAPACITY, Fleet, MEMBERS, STEP};

/// The median of so many sweeps.
const SWEEPS: usize = 5;
/// As the decider has it by default.
const STALE_AFTER: Duration = Duration::from_secs(10);

/// How long one sweep takes.
///
/// # Errors
/// When a measurement of the fleet cannot be believed, or a decision is another than expected: nothing is due.
pub fn sweep(fleet: Fleet) -> anyhow::Result<Duration> {
    let now = SystemClock.now();
    let databases: Vec<Database> = (0..fleet.databases())
        .map(|index| database(fleet, index, now))
        .collect::<anyhow::Result<_>>()?;
    let (policy, profile) = (policy(), profile());
    let mut times = Vec::new();
    for _ in 0..SWEEPS {
        let (began, mut holds) = (Instant::now(), 0);
        for database in &databases {
            let decision = decide(database, &policy, &profile, now);
            holds += usize::from(matches!(decision, Decision::Hold { .. }));
        }
        times.push(began.elapsed());
        ensure!(holds == databases.len(), "{holds} of {} hold", databases.len());
    }
    times.sort_unstable();
    times.get(SWEEPS / 2).copied().context("no sweep")
}

fn database(fleet: Fleet, index: u32, now: Timestamp) -> anyhow::Result<Database> {
    let volumes = (0..MEMBERS).map(|member| volume(fleet, index * MEMBERS + member, now));
    let name = format!("{}/{}", fleet::namespace(index), fleet::database(index));
    Ok(Database {
        rooms: vec![Room::Sum {
            what: "ResourceQuota storage".into(),
            left: Bytes::new(50 << 40),
        }],
        ..Database::of(&name, volumes.collect::<anyhow::Result<_>>()?)
    })
}

/// A volume that has been rising by a step now and then.
fn volume(fleet: Fleet, index: u32, now: Timestamp) -> anyhow::Result<Volume> {
    let seconds_ago = |seconds| now - SignedDuration::from_secs(seconds);
    let used = CAPACITY / 2 + u64::from(index % 100) * STEP;
    let past = |step: i64| Point {
        at: seconds_ago(step * 50 + 1),
        used: Bytes::new(used - step.unsigned_abs() * STEP),
        capacity: Bytes::new(CAPACITY),
    };
    let mut window = Window::default();
    (0..12).rev().for_each(|step| window.push(past(step)));
    let raw = Raw {
        capacity: CAPACITY,
        available: CAPACITY - used,
        used,
        inodes_total: 6_553_600,
        inodes_free: 6_500_000,
        read_only: false,
        sampled_at: seconds_ago(1),
    };
    let sample = Sample::check(raw, now).ok().context("not believed")?;
    let size = Bytes::new(CAPACITY);
    Ok(Volume {
        claim: Claim {
            name: fleet::claim(index),
            request: size,
            capacity: size,
            device: size,
            charged: size,
            mounted: true,
            class: "fast".into(),
            expandable: true,
            other_controller: None,
        },
        usage: Usage::Seen(Seen {
            sample,
            as_of: now,
            trend: window.trend(now),
            node: fleet::node(fleet.node_of(index)),
            fixed_inodes: true,
            network: false,
            shared: false,
            stuck: None,
        }),
        resize: Resize::Settled,
        before_growth: None,
    })
}

fn policy() -> Policy {
    let rule = |applies_upto: &str, threshold: &str| RuleSpec {
        applies_upto: applies_upto.into(),
        threshold: threshold.into(),
    };
    let spec = PolicySpec {
        trigger: Some("On".into()),
        usage_threshold: Some(80),
        rules: vec![rule("500Gi", "50pc"), rule("", "20pc")],
        upper_bound: Some("1Ti".into()),
        ..PolicySpec::default()
    };
    Policy::read(&spec, STALE_AFTER)
}

/// One with every limit.
fn profile() -> Profile {
    Profile {
        name: "fast".into(),
        granularity: Bytes::GIB,
        maximum_size: Some(Bytes::new(64 << 40)),
        modifications: Some(Modifications {
            count: 4,
            window: Duration::from_secs(24 * 3_600),
            reserve: 1,
            minimum_interval: Duration::ZERO,
        }),
        ..Profile::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_fleet_is_decided() {
        assert!(sweep(Fleet::of(1)).unwrap() > Duration::ZERO);
    }
}
