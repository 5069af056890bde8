//! A filesystem that is mounted read-only: growing it is no help, and not possible.

use units::{Bytes, Reason};

use crate::{
    order::below_threshold,
    scene::{self, GIB, Scene, first_seen, full},
};

/// Two members: the first as in [`full`], the second so many percent used; the first read-only.
fn first_broken(percent: u64) -> Scene {
    let mut scene = full();
    scene.db.volumes.push(scene::volume(1, GIB, GIB * percent / 100));
    first_seen(&mut scene).sample.read_only = true;
    scene
}

#[test]
fn a_full_one_holds_and_says_where_to_look() {
    let scene = first_broken(50);
    let decision = scene.decide();
    assert_eq!(decision.reason(), Reason::ReadOnly);
    let message = decision.record().message();
    assert!(
        message.starts_with("data-pg-0 is mounted read-only on node-1") && message.contains("kernel log"),
        "{message}"
    );
    assert_eq!(decision.record().volumes[0].reason, Reason::ReadOnly);
    assert_eq!(decision.record().volumes[1].reason, Reason::BelowThreshold);
}

#[test]
fn it_is_told_below_the_threshold_too() {
    let mut scene = full();
    below_threshold(&mut scene);
    first_seen(&mut scene).sample.read_only = true;
    assert_eq!(scene.reason(), Reason::ReadOnly);
    assert_eq!(scene.barrier(), Some(Reason::ReadOnly));
}

/// A member with a broken disk must not let the others run full.
#[test]
fn a_writable_member_that_is_full_grows_and_the_broken_one_is_noted() {
    let mut scene = first_broken(85);
    let decision = scene.decide();
    assert_eq!(decision.reason(), Reason::ThresholdExceeded);
    assert!(decision.record().text.contains("data-pg-1"), "{}", scene.text());
    assert_eq!(decision.record().barrier.as_ref(), None);
    let notes = &decision.record().notes;
    assert_eq!(notes.len(), 1);
    assert_eq!(notes[0].reason, Reason::ReadOnly);
    assert!(notes[0].text.contains("data-pg-0"), "{}", notes[0].text);
    first_seen(&mut scene).as_of = scene::seconds_ago(11);
    assert!(scene.decide().record().notes.is_empty(), "not known any more");
}

/// How full the broken one is says nothing of the size that the others need.
#[test]
fn sizes_are_those_of_the_writable() {
    let mut scene = first_broken(85);
    let to = scene.to();
    first_seen(&mut scene).sample.usage.used = Bytes::new(GIB);
    first_seen(&mut scene).sample.usage.available = Bytes::ZERO;
    assert_eq!(scene.to(), to);
}
