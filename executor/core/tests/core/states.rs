//! From the queue to the acknowledged pause: what each state does, its exit, its deadline.

use executor_core::{
    State, Step, pause,
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
