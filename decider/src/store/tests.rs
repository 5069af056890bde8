use std::{sync::Arc, time::Duration};

use decider_core::{Raw, Sample, Usage};
use futures::FutureExt;
use jiff::{SignedDuration, Timestamp};

use super::{End, Filesystem, Measurement, Mount, News, Registration, Store};

const STALE: Duration = Duration::from_secs(10);

fn at(second: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1_800_000_000 + second)
}

fn mount(node: &str, pv: &str) -> Arc<Mount> {
    Arc::new(Mount {
        pv: pv.into(),
        pod_uid: format!("pod-{node}").into(),
        node: node.into(),
    })
}

fn sample(second: i64, used: u64) -> Sample {
    let raw = Raw {
        capacity: 1000,
        available: 1000 - used,
        used,
        inodes_total: 0,
        inodes_free: 0,
        read_only: false,
        sampled_at: at(second),
    };
    Sample::check(raw, at(second)).unwrap()
}

fn report(store: &Arc<Store>, stream: &Registration, pv: &str, second: i64, used: u64) {
    let mount = mount(stream.node(), pv);
    let mount = store.introduce((*mount).clone(), stream, 1, Filesystem::Other);
    store.record(
        &mount,
        stream,
        Measurement::Believed(sample(second, used)),
        None,
        at(second),
    );
    stream.confirm(at(second));
}

/// Every mount is what it says.
const fn anybody(_: &Mount) -> bool {
    true
}

fn used(store: &Store, pv: &str, second: i64) -> Option<u64> {
    match store.usage(pv, at(second), STALE, anybody) {
        Usage::Seen(seen) => Some(seen.sample.usage.used.get()),
        Usage::Never | Usage::Refused { .. } => None,
    }
}

#[test]
fn trap_14_of_two_nodes_the_freshest_wins() {
    let store = Arc::new(Store::default());
    let (one, two) = (store.register("one".into()), store.register("two".into()));
    report(&store, &one, "pv", 10, 100);
    report(&store, &two, "pv", 12, 200);
    assert_eq!(used(&store, "pv", 12), Some(200));
    one.confirm(at(15));
    assert_eq!(
        used(&store, "pv", 15),
        Some(100),
        "a heartbeat makes the other one fresher"
    );
}

#[test]
fn a_heartbeat_vouches_for_all_but_the_stuck() {
    let store = Arc::new(Store::default());
    let node = store.register("one".into());
    report(&store, &node, "pv", 0, 100);
    report(&store, &node, "stuck", 0, 100);
    store.record(
        &mount("one", "stuck"),
        &node,
        Measurement::Believed(sample(0, 100)),
        Some(0),
        at(1),
    );
    node.confirm(at(60));
    let stale = |pv| match store.usage(pv, at(60), STALE, anybody) {
        Usage::Seen(seen) => seen.is_stale(at(60), STALE),
        other => panic!("{other:?}"),
    };
    assert!(!stale("pv"));
    assert!(stale("stuck"));
}

#[test]
fn a_new_stream_takes_over_and_what_it_does_not_name_is_gone() {
    let store = Arc::new(Store::default());
    let old = store.register("one".into());
    report(&store, &old, "stays", 0, 100);
    report(&store, &old, "gone", 0, 100);
    let new = store.register("one".into());
    report(&store, &new, "stays", 5, 300);
    report(&store, &old, "stays", 6, 200);
    assert_eq!(
        used(&store, "stays", 6),
        Some(300),
        "the older stream is not listened to any more"
    );
    store.forget_others(&new, &[&mount("one", "stays")].into());
    assert_eq!(used(&store, "gone", 6), None);
    assert_eq!(store.volumes(), 1);
    store.forget(&mount("one", "stays"), &old);
    assert_eq!(used(&store, "stays", 6), Some(300), "nor may it take away");
}

#[test]
fn a_dropped_stream_leaves_its_numbers_to_grow_stale() {
    let store = Arc::new(Store::default());
    let node = store.register("one".into());
    report(&store, &node, "pv", 0, 100);
    assert_eq!(store.streams(), 1);
    drop(node);
    assert_eq!(store.streams(), 0);
    assert_eq!(used(&store, "pv", 60), Some(100), "known, with its age");
    store.forget_before(at(0));
    assert_eq!(store.volumes(), 1);
    store.forget_before(at(1));
    assert_eq!(store.volumes(), 0);
}

#[test]
fn a_refusal_is_told_once_nothing_believed_is_fresh() {
    let store = Arc::new(Store::default());
    let node = store.register("one".into());
    report(&store, &node, "pv", 0, 100);
    let absurd = decider_core::Absurd::NoCapacity;
    store.record(
        &mount("one", "pv"),
        &node,
        Measurement::Refused(absurd),
        None,
        at(5),
    );
    assert_eq!(used(&store, "pv", 5), Some(100));
    assert!(matches!(
        store.usage("pv", at(11), STALE, anybody),
        Usage::Refused { .. }
    ));
}

/// A node may speak of its own pods only: what it says for others is neither full nor empty.
#[test]
fn what_a_pod_that_is_not_known_shows_does_not_count() {
    let store = Arc::new(Store::default());
    let (ours, other) = (store.register("one".into()), store.register("two".into()));
    let known = |mount: &Mount| *mount.node == *"one";
    let usage = |second| store.usage("pv", at(second), STALE, known);
    report(&store, &other, "pv", 0, 990);
    let Usage::Refused { reason, text } = usage(0) else {
        panic!("{:?}", usage(0));
    };
    assert_eq!(reason, units::Reason::UnknownPod);
    assert!(text.contains("two") && text.contains("pod-two"), "{text}");
    assert_eq!(store.stranger("pv", at(0), STALE, known), Some(at(0)));
    assert!(store.window("pv", known).is_none());

    report(&store, &ours, "pv", 1, 100);
    report(&store, &other, "pv", 2, 990);
    assert!(
        matches!(usage(2), Usage::Seen(seen) if seen.sample.usage.used.get() == 100),
        "however fresh"
    );
    other.confirm(at(12));
    assert!(
        matches!(
            usage(12),
            Usage::Refused {
                reason: units::Reason::UnknownPod,
                ..
            }
        ),
        "nothing believed is fresh: this is why"
    );
    assert_eq!(
        store.stranger("pv", at(12), STALE, known),
        Some(at(0)),
        "the first time counts"
    );
    assert!(
        matches!(usage(23), Usage::Seen(_)),
        "what a stranger said once is forgotten before what was believed"
    );
    assert_eq!(store.stranger("pv", at(23), STALE, known), None);
    assert_eq!(store.stranger("pv", at(12), STALE, anybody), None);
}

/// The sample was here first; it counts as soon as its pod is.
#[test]
fn a_sample_counts_as_soon_as_its_pod_is_known() {
    let store = Arc::new(Store::default());
    let node = store.register("one".into());
    report(&store, &node, "pv", 0, 100);
    assert!(matches!(
        store.usage("pv", at(0), STALE, |_| false),
        Usage::Refused { .. }
    ));
    assert_eq!(used(&store, "pv", 0), Some(100));
}

#[tokio::test]
async fn what_moved_is_told_once_and_repeats_are_silent() {
    let store = Arc::new(Store::default());
    let node = store.register("one".into());
    report(&store, &node, "pv", 0, 100);
    assert_eq!(store.moved().take().await, ["pv".into()].into());
    store.record(
        &mount("one", "pv"),
        &node,
        Measurement::Believed(sample(1, 100)),
        None,
        at(1),
    );
    report(&store, &node, "other", 1, 100);
    assert_eq!(
        store.moved().take().await,
        ["other".into()].into(),
        "the same numbers again are no news"
    );
}

#[tokio::test]
async fn a_level_goes_to_every_stream_once() {
    let store = Arc::new(Store::default());
    let node = store.register("one".into());
    report(&store, &node, "pv", 0, 100);
    store.set_level("pv", 800);
    store.set_level("pv", 800);
    assert_eq!(node.stream().news().await, News::Levels(vec![(1, 800)]));
    let again = store.register("one".into());
    report(&store, &again, "pv", 1, 100);
    store.set_level("pv", 800);
    assert_eq!(
        again.stream().news().await,
        News::Levels(vec![(1, 800)]),
        "a new stream knows no levels"
    );
}

#[tokio::test]
async fn a_stream_of_which_nothing_is_heard_is_ended_after_some_looks() {
    let store = Store::default();
    let (silent, heard) = (store.register("one".into()), store.register("two".into()));
    for _ in 0..3 {
        heard.stream().heard();
        store.end_silent();
    }
    heard.stream().heard();
    assert_eq!(silent.stream().news().now_or_never(), None);
    store.end_silent();
    assert_eq!(silent.stream().news().await, News::End(End::Silent));
    assert_eq!(heard.stream().news().now_or_never(), None);
    store.end_streams();
    assert_eq!(heard.stream().news().await, News::End(End::Stopping));
    assert_eq!(
        silent.stream().news().await,
        News::End(End::Silent),
        "the first reason"
    );
}

#[tokio::test]
async fn volumes_for_which_nobody_vouches_any_more_are_told_once() {
    let store = Arc::new(Store::default());
    let node = store.register("one".into());
    report(&store, &node, "pv", 0, 100);
    assert_eq!(store.moved().take().await, ["pv".into()].into());
    store.tell_stale(at(0));
    report(&store, &node, "other", 1, 100);
    assert_eq!(store.moved().take().await, ["other".into()].into(), "not yet");
    // Another stream that says nothing changes nothing of it.
    let _newer = store.register("one".into());
    store.tell_stale(at(2));
    assert_eq!(store.moved().take().await.len(), 2);
    store.tell_stale(at(3));
    node.confirm(at(5));
    store.moved().mark(&"end".into());
    assert_eq!(store.moved().take().await, ["end".into()].into(), "once");
}
