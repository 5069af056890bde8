use decider_core::{Raw, Sample};
use jiff::SignedDuration;

use super::*;
use crate::store::{Filesystem, Measurement, Mount, Registration};

/// Seconds after which what nobody vouches for is stale.
const STALE: i64 = 10;
const GIB: u64 = 1 << 30;

fn at(second: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1_800_000_000 + second)
}

fn report(store: &Store, by: &Registration, second: i64, used: u64) {
    measured(store, by, second, used);
    by.confirm(at(second));
}

/// Of one volume, with nothing said of the others.
fn measured(store: &Store, by: &Registration, second: i64, used: u64) {
    let mount = Mount {
        pv: "pv".into(),
        pod_uid: "pod".into(),
        node: Arc::clone(by.node()),
    };
    let mount = store.introduce(mount, by, 1, Filesystem::Ext);
    let raw = Raw {
        capacity: 100 * GIB,
        available: 100 * GIB - used,
        used,
        inodes_total: 100,
        inodes_free: 90,
        read_only: false,
        sampled_at: at(second),
    };
    let sample = Sample::check(raw, at(second)).unwrap();
    store.record(&mount, by, Measurement::Believed(sample), None, at(second));
}

fn rest(store: &Store, until: i64) -> Rest {
    let (stream, seen) = store.undisputed("pv", Timestamp::UNIX_EPOCH).unwrap();
    let volume = AtRest {
        pv: "pv".into(),
        stream,
        shown: Shown::of(&seen),
    };
    Rest {
        volumes: [volume].into(),
        until: at(until),
    }
}

#[test]
fn a_rest_lasts_for_its_time_if_nothing_disturbs_it() {
    let (store, resting, key) = (Store::default(), Resting::default(), Key::new("demo", "pg"));
    let node = store.register("one".into());
    report(&store, &node, 0, 40 * GIB);
    resting.begin(&key);
    assert_eq!(resting.left(&key, at(0)), None, "it is being looked at");
    resting.begin(&key);
    resting.end(&key, Some(rest(&store, 120)));
    let seconds = |left: Option<Duration>| left.map(|left| left.as_secs());
    assert_eq!(seconds(resting.left(&key, at(116))), Some(4));
    assert_eq!(resting.left(&key, at(120)), None);
    resting.begin(&key);
    resting.end(&key, Some(rest(&store, 300)));
    resting.disturb(&key);
    assert_eq!(resting.left(&key, at(116)), None);
}

#[test]
fn what_changes_during_a_look_is_looked_at_again() {
    let (store, resting, key) = (Store::default(), Resting::default(), Key::new("demo", "pg"));
    let node = store.register("one".into());
    report(&store, &node, 0, 40 * GIB);
    resting.begin(&key);
    resting.disturb(&key);
    resting.end(&key, Some(rest(&store, 120)));
    assert_eq!(resting.left(&key, at(1)), None);
}

#[test]
fn a_step_is_borne_and_a_percent_a_haste_and_another_stream_are_not() {
    let (store, resting, key) = (Store::default(), Resting::default(), Key::new("demo", "pg"));
    let node = store.register("one".into());
    for second in 0..120 {
        report(&store, &node, second, 40 * GIB);
    }
    let bears = |pv: &str, second: i64| resting.bears(&key, pv, &store, at(second - STALE));
    let at_rest = || {
        resting.begin(&key);
        resting.end(&key, Some(rest(&store, 300)));
    };
    at_rest();
    report(&store, &node, 120, 40 * GIB + 16);
    assert!(bears("pv", 120));
    assert!(!bears("pv", 131), "stale");
    assert!(!bears("other", 120));
    report(&store, &node, 121, 41 * GIB);
    assert!(!bears("pv", 121), "a percent, and full in minutes");
    at_rest();
    assert!(!bears("pv", 121), "full in minutes");
    at_rest();
    let newer = store.register("one".into());
    report(&store, &newer, 400, 41 * GIB);
    assert!(!bears("pv", 400), "who vouches is another");
}

/// What is told once, that nobody vouches any more, must not be borne because this volume was measured last of all.
#[test]
fn a_volume_measured_after_the_stream_last_vouched_does_not_rest_longer_than_that() {
    let (store, resting, key) = (Store::default(), Resting::default(), Key::new("demo", "pg"));
    let node = store.register("one".into());
    for second in 0..120 {
        report(&store, &node, second, 40 * GIB);
    }
    measured(&store, &node, 121, 40 * GIB);
    resting.begin(&key);
    resting.end(&key, Some(rest(&store, 300)));
    let bears = |second: i64| resting.bears(&key, "pv", &store, at(second - STALE));
    assert!(bears(129));
    assert!(!bears(130), "as of second 119");
}

#[test]
fn a_clock_that_is_set_back_ends_a_rest() {
    let (store, resting, key) = (Store::default(), Resting::default(), Key::new("demo", "pg"));
    let node = store.register("one".into());
    report(&store, &node, 0, 40 * GIB);
    resting.begin(&key);
    resting.end(&key, Some(rest(&store, 120)));
    assert_eq!(resting.left(&key, at(-3600)), None);
}
