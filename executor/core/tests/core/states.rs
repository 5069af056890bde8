//! One test per state: what it does, its exit, its deadline.

use executor_core::{
    State, Step,
    observed::{Refusal, Resize, Target},
    pause,
    request::{Phase, Stage},
    state, step,
};
use units::Reason;

use crate::fixture::*;

#[test]
fn a_new_request_gets_its_finalizer_then_begins() {
    let mut request = request();
    let seen = seen();
    assert_eq!(state(&request, &seen, at(1)), State::Queued);
    assert_eq!(step(&request, &seen, at(1)), Step::AddFinalizer);
    request.finalizer = true;
    let begin = step(&request, &seen, at(1));
    let Step::Begin(update) = &begin else {
        panic!("{begin:?}")
    };
    assert_eq!(
        (update.phase, update.starts, update.attempts),
        (Some(Phase::Progressing), true, Some(1))
    );
    assert_eq!(sets(&begin, Reason::Running), Some((true, "Running".into())));
    let stages: Vec<_> = update.volumes.iter().flatten().map(|line| line.stage).collect();
    assert_eq!(stages, [Stage::Pending, Stage::Pending]);
}

#[test]
fn every_patch_is_tried_before_anything_is_written() {
    let mut seen = seen();
    seen.trials.clear();
    let first = step(&request(), &seen, at(1));
    assert_eq!(
        first,
        Step::Try {
            claim: "data-pg-0".into(),
            to: gib(20)
        }
    );
    assert_eq!(first.target(), None);
}

#[test]
fn approval_is_awaited_without_holding_anything() {
    let mut request = request();
    request.record.phase = Phase::WaitingForApproval;
    assert_waits(&step(&request, &seen(), at(10_000)), Reason::Queued, None);
    request.record.phase = Phase::Approved;
    assert_eq!(step(&request, &seen(), at(1)), Step::AddFinalizer);
}

#[test]
fn a_request_deleted_before_it_ran_is_let_go() {
    let mut request = request();
    request.deleted = Some(at(1));
    assert_eq!(step(&request, &seen(), at(1)), Step::Done);
    request.finalizer = true;
    assert_eq!(step(&request, &seen(), at(1)), Step::RemoveFinalizer);
}

#[test]
fn a_finished_request_lifts_its_pause_then_lets_go() {
    for phase in [Phase::Successful, Phase::Failed, Phase::Skipped, Phase::Denied] {
        let mut request = begun();
        request.record.phase = phase;
        assert_eq!(step(&request, &paused(), at(3)), Step::Resume);
        assert_eq!(step(&request, &seen(), at(3)), Step::RemoveFinalizer);
        request.finalizer = false;
        assert_eq!(step(&request, &seen(), at(3)), Step::Done);
    }
}

#[test]
fn a_running_request_without_finalizer_gets_it_first() {
    let mut request = begun();
    request.finalizer = false;
    assert_eq!(step(&request, &seen(), at(2)), Step::AddFinalizer);
}

#[test]
fn the_pause_names_the_request_by_uid() {
    let pause = step(&begun(), &seen(), at(2));
    let Step::Pause { message } = &pause else {
        panic!("{pause:?}")
    };
    assert_eq!(pause::named(message), Some(("grow", "uid-grow")));
}

#[test]
fn a_database_paused_by_another_is_waited_for_until_the_deadline() {
    let mut seen = paused();
    let mut other_request = begun();
    other_request.uid = "uid-other".into();
    other_request.name = "other".into();
    seen.queue = vec![other("grow", "VolumeExpansion", Phase::Progressing, 0)];
    assert_waits(&step(&other_request, &seen, at(2)), Reason::Queued, Some(101));
    assert_fails(&step(&other_request, &seen, at(101)), Reason::DeadlineExceeded);
}

#[test]
fn a_pause_of_nobody_known_is_taken_over_when_it_is_ours_to_take() {
    let mut seen = paused();
    let mut request = begun();
    request.uid = "uid-other".into();
    assert!(
        matches!(step(&request, &seen, at(2)), Step::Pause { .. }),
        "its request is gone"
    );
    database(&mut seen).paused.as_mut().unwrap().message = "paused by KubeDB".into();
    assert_waits(&step(&request, &seen, at(2)), Reason::Queued, Some(101));
}

#[test]
fn an_unmanaged_database_acknowledges_nothing() {
    assert_eq!(state(&begun(), &paused(), at(2)), State::Growing);
}

#[test]
fn a_provisioner_is_waited_for_at_most_five_seconds() {
    let mut seen = paused();
    database(&mut seen).managed = true;
    assert_waits(&step(&begun(), &seen, at(2)), Reason::AwaitingPause, Some(7));
    assert_eq!(state(&begun(), &seen, at(6)), State::Acknowledging);
    assert_eq!(state(&begun(), &seen, at(7)), State::Growing);
    assert_eq!(
        state(&begun(), &seen, at(1)),
        State::Growing,
        "a clock set back is not waited for"
    );
    database(&mut seen).acknowledged = Some("uid-grow".into());
    assert_eq!(state(&begun(), &seen, at(2)), State::Growing);
    database(&mut seen).acknowledged = Some("uid-older".into());
    assert_eq!(state(&begun(), &seen, at(2)), State::Acknowledging);
}

#[test]
fn what_became_of_the_acknowledgement_is_said() {
    let mut seen = resizing();
    let says = |seen: &executor_core::Observed| sets(&step(&begun(), seen, at(8)), Reason::PauseDatabase);
    assert_eq!(says(&seen), Some((true, "NoProvisioner".into())));
    database(&mut seen).managed = true;
    assert_eq!(says(&seen), Some((true, "ProvisionerNotAnswering".into())));
    database(&mut seen).acknowledged = Some("for uid-grow".into());
    assert_eq!(says(&seen), Some((true, "PauseDatabase".into())));
}

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

#[test]
fn then_template_then_its_condition_then_postgres_then_resume_then_successful() {
    let mut request = grown();
    let mut seen = done();
    assert_eq!(step(&request, &seen, at(10)), Step::PatchTemplate { to: gib(20) });
    seen.petset.as_mut().unwrap().template = Some(gib(20));
    let note = step(&request, &seen, at(10));
    assert_eq!(
        sets(&note, Reason::ReadyPetSets),
        Some((true, "ReadyPetSets".into()))
    );
    assert_eq!(
        sets(&note, Reason::UpdatePetSets),
        Some((true, "UpdatePetSets".into()))
    );
    request
        .record
        .conditions
        .push(condition(Reason::ReadyPetSets, true, Reason::ReadyPetSets, 10));
    assert_eq!(step(&request, &seen, at(10)), Step::PatchPostgres { to: gib(20) });
    database(&mut seen).storage = Some(gib(20));
    assert_eq!(step(&request, &seen, at(10)), Step::Resume);
    database(&mut seen).paused = None;
    let end = step(&request, &seen, at(10_000));
    assert!(
        matches!(&end, Step::Succeed(update) if update.phase == Some(Phase::Successful)),
        "{end:?}"
    );
    assert_eq!(message(&end, Reason::Successful), "Successfully Expanded Volume.");
}

#[test]
fn sizes_that_are_larger_already_are_not_touched() {
    let mut request = grown();
    let mut seen = done();
    seen.petset.as_mut().unwrap().template = Some(gib(90));
    database(&mut seen).storage = Some(gib(90));
    assert!(matches!(step(&request, &seen, at(10)), Step::Note(_)));
    request
        .record
        .conditions
        .push(condition(Reason::ReadyPetSets, true, Reason::ReadyPetSets, 10));
    assert_eq!(step(&request, &seen, at(10)), Step::Resume);
}

#[test]
fn a_database_without_petset_is_aligned_without() {
    let mut seen = done();
    seen.petset = None;
    assert_eq!(
        message(&step(&grown(), &seen, at(10)), Reason::ReadyPetSets),
        "there is no PetSet"
    );
}

#[test]
fn aligning_has_a_deadline_of_its_own() {
    assert_eq!(
        step(&grown(), &done(), at(108)),
        Step::PatchTemplate { to: gib(20) }
    );
    assert_fails(&step(&grown(), &done(), at(109)), Reason::DeadlineExceeded);
}

#[test]
fn a_refused_template_or_spec_fails_with_the_servers_words_and_the_other_is_still_aligned() {
    let mut seen = done();
    seen.refusals.insert(
        Target::PetSet,
        Refusal {
            reason: Reason::Refused,
            message: "webhook says no".into(),
        },
    );
    let give_up = step(&grown(), &seen, at(10));
    assert_fails(&give_up, Reason::Refused);
    assert!(message(&give_up, Reason::Failed).contains("webhook says no"));
    let mut request = grown();
    request
        .record
        .conditions
        .push(condition(Reason::Failed, true, Reason::Refused, 10));
    assert_eq!(step(&request, &seen, at(10)), Step::PatchPostgres { to: gib(20) });
}

#[test]
fn a_failing_request_aligns_what_all_members_have_resumes_and_fails() {
    let mut request = begun();
    request
        .record
        .conditions
        .push(condition(Reason::Failed, true, Reason::RateLimited, 50));
    let mut seen = resizing();
    assert_eq!(step(&request, &seen, at(51)), Step::Resume, "nothing grew");
    for claim in &mut seen.claims {
        claim.capacity = gib(15);
    }
    assert_eq!(step(&request, &seen, at(51)), Step::PatchTemplate { to: gib(15) });
    assert_eq!(step(&request, &seen, at(80)), Step::Resume, "30 s are over");
    seen.petset.as_mut().unwrap().template = Some(gib(15));
    database(&mut seen).storage = Some(gib(15));
    assert_eq!(step(&request, &seen, at(51)), Step::Resume);
    database(&mut seen).paused = None;
    assert!(
        matches!(step(&request, &seen, at(51)), Step::Fail(update) if update.phase == Some(Phase::Failed))
    );
}

#[test]
fn a_failing_request_touches_nothing_that_another_has_paused() {
    let mut request = begun();
    request
        .record
        .conditions
        .push(condition(Reason::Failed, true, Reason::DeadlineExceeded, 50));
    let mut seen = done();
    database(&mut seen).paused.as_mut().unwrap().message = "paused by KubeDB".into();
    assert!(matches!(step(&request, &seen, at(51)), Step::Fail(_)));
}

#[test]
fn deleted_before_the_first_patch_it_stops_there() {
    let mut request = begun();
    request.deleted = Some(at(3));
    assert_eq!(step(&request, &paused(), at(3)), Step::Resume);
    assert_eq!(step(&request, &seen(), at(3)), Step::RemoveFinalizer);
}

#[test]
fn deleted_between_two_patches_it_makes_the_other_one_and_waits_a_minute() {
    let mut request = begun();
    request.deleted = Some(at(3));
    let mut seen = paused();
    seen.claims[0].request = gib(20);
    assert_eq!(
        step(&request, &seen, at(3)),
        Step::PatchClaim {
            claim: "data-pg-1".into(),
            to: gib(20)
        }
    );
    seen.claims[1].request = gib(20);
    assert_waits(&step(&request, &seen, at(3)), Reason::RequestDeleted, Some(63));
    assert_eq!(
        step(&request, &seen, at(63)),
        Step::Resume,
        "somebody waits for the deletion"
    );
    seen = done();
    assert_eq!(step(&request, &seen, at(4)), Step::PatchTemplate { to: gib(20) });
}

#[test]
fn deleted_while_the_driver_refuses_it_does_not_wait() {
    let mut request = begun();
    request.deleted = Some(at(3));
    let mut seen = resizing();
    seen.claims[0].resize = Some(Resize::ControllerInfeasible);
    assert_eq!(step(&request, &seen, at(3)), Step::Resume);
}

#[test]
fn a_database_that_is_gone_mid_way_fails_the_request() {
    let mut seen = seen();
    seen.database = None;
    assert_fails(&step(&begun(), &seen, at(3)), Reason::DatabaseNotFound);
    let mut request = begun();
    request
        .record
        .conditions
        .push(condition(Reason::Failed, true, Reason::DatabaseNotFound, 3));
    assert!(matches!(step(&request, &seen, at(3)), Step::Fail(_)));
}

#[test]
fn claims_that_are_gone_mid_way_fail_the_request() {
    let mut seen = paused();
    seen.claims.clear();
    assert_fails(&step(&begun(), &seen, at(3)), Reason::NoClaims);
}

#[test]
fn a_refused_pause_or_patch_gives_up_for_that_reason() {
    let refusal = |reason| Refusal {
        reason,
        message: "forbidden".into(),
    };
    let mut seen = seen();
    seen.refusals
        .insert(Target::PostgresStatus, refusal(Reason::Refused));
    assert_fails(&step(&begun(), &seen, at(3)), Reason::Refused);
    let mut seen = paused();
    seen.refusals
        .insert(Target::Claim("data-pg-1".into()), refusal(Reason::QuotaExceeded));
    assert_fails(&step(&begun(), &seen, at(3)), Reason::QuotaExceeded);
}

#[test]
fn where_our_fields_are_pruned_conditions_stand_in_for_them() {
    let mut request = begun();
    request.record.started_at = None;
    request.record.attempts = 0;
    request.record.volumes.clear();
    request.max_retries = 1;
    let retry = step(&request, &resizing(), at(101));
    assert!(
        matches!(&retry, Step::Retry(update) if update.attempts == Some(2)),
        "{retry:?}"
    );
    request
        .record
        .conditions
        .push(condition(Reason::Retrying, true, Reason::DeadlineExceeded, 101));
    assert!(!matches!(
        step(&request, &resizing(), at(102)),
        Step::Retry(_) | Step::GiveUp(_)
    ));
    assert_fails(&step(&request, &resizing(), at(201)), Reason::DeadlineExceeded);
}
