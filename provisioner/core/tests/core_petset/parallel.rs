//! Pods that do not wait for each other.

use std::time::Duration;

use provisioner_core::petset::{Failure, Management, Object, Phase, Step, Verb};

use crate::model::Model;

fn parallel(replicas: i32) -> Model {
    Model::new(replicas).with(|spec| spec.management = Management::Parallel)
}

#[test]
fn all_come_and_go_at_once() {
    let mut model = parallel(3);
    model.run();
    assert_eq!(model.take_log(), ["+0", "+1", "+2"]);
    model.scale(0);
    model.run();
    assert_eq!(model.take_log(), ["-2", "-1", "-0"]);
}

#[test]
fn one_that_cannot_be_made_does_not_hold_up_the_others() {
    let mut model = parallel(3);
    let until = model.now + Duration::from_secs(10);
    let failure = Failure {
        verb: Verb::Create,
        ordinal: 1,
        message: "exceeded quota".to_owned(),
        until,
    };
    model
        .set
        .failures
        .insert(Object::Claim("data-web-1".to_owned()), failure);
    assert_eq!(model.run(), Some(until), "it is tried again");
    assert_eq!(model.take_log(), ["+0", "+2"]);
    let note = model.set.stored.notes.created.clone().expect("a condition");
    assert_eq!((note.is_true, note.reason.as_str()), (false, "FailedCreate"));
    assert_eq!(note.message, "cannot create claim data-web-1: exceeded quota");
    model.now = until;
    model.run();
    assert_eq!(model.take_log(), ["+1"]);
    assert_eq!(
        model.set.stored.notes.created, None,
        "what was made is no failure"
    );
}

#[test]
fn an_update_still_goes_one_by_one() {
    let mut model = parallel(3);
    model.settle();
    model.take_log();
    model.template("two");
    model.run();
    assert_eq!(model.take_log(), ["-2"]);
    model.settle();
    assert_eq!(model.take_log(), ["+2", "-1", "+1", "-0", "+0"]);
}

#[test]
fn a_claim_that_is_being_deleted_is_waited_for_by_its_pod_alone() {
    let mut model = parallel(2);
    model.settle();
    model.take_log();
    model.set.claims[0].is_terminating = true;
    model.pod(0).is_terminating = true;
    model.pod(1).phase = Phase::Failed;
    model.settle();
    assert_eq!(model.take_log(), ["-1", "+1"]);
    let note = model.set.stored.notes.created.clone().expect("a condition");
    assert_eq!(note.reason, "ClaimTerminating");
    model.set.claims.retain(|claim| !claim.is_terminating);
    model.settle();
    assert_eq!(model.take_log(), ["+0"]);
    assert_eq!(model.next(), Step::Wait(None));
}
