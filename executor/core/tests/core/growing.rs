//! The claims on their way: patched at once, nudged once, counted when they have grown.

use executor_core::{
    Step,
    observed::{Refusal, Resize, Target},
    step,
};
use units::Reason;

use crate::fixture::*;

#[test]
fn all_claims_are_patched_before_any_is_waited_for() {
    let mut seen = paused();
    assert_eq!(
        step(&begun(), &seen, at(3)),
        Step::PatchClaim {
            claim: "data-pg-0".into(),
            to: gib(20)
        }
    );
    seen.claims[0].request = gib(20);
    assert_eq!(
        step(&begun(), &seen, at(3)),
        Step::PatchClaim {
            claim: "data-pg-1".into(),
            to: gib(20)
        }
    );
}

#[test]
fn a_pod_is_nudged_once_per_growth_as_soon_as_its_volume_has_grown() {
    let mut seen = resizing();
    seen.claims[1].volume = Some(gib(20));
    let nudge = step(&begun(), &seen, at(4));
    let Step::Nudge { pod, value } = &nudge else {
        panic!("{nudge:?}")
    };
    assert_eq!((pod.as_str(), value.as_str()), ("pg-1", "data-pg-1=21474836480"));
    seen.claims[1].pods[0].nudged = Some(value.clone());
    assert!(matches!(step(&begun(), &seen, at(4)), Step::Note(_)));
    seen.claims[1].pods[0].nudged = Some("data-pg-1=10737418240".into());
    assert!(
        matches!(step(&begun(), &seen, at(4)), Step::Nudge { .. }),
        "an earlier growth's nudge"
    );
    seen.refusals.insert(
        Target::Pod("pg-1".into()),
        Refusal {
            reason: Reason::Refused,
            message: "no".into(),
        },
    );
    assert!(
        matches!(step(&begun(), &seen, at(4)), Step::Note(_)),
        "kubelet comes by itself, later"
    );
}

#[test]
fn progress_is_written_once_then_waited_for() {
    let mut request = begun();
    let seen = resizing();
    let note = step(&request, &seen, at(4));
    let Step::Note(update) = note else {
        panic!("{note:?}")
    };
    request.record.volumes = update.volumes.unwrap();
    request.record.conditions.extend(update.conditions);
    assert_waits(&step(&request, &seen, at(4)), Reason::Resizing, Some(31));
    request.record.volumes.clear();
    assert_waits(&step(&request, &seen, at(4)), Reason::Resizing, Some(31));
}

#[test]
fn a_larger_claim_is_left_alone_whatever_becomes_of_it() {
    let mut seen = done();
    seen.claims[0].request = gib(50);
    seen.claims[0].capacity = gib(30);
    seen.claims[0].volume = Some(gib(30));
    seen.claims[0].resize = Some(Resize::ControllerInfeasible);
    assert_eq!(
        sets(&step(&begun(), &seen, at(4)), Reason::VolumeExpansion),
        Some((true, "VolumeExpansion".into()))
    );
}

#[test]
fn a_request_stuck_above_the_target_is_lowered_to_it_and_one_that_moves_is_not() {
    let mut seen = resizing();
    seen.claims[0].request = gib(50);
    seen.claims[0].allocated = Some(gib(50));
    assert!(!matches!(step(&begun(), &seen, at(4)), Step::PatchClaim { .. }));
    for stuck in [Resize::ControllerInfeasible, Resize::NodeInfeasible] {
        seen.claims[0].resize = Some(stuck);
        assert_eq!(
            step(&begun(), &seen, at(4)),
            Step::PatchClaim {
                claim: "data-pg-0".into(),
                to: gib(20)
            }
        );
    }
}

#[test]
fn capacity_alone_is_not_the_end_while_a_resize_is_in_progress() {
    let mut seen = done();
    seen.claims[0].resize = Some(Resize::NodeInProgress);
    let note = step(&begun(), &seen, at(4));
    assert!(
        sets(&note, Reason::VolumeExpansion).is_none_or(|(status, _)| !status),
        "{note:?}"
    );
}

#[test]
fn a_claim_mounted_nowhere_counts_and_the_condition_says_so() {
    let mut seen = done();
    seen.claims[1].capacity = gib(10);
    seen.claims[1].resize = Some(Resize::NodePending);
    assert!(
        matches!(step(&begun(), &seen, at(4)), Step::Nudge { .. }),
        "mounted: kubelet can"
    );
    seen.claims[1].pods.clear();
    let note = step(&begun(), &seen, at(4));
    assert!(
        message(&note, Reason::VolumeExpansion).ends_with("finishes at next mount: data-pg-1"),
        "{note:?}"
    );
    seen.claims[1].resize = Some(Resize::ControllerInProgress);
    assert!(sets(&step(&begun(), &seen, at(4)), Reason::VolumeExpansion).is_some_and(|(status, _)| !status));
}

#[test]
fn rounding_up_by_the_driver_is_enough() {
    let mut seen = done();
    seen.claims[0].capacity = gib(21);
    seen.claims[0].volume = Some(gib(21));
    assert!(sets(&step(&begun(), &seen, at(4)), Reason::VolumeExpansion).is_some_and(|(status, _)| status));
}
