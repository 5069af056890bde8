//! Pods that wait for each other.

use jiff::SignedDuration;
use provisioner_core::petset::{Phase, Step, Update};

use crate::model::{Model, ready};

#[test]
fn pods_come_one_after_the_other() {
    let mut model = Model::new(3);
    model.run();
    assert_eq!(model.take_log(), ["+0"]);
    let now = model.now;
    model.pod(0).phase = Phase::Running;
    model.run();
    assert!(model.log.is_empty(), "one that is not ready is waited for");
    ready(model.pod(0), now);
    model.run();
    assert_eq!(model.take_log(), ["+1"]);
    model.settle();
    assert_eq!(model.take_log(), ["+2"]);
}

#[test]
fn a_pod_must_have_been_ready_for_long_enough() {
    let mut model = Model::new(2).with(|spec| spec.min_ready = SignedDuration::from_secs(30));
    model.run();
    model.kubelet();
    let until = model.run();
    assert_eq!(until, Some(model.now + SignedDuration::from_secs(30)));
    assert_eq!(model.take_log(), ["+0"]);
    model.now = until.unwrap();
    model.run();
    assert_eq!(model.take_log(), ["+1"]);
}

#[test]
fn the_highest_goes_first_and_is_waited_for() {
    let mut model = Model::new(4);
    model.settle();
    model.take_log();
    model.scale(1);
    model.run();
    assert_eq!(model.take_log(), ["-3"]);
    model.settle();
    assert_eq!(model.take_log(), ["-2", "-1"]);
    assert_eq!(model.ordinals(), [0]);
    assert_eq!(model.set.claims.len(), 4, "claims stay");
}

#[test]
fn while_a_lower_one_is_not_ready_none_goes() {
    let mut model = Model::new(4);
    model.settle();
    model.take_log();
    model.pod(1).is_ready = false;
    model.scale(2);
    model.run();
    assert!(model.log.is_empty());
    // Of those that are to go, one that is not ready goes only if none below it is not ready either.
    let now = model.now;
    ready(model.pod(1), now);
    model.pod(2).is_ready = false;
    model.pod(3).is_ready = false;
    model.run();
    assert!(model.log.is_empty());
    ready(model.pod(3), now);
    model.settle();
    assert_eq!(model.take_log(), ["-3", "-2"]);
}

/// Neither will ever be ready; the StatefulSet controller waits for the lower one before it removes the higher one.
#[test]
fn of_those_that_are_to_go_none_waits_for_one_that_has_ended() {
    let mut model = Model::new(2);
    model.settle();
    model.scale(0);
    for ordinal in [0, 1] {
        model.pod(ordinal).phase = Phase::Failed;
        model.pod(ordinal).is_ready = false;
    }
    model.take_log();
    model.settle();
    assert_eq!(model.take_log(), ["-1", "-0"]);
}

#[test]
fn what_ended_is_made_anew_however_it_ended() {
    for phase in [Phase::Failed, Phase::Succeeded] {
        let mut model = Model::new(2);
        model.settle();
        model.take_log();
        model.pod(1).phase = phase;
        model.run();
        assert_eq!(model.take_log(), ["-1"]);
        model.settle();
        assert_eq!(model.take_log(), ["+1"], "not before it is gone");
    }
}

#[test]
fn a_change_is_rolled_out_from_the_highest_down_to_the_partition() {
    let mut model = Model::new(4).with(|spec| spec.update = Update::Rolling { partition: 2 });
    model.settle();
    model.take_log();
    let old = model.pod(0).revision.clone();
    model.template("two");
    model.settle();
    assert_eq!(model.take_log(), ["-3", "+3", "-2", "+2"]);
    assert_eq!(model.pod(1).revision, old);
    // Below the partition a pod comes back as it was.
    model.pod(1).is_terminating = true;
    model.settle();
    assert_eq!(model.pod(1).revision, old);
    model.take_log();
    model.set.spec.update = Update::Rolling { partition: 0 };
    model.settle();
    assert_eq!(model.take_log(), ["-1", "+1", "-0", "+0"]);
    assert_eq!(
        model.set.stored.current_revision,
        model.set.stored.update_revision
    );
}

#[test]
fn a_roll_out_stops_at_a_pod_that_does_not_become_ready() {
    let mut model = Model::new(3);
    model.settle();
    model.take_log();
    model.template("two");
    model.run();
    model.kubelet();
    model.run();
    assert_eq!(model.take_log(), ["-2", "+2"]);
    model.pod(2).phase = Phase::Running;
    model.run();
    assert!(model.log.is_empty());
}

#[test]
fn on_delete_nothing_is_replaced_but_what_is_deleted() {
    let mut model = Model::new(2).with(|spec| spec.update = Update::OnDelete);
    model.settle();
    let old = model.pod(0).revision.clone();
    model.take_log();
    model.template("two");
    model.settle();
    assert!(model.log.is_empty());
    model.pod(1).is_terminating = true;
    model.settle();
    assert_eq!(model.take_log(), ["+1"]);
    assert_ne!(model.pod(1).revision, old);
    assert_eq!(model.pod(0).revision, old);
}

#[test]
fn counting_can_begin_elsewhere() {
    let mut model = Model::new(2).with(|spec| spec.start = 5);
    model.settle();
    assert_eq!(model.take_log(), ["+5", "+6"]);
    model.set.spec.start = 6;
    model.settle();
    assert_eq!(model.take_log(), ["+7", "-5"]);
}

#[test]
fn a_set_that_is_deleted_is_only_counted() {
    let mut model = Model::new(2);
    model.settle();
    model.set.is_deleted = true;
    model.set.pods.clear();
    assert!(matches!(model.next(), Step::WriteStatus(status) if status.replicas == 0));
    model.run();
    assert_eq!(model.ordinals(), [] as [i32; 0]);
}
