use decider_core::{Raw, Sample};
use jiff::SignedDuration;

use super::*;
use crate::store::{Filesystem, Measurement, Mount, Registration};

const STALE: Duration = Duration::from_secs(10);
const GIB: u64 = 1 << 30;

fn at(second: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1_800_000_000 + second)
}

fn report(store: &Store, by: &Registration, second: i64, used: u64) {
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
    by.confirm(at(second));
}

fn rest(store: &Store, until: i64) -> Rest {
    let (stream, seen) = store.undisputed("pv").unwrap();
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
fn a_rest_lasts_while_its_volumes_are_vouched_for_and_nothing_disturbs_it() {
    let (store, resting, key) = (Store::default(), Resting::default(), Key::new("demo", "pg"));
    let node = store.register("one".into());
    report(&store, &node, 0, 40 * GIB);
    resting.begin(&key);
    assert_eq!(resting.left(&key, at(0), STALE), None, "it is being looked at");
    resting.begin(&key);
    resting.end(&key, Some(rest(&store, 120)));
    let seconds = |left: Option<Duration>| left.map(|left| left.as_secs());
    assert_eq!(seconds(resting.left(&key, at(4), STALE)), Some(6));
    node.confirm(at(115));
    assert_eq!(seconds(resting.left(&key, at(116), STALE)), Some(4), "its end");
    assert_eq!(resting.left(&key, at(120), STALE), None);
    resting.begin(&key);
    resting.end(&key, Some(rest(&store, 300)));
    assert_eq!(resting.left(&key, at(126), STALE), None, "stale");
    resting.begin(&key);
    resting.end(&key, Some(rest(&store, 300)));
    resting.disturb(&key);
    assert_eq!(resting.left(&key, at(116), STALE), None);
}

#[test]
fn what_changes_during_a_look_is_looked_at_again() {
    let (store, resting, key) = (Store::default(), Resting::default(), Key::new("demo", "pg"));
    let node = store.register("one".into());
    report(&store, &node, 0, 40 * GIB);
    resting.begin(&key);
    resting.disturb(&key);
    resting.end(&key, Some(rest(&store, 120)));
    assert_eq!(resting.left(&key, at(1), STALE), None);
}

#[test]
fn a_step_is_borne_and_a_percent_a_haste_and_another_stream_are_not() {
    let (store, resting, key) = (Store::default(), Resting::default(), Key::new("demo", "pg"));
    let node = store.register("one".into());
    for second in 0..120 {
        report(&store, &node, second, 40 * GIB);
    }
    let at_rest = || {
        resting.begin(&key);
        resting.end(&key, Some(rest(&store, 300)));
    };
    at_rest();
    report(&store, &node, 120, 40 * GIB + 16);
    assert!(resting.bears(&key, "pv", &store));
    assert!(!resting.bears(&key, "other", &store));
    report(&store, &node, 121, 41 * GIB);
    assert!(
        !resting.bears(&key, "pv", &store),
        "a percent, and full in minutes"
    );
    at_rest();
    assert!(!resting.bears(&key, "pv", &store), "full in minutes");
    let newer = store.register("one".into());
    report(&store, &newer, 400, 41 * GIB);
    assert!(!resting.bears(&key, "pv", &store), "who vouches is another");
}
