//! The hold.

use jiff::SignedDuration;
use provisioner_core::petset::{
    Hold, Management, Phase, Step,
    hold::{Asked, Over, Request, judge},
};

use crate::model::{Model, lift, start};

fn asked() -> Asked {
    Asked {
        ordinal: 1,
        request: "grow".to_owned(),
        uid: "r-1".to_owned(),
        expires: start() + SignedDuration::from_secs(60),
    }
}

#[test]
fn it_counts_while_its_request_is_open_and_its_time_has_not_passed() {
    let late = start() + SignedDuration::from_secs(60);
    assert_eq!(judge(asked(), Request::Open, start()), Hold::Held(asked()));
    for (request, now, over) in [
        (Request::Open, late, Over::Expired),
        (Request::Finished, start(), Over::Finished),
        (Request::Gone, start(), Over::Gone),
    ] {
        assert_eq!(judge(asked(), request, now), Hold::Over(asked(), over));
    }
}

#[test]
fn it_is_acknowledged_before_anything_else() {
    let mut model = Model::new(3).with(|spec| spec.management = Management::Parallel);
    model.settle();
    model.pod(0).phase = Phase::Failed;
    model.hold(1, Request::Open);
    let Step::WriteStatus(status) = model.next() else {
        panic!("{:?}", model.next());
    };
    let held = status.hold.clone().expect("acknowledged");
    assert_eq!((held.ordinal, held.uid.as_str()), (1, "r-1"));
    assert!(status.notes.held.as_ref().is_some_and(|note| note.is_true));
}

#[test]
fn the_ordinal_is_left_alone_and_the_others_are_not() {
    for management in [Management::OrderedReady, Management::Parallel] {
        let mut model = Model::new(3).with(|spec| spec.management = management);
        model.settle();
        model.take_log();
        model.hold(1, Request::Open);
        model.run();
        model.pod(1).is_terminating = true;
        model.pod(2).is_terminating = true;
        model.settle();
        assert_eq!(model.take_log(), ["+2"], "{management:?}");
        model.scale(1);
        model.settle();
        assert_eq!(model.take_log(), ["-2"], "{management:?}");
        lift(&mut model);
        model.scale(2);
        model.settle();
        assert_eq!(model.take_log(), ["+1"], "{management:?}");
        assert_eq!(model.set.stored.hold, None);
        assert_eq!(model.set.stored.notes.held, None);
    }
}

#[test]
fn a_pod_that_failed_or_is_not_wanted_stays_while_it_is_held() {
    let mut model = Model::new(2).with(|spec| spec.management = Management::Parallel);
    model.settle();
    model.take_log();
    model.hold(1, Request::Open);
    model.pod(1).phase = Phase::Failed;
    model.settle();
    model.template("two");
    model.settle();
    model.scale(1);
    model.settle();
    assert!(!model.take_log().contains(&"-1".to_owned()));
}

#[test]
fn one_that_is_over_is_told_and_does_not_hold() {
    let mut model = Model::new(1);
    model.hold(0, Request::Gone);
    model.settle();
    assert_eq!(model.take_log(), ["+0"]);
    assert_eq!(model.set.stored.hold, None);
    let note = model.set.stored.notes.held.clone().expect("a condition");
    assert_eq!((note.is_true, note.reason.as_str()), (false, "HoldOver"));
    assert!(note.message.contains("its request is gone"), "{}", note.message);

    model.set.hold = Hold::Unreadable("not a hold".to_owned());
    model.settle();
    assert_eq!(
        model.set.stored.notes.held.clone().expect("a condition").reason,
        "InvalidAnnotation"
    );
}

#[test]
fn its_end_is_waited_for() {
    let mut model = Model::new(1);
    model.settle();
    model.hold(0, Request::Open);
    assert_eq!(model.run(), Some(model.now + SignedDuration::from_secs(60)));
}
