//! What is told beside the decision.

use decider_core::Decision;
use units::{Bytes, Reason};

use crate::{
    order::{
        at_maximum_size, at_upper_bound, below_threshold, budget, class_not_expandable, quota,
        request_failed, request_open, runaway, shadow,
    },
    scene::{GIB, MIB, Scene, first_seen, full, sample, seconds_ago},
};

/// Puts something into the way.
type Spoil = fn(&mut Scene);

/// Nothing is needed of it now, and one thing is in the way of a growth.
fn at_rest(spoil: impl FnOnce(&mut Scene)) -> Scene {
    let mut scene = full();
    below_threshold(&mut scene);
    spoil(&mut scene);
    scene
}

#[test]
fn a_barrier_is_told_while_there_is_no_need() {
    assert_eq!(at_rest(|_| ()).barrier(), None);
    let spent: Spoil = |s| {
        budget(s);
        s.db.modified.at.push(seconds_ago(30));
    };
    let barriers: [(Spoil, Reason); 7] = [
        (class_not_expandable, Reason::NotExpandable),
        (at_upper_bound, Reason::AtUpperBound),
        (at_maximum_size, Reason::AtMaximumSize),
        (quota, Reason::QuotaExceeded),
        (spent, Reason::BudgetSpent),
        (runaway, Reason::Runaway),
        (shadow, Reason::Shadow),
    ];
    for (spoil, barrier) in barriers {
        assert_eq!(at_rest(spoil).barrier(), Some(barrier));
    }
    assert_eq!(
        at_rest(budget).barrier(),
        None,
        "one is kept for when it has to grow"
    );
    let open = at_rest(request_open);
    assert_eq!(
        (open.reason(), open.barrier()),
        (Reason::RequestOpen, None),
        "what ends by itself is no barrier"
    );
}

/// The guard is asked of databases without an upperBound, for a day, and not in an emergency.
#[test]
fn a_runaway_is_a_barrier_only_where_it_would_stop_a_growth() {
    let with = |change: fn(&mut Scene)| {
        let mut scene = at_rest(runaway);
        change(&mut scene);
        scene.barrier()
    };
    assert_eq!(with(|_| ()), Some(Reason::Runaway));
    assert_eq!(with(|s| s.spec.upper_bound = Some("8Gi".into())), None);
    assert_eq!(
        with(|s| first_seen(s).sample = sample(GIB, GIB * 96 / 100)),
        None,
        "an emergency"
    );
    assert_eq!(
        with(|s| s.db.growths[3].at = seconds_ago(24 * 3_600)),
        None,
        "three within a day"
    );
}

#[test]
fn that_nobody_resizes_is_a_barrier_until_a_request_succeeds() {
    let mut scene = full();
    request_failed(&mut scene);
    assert_eq!(scene.barrier(), None);
    let failed = scene.db.failed_request.as_mut().unwrap();
    (failed.why, failed.at) = (Some(Reason::NobodyResizes), seconds_ago(60));
    assert_eq!(scene.barrier(), Some(Reason::NobodyResizes));
    assert_eq!(
        scene.reason(),
        Reason::ThresholdExceeded,
        "it is tried all the same"
    );
}

#[test]
fn that_the_resizer_is_gone_is_a_barrier_before_anything_is_asked_for() {
    let mut scene = full();
    scene.db.no_resizer = Some("the resizer is gone".into());
    assert_eq!(scene.barrier(), Some(Reason::NobodyResizes));
    assert_eq!(
        scene.reason(),
        Reason::ThresholdExceeded,
        "it may come back in time"
    );
}

#[test]
fn what_pins_write_ahead_log_is_told_with_the_growth() {
    let mut scene = full();
    scene.db.wal_retained = Some("slot old keeps 3Gi".into());
    let decision = scene.decide();
    let record = decision.record();
    assert!(
        record.text.contains("WALRetained: slot old keeps 3Gi"),
        "{}",
        record.text
    );
    assert!(record.notes.iter().any(|note| note.reason == Reason::WALRetained));
}

/// From 1 GiB the rule gives 1.5; refused, a half of that growth is asked for, then a quarter.
#[test]
fn a_size_that_cannot_be_had_is_halved() {
    let mut scene = full();
    let to = |scene: &Scene| match scene.decide() {
        Decision::Expand { to, record, .. } => (to.get(), record.text),
        hold @ Decision::Hold { .. } => panic!("{hold:?}"),
    };
    let (mut refused, _) = to(&scene);
    for _ in 0..2 {
        request_failed(&mut scene);
        let failed = scene.db.failed_request.as_mut().unwrap();
        (failed.at, failed.why) = (seconds_ago(60), Some(Reason::Infeasible));
        failed.infeasible = Some(Bytes::new(refused));
        let (next, text) = to(&scene);
        assert_eq!(next, GIB + (refused - GIB) / 2 / MIB * MIB, "{text}");
        assert!(text.contains("which the driver refuses"), "{text}");
        refused = next;
    }
    let least = scene.db.failed_request.as_mut().unwrap();
    least.infeasible = Some(Bytes::new(GIB + MIB));
    assert!(
        to(&scene).0 > GIB + MIB,
        "nothing is left to halve: from the begin"
    );
}

#[test]
fn manifests_that_ask_for_less_are_told() {
    let mut scene = full();
    scene.db.spec_size = Some(Bytes::new(GIB / 2));
    let notes = scene.decide().record().notes.clone();
    assert_eq!(notes.len(), 1);
    assert_eq!(notes[0].reason, Reason::SpecBehind);
    assert!(notes[0].text.contains("1Gi"), "{}", notes[0].text);
    scene.db.spec_size = Some(Bytes::new(GIB));
    assert!(scene.decide().record().notes.is_empty());
    scene.db.spec_size = Some(Bytes::new(GIB / 2));
    request_open(&mut scene);
    assert!(
        scene.decide().record().notes.is_empty(),
        "a request under way has yet to write it"
    );
}
