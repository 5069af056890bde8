//! Aligned, resumed, successful; given up; deleted; gone.

use executor_core::{
    Step,
    observed::{Refusal, Resize, Target},
    request::Phase,
    step,
};
use units::Reason;

use crate::fixture::*;

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

/// The time of a run that has none is over long ago, and no mark to look again at.
#[test]
fn deleted_without_a_timeout_it_waits_a_minute_however_long_it_ran() {
    let mut request = begun();
    (request.timeout, request.deleted) = (None, Some(at(700)));
    assert_waits(
        &step(&request, &resizing(), at(701)),
        Reason::RequestDeleted,
        Some(760),
    );
    assert_eq!(step(&request, &resizing(), at(760)), Step::Resume);
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
