//! What is told beside the decision.

use units::{Bytes, Reason};

use crate::{
    order::{at_upper_bound, below_threshold, request_open, shadow},
    scene::{GIB, Scene, full},
};

#[test]
fn a_barrier_is_told_while_there_is_no_need() {
    let barrier = |spoil: fn(&mut Scene)| {
        let mut scene = full();
        below_threshold(&mut scene);
        spoil(&mut scene);
        (scene.reason(), scene.decide().record().barrier)
    };
    assert_eq!(barrier(|_| ()), (Reason::BelowThreshold, None));
    assert_eq!(
        barrier(at_upper_bound),
        (Reason::BelowThreshold, Some(Reason::AtUpperBound))
    );
    assert_eq!(barrier(shadow), (Reason::BelowThreshold, Some(Reason::Shadow)));
    assert_eq!(
        barrier(request_open),
        (Reason::RequestOpen, None),
        "what ends by itself is no barrier"
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
