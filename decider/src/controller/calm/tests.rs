use decider_core::{Raw, Sample};
use futures::FutureExt;
use jiff::SignedDuration;
use units::Bytes;

use super::*;
use crate::store::{Filesystem, Measurement, Mount, Registration};

/// Seconds after which what nobody vouches for is stale.
const STALE: i64 = 10;
const GIB: u64 = 1 << 30;

fn at(second: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1_800_000_000 + second)
}

fn report(store: &Store, by: &Registration, second: i64, used: u64) -> Arc<Mount> {
    let mount = measured(store, by, "pv", raw(second, used));
    by.confirm(at(second));
    mount
}

fn raw(second: i64, used: u64) -> Raw {
    Raw {
        capacity: 100 * GIB,
        available: 100 * GIB - used,
        used,
        inodes_total: 100,
        inodes_free: 90,
        read_only: false,
        sampled_at: at(second),
    }
}

/// Of one volume, with nothing said of the others.
fn measured(store: &Store, by: &Registration, pv: &str, raw: Raw) -> Arc<Mount> {
    let mount = Mount {
        pv: pv.into(),
        pod_uid: "pod".into(),
        node: by.node().clone(),
    };
    let now = raw.sampled_at;
    let mount = store.introduce(mount, by, 1, Filesystem::Ext);
    let sample = Sample::check(raw, now).unwrap();
    store.record(&mount, by, Measurement::Believed(sample), None, now);
    mount
}

/// What a look makes of it at `now`, until some second: no rest if the volume cannot be left alone.
fn rest(store: &Store, now: i64, until: i64) -> Option<Rest> {
    store.calm("pv", at(now - STALE), |_| true).then(|| Rest {
        volumes: ["pv".into()].into(),
        until: at(until),
    })
}

/// Something was marked since the last time.
fn moved(store: &Store) -> bool {
    store.moved().take().now_or_never().is_some()
}

/// A volume measured for so many seconds, and nothing to tell of it.
fn fleet(seconds: i64) -> (Arc<Store>, Registration, Resting, Key) {
    let store = Arc::new(Store::default());
    let node = store.register("one".into());
    for second in 0..seconds {
        report(&store, &node, second, 40 * GIB);
    }
    assert!(moved(&store));
    (
        Arc::clone(&store),
        node,
        Resting::new(store),
        Key::new("demo", "pg"),
    )
}

#[test]
fn a_rest_lasts_for_its_time_if_nothing_disturbs_it() {
    let (store, _node, resting, key) = fleet(1);
    let at_rest = |until: i64| {
        resting.begin(&key);
        assert_eq!(resting.left(&key, at(0)), None, "it is being looked at");
        resting.begin(&key);
        resting.end(&key, rest(&store, 0, until));
    };
    let seconds = |left: Option<Duration>| left.map(|left| left.as_secs());
    at_rest(120);
    assert_eq!(seconds(resting.left(&key, at(116))), Some(4));
    assert_eq!(resting.left(&key, at(120)), None);
    at_rest(300);
    assert_eq!(seconds(resting.left(&key, at(116))), Some(184));
    resting.disturb(&key);
    assert_eq!(resting.left(&key, at(116)), None);
}

#[test]
fn a_step_is_borne_and_a_percent_a_haste_and_another_stream_are_not() {
    let (store, node, resting, key) = fleet(120);
    let at_rest = |now| {
        resting.begin(&key);
        let rest = rest(&store, now, 300);
        let rests = rest.is_some();
        resting.end(&key, rest);
        rests
    };
    assert!(at_rest(120));
    report(&store, &node, 120, 40 * GIB + 16);
    assert!(!moved(&store), "a step");
    report(&store, &node, 121, 41 * GIB);
    assert!(moved(&store), "a percent, and full in minutes");
    assert!(!at_rest(121), "full in minutes");
    for second in 122..900 {
        report(&store, &node, second, 88 * GIB);
    }
    assert!(moved(&store));
    assert!(at_rest(900));
    report(&store, &node, 900, 88 * GIB + 600_000_000);
    assert!(moved(&store), "less than a percent, and full soon");
    for second in 901..1_800 {
        report(&store, &node, second, 88 * GIB + 600_000_000);
    }
    assert!(!moved(&store));
    assert!(at_rest(1_800));
    let newer = store.register("one".into());
    report(&store, &newer, 1_800, 88 * GIB + 600_000_000);
    assert!(moved(&store), "who vouches is another");
}

/// Nothing rises, so that nothing but what is shown can be the cause.
#[test]
fn whatever_a_decision_reads_is_told_when_it_shows_something_else() {
    let same = raw(1, 40 * GIB - 1);
    let fewer_inodes = Raw {
        inodes_free: 89,
        ..same
    };
    let read_only = Raw {
        read_only: true,
        ..same
    };
    let larger = Raw {
        capacity: 100 * GIB + 1,
        available: 60 * GIB + 2,
        ..same
    };
    for (what, raw, told) in [
        ("a step down", same, false),
        ("a percent", raw(1, 38 * GIB), true),
        ("inodes", fewer_inodes, true),
        ("read-only", read_only, true),
        ("capacity", larger, true),
    ] {
        let (store, node, ..) = fleet(1);
        report(&store, &node, 0, 40 * GIB - 2);
        assert!(moved(&store));
        assert!(rest(&store, 0, 300).is_some());
        measured(&store, &node, "pv", raw);
        assert_eq!(moved(&store), told, "{what}");
    }
}

/// Else there would be no rest by whose end it is told of again.
#[test]
fn of_several_volumes_none_is_calm_if_one_cannot_be() {
    let (store, node, ..) = fleet(1);
    let all = || ["pv".into(), "other".into()].into();
    let calm = |fits: fn(&Seen) -> bool| all_calm(&store, all(), at(-STALE), fits).is_some();
    let moves = |second: i64| {
        report(&store, &node, second, 40 * GIB + second.unsigned_abs());
        moved(&store)
    };
    assert!(!calm(|_| true), "nobody measures the other");
    assert!(moves(1));
    measured(&store, &node, "other", raw(1, 50 * GIB));
    assert!(moved(&store));
    assert!(!calm(|seen| seen.sample.usage.used < Bytes::new(45 * GIB)));
    assert!(moves(2));
    assert!(calm(|_| true));
    assert!(!moves(3));
}

#[test]
fn a_volume_of_two_mounts_and_one_that_cannot_be_measured_do_not_rest() {
    let (store, node, ..) = fleet(1);
    assert!(rest(&store, 0, 300).is_some());
    let mount = report(&store, &node, 1, 40 * GIB);
    store.record(&mount, &node, Measurement::Unknown, Some(5), at(2));
    assert!(moved(&store), "it is stuck");
    assert!(rest(&store, 2, 300).is_none());
    report(&store, &node, 3, 40 * GIB);
    assert!(rest(&store, 3, 300).is_some());
    let other = store.register("two".into());
    report(&store, &other, 3, 40 * GIB);
    assert!(moved(&store));
    assert!(rest(&store, 3, 300).is_none());
}

#[test]
fn what_changes_during_a_look_is_looked_at_again_and_told_again() {
    let (store, node, resting, key) = fleet(1);
    let moves = |second| {
        report(&store, &node, second, 40 * GIB + second.unsigned_abs());
        moved(&store)
    };
    resting.begin(&key);
    resting.disturb(&key);
    resting.end(&key, rest(&store, 0, 120));
    assert_eq!(resting.left(&key, at(1)), None);
    assert!(moves(1));
    let at_rest = || {
        resting.begin(&key);
        resting.end(&key, rest(&store, 1, 120));
    };
    at_rest();
    assert!(!moves(2));
    resting.disturb(&key);
    assert!(moves(3), "disturbed");
    at_rest();
    assert!(!moves(4));
    assert_eq!(resting.left(&key, at(200)), None);
    assert!(moves(5), "its time is over");
    at_rest();
    resting.begin(&key);
    assert!(moves(6), "it is looked at");
}

/// What is told once, that nobody vouches any more, must not be borne because this volume was measured last of all.
#[test]
fn a_volume_measured_after_the_stream_last_vouched_does_not_rest_longer_than_that() {
    let (store, node, resting, key) = fleet(120);
    measured(&store, &node, "pv", raw(121, 40 * GIB));
    resting.begin(&key);
    resting.end(&key, rest(&store, 121, 300));
    store.tell_stale(at(129 - STALE));
    assert!(!moved(&store));
    store.tell_stale(at(130 - STALE));
    assert!(moved(&store), "as of second 119");
    resting.disturb(&key);
    assert!(rest(&store, 130, 300).is_none());
}

#[test]
fn a_clock_that_is_set_back_ends_a_rest() {
    let (store, _node, resting, key) = fleet(1);
    resting.begin(&key);
    resting.end(&key, rest(&store, 0, 120));
    assert_eq!(resting.left(&key, at(-3600)), None);
}
