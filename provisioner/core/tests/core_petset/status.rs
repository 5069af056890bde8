//! What the status says.

use jiff::SignedDuration;
use provisioner_core::petset::{Phase, Trouble, Update, status};
use units::Reason;

use crate::model::Model;

#[test]
fn pods_are_counted_by_what_they_are() {
    let mut model = Model::new(3).with(|spec| spec.min_ready = SignedDuration::from_secs(10));
    model.settle();
    model.pod(0).is_terminating = true;
    model.pod(1).phase = Phase::Unknown;
    model.pod(2).ready_since = Some(model.now);
    let counted = status(&model.set, model.now);
    let counts = (
        counted.replicas,
        counted.ready,
        counted.available,
        counted.current,
        counted.updated,
    );
    assert_eq!(
        counts,
        (3, 2, 1, 2, 2),
        "one that goes is still ready, but of no revision"
    );
}

#[test]
fn an_update_is_complete_when_all_have_it_and_are_ready() {
    let mut model = Model::new(2);
    model.settle();
    model.template("two");
    model.run();
    let stored = model.set.stored.clone();
    assert_ne!(stored.current_revision, stored.update_revision);
    assert_eq!((stored.current, stored.updated), (1, 0));
    model.settle();
    assert_eq!(
        model.set.stored.current_revision,
        model.set.stored.update_revision
    );
    // Who replaces by hand is never told that it is complete.
    model.set.spec.update = Update::OnDelete;
    model.template("three");
    model.settle();
    assert_ne!(
        model.set.stored.current_revision,
        model.set.stored.update_revision
    );
}

#[test]
fn what_keeps_a_pod_from_being_ready_is_said_until_it_is() {
    let mut model = Model::new(2);
    model.run();
    let trouble = |message: &str| Trouble {
        reason: Reason::Unschedulable,
        message: message.to_owned(),
    };
    model.pod(0).trouble = Some(trouble("pod web-0 has no node"));
    model.run();
    let note = model.set.stored.notes.ready.clone().expect("a condition");
    assert_eq!((note.is_true, note.reason.as_str()), (false, "Unschedulable"));
    assert_eq!(note.message, "pod web-0 has no node");
    // The claim is the deeper cause.
    model.set.claims[0].trouble = Some(Trouble {
        reason: Reason::ClaimPending,
        message: "no such class".to_owned(),
    });
    model.run();
    assert_eq!(
        model.set.stored.notes.ready.clone().expect("a condition").reason,
        "ClaimPending"
    );
    model.settle();
    assert_eq!(model.set.stored.notes.ready, None);
}
