//! A storage class that nobody knows: its driver is taken to grow volumes in use, as often as asked and without limit, within
//! a minute. What keeps its volumes from growing without end does not come from a profile.

use std::time::Duration;

use decider_core::{Decision, PastGrowth, Policy, Profile, Rate, Trend, decide};
use jiff::SignedDuration;
use units::{Bytes, Reason};

use crate::scene::{self, GIB, MIB, STALE_AFTER, Scene, first_seen, full};

/// A full gigabyte of a class that nobody knows.
fn unknown(size: u64, used: u64) -> Scene {
    let mut scene = full();
    scene.profile = Profile::default();
    scene.db.volumes = vec![scene::volume(0, size, used)];
    scene
}

/// A day in which something fills whatever there is to 85 %: the sizes, and what was answered at its end.
fn filled_all_day(mut scene: Scene) -> (Vec<u64>, Reason) {
    let (mut sizes, mut last) = (vec![GIB], None);
    for minute in 0..24 * 60 {
        let now = scene::now() + SignedDuration::from_mins(minute);
        let size = sizes[sizes.len() - 1];
        scene.db.volumes = vec![scene::volume(0, size, size / 100 * 85)];
        let seen = first_seen(&mut scene);
        (seen.sample.sampled_at, seen.as_of) = (now, now);
        let policy = Policy::read(&scene.spec, STALE_AFTER);
        let decision = decide(&scene.db, &policy, &scene.profile, now);
        last = Some(decision.reason());
        if let Decision::Expand { to, .. } = decision {
            scene.db.growths.push(PastGrowth {
                at: now,
                from: Bytes::new(size),
                to,
            });
            sizes.push(to.get());
        }
    }
    (sizes, last.expect("a day has minutes"))
}

#[test]
fn a_day_of_growth_without_a_bound_ends_at_the_runaway_guard() {
    let (sizes, last) = filled_all_day(unknown(GIB, GIB / 2));
    assert_eq!(last, Reason::Runaway, "{sizes:?}");
    assert_eq!(sizes.len(), 1 + 4, "four growths a day: {sizes:?}");
    let mut large_steps = unknown(GIB, GIB / 2);
    large_steps.spec.rules = scene::rules(&[("", "300pc")]);
    let (sizes, last) = filled_all_day(large_steps);
    assert_eq!(
        (sizes, last),
        (vec![GIB, 4 * GIB], Reason::Runaway),
        "or four times the size"
    );
}

#[test]
fn an_upper_bound_is_where_it_ends() {
    let mut scene = unknown(GIB, GIB / 2);
    scene.spec.upper_bound = Some("3Gi".into());
    let (sizes, last) = filled_all_day(scene);
    assert_eq!(last, Reason::AtUpperBound, "{sizes:?}");
    assert_eq!(sizes.last(), Some(&(3 * GIB)), "{sizes:?}");
    // An emergency is not held up by the guard, but by this.
    let mut emergency = unknown(3 * GIB, 3 * GIB * 99 / 100);
    emergency.spec.upper_bound = Some("3Gi".into());
    assert_eq!(emergency.reason(), Reason::AtUpperBound);
}

/// Nothing is known of how long it takes: a minute is, of how often: a rate buys what two growths take, not more.
#[test]
fn a_minute_is_expected_and_what_a_rate_needs_for_two_is_bought() {
    let mut scene = unknown(100 * GIB, 50 * GIB);
    let rate = 502 * MIB;
    first_seen(&mut scene).trend = Trend {
        rate: Some(Rate::new(rate)),
        sustained: Some(Rate::new(rate)),
    };
    let decision = scene.decide();
    assert_eq!(
        decision.reason(),
        Reason::TimeToFull,
        "{}",
        decision.record().text
    );
    // Age 1 s, reaction 2 s, the minute, margin 5 s; half as much again.
    let lead = Duration::from_secs((1 + 2 + 60 + 5) * 3 / 2);
    assert_eq!(decision.record().volumes[0].lead, Some(lead));
    let sizing = decision.record().sizing.clone().expect("it grows");
    assert_eq!(sizing.for_rate, Bytes::new(50 * GIB + rate * 2 * lead.as_secs()));
    assert_eq!(sizing.to, Bytes::new(150 * GIB + 75 * GIB), "in steps of a half");
    // Slower, it is left alone until the threshold.
    let slow = Some(Rate::new(rate - MIB));
    first_seen(&mut scene).trend = Trend {
        rate: slow,
        sustained: slow,
    };
    assert_eq!(scene.reason(), Reason::BelowThreshold);
}

#[test]
fn a_volume_that_fills_slowly_gets_half_as_much_again_in_whole_mebibytes() {
    let odd = GIB + 4_096;
    let scene = unknown(odd, odd / 100 * 85);
    let half = odd + odd / 2;
    assert_eq!(scene.to(), Bytes::new(half.div_ceil(MIB) * MIB));
}
