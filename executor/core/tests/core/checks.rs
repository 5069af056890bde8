//! What stops a request before anything is written.

use executor_core::{
    Step,
    observed::{Capability, Limit, Observed, Profile, Refusal, Trial},
    request::{Apply, Mode, Operation, Request, Size},
    step,
};
use units::Reason;

use crate::fixture::*;

pub(crate) fn refused(change: impl Fn(&mut Request, &mut Observed)) -> Step {
    let (mut request, mut seen) = (request(), seen());
    change(&mut request, &mut seen);
    step(&request, &seen, at(6))
}

#[test]
fn each_check_has_its_reason_and_says_what_to_do() {
    type Change = fn(&mut Request, &mut Observed);
    let table: [(Change, Reason, &str); 20] = [
        (
            |r, _| r.operation = Operation::Other("Reconfigure".into()),
            Reason::NotSupported,
            "not supported by Highwater: spec.type Reconfigure",
        ),
        (
            |r, _| r.operation = Operation::VolumeExpansion(None),
            Reason::InvalidRequest,
            "`spec.volumeExpansion` field is required, can not be nil.",
        ),
        (
            |r, _| expansion(r).postgres = Size::Absent,
            Reason::InvalidRequest,
            "at least one of",
        ),
        (
            |r, _| expansion(r).postgres = Size::Bad("500GB".into()),
            Reason::InvalidRequest,
            "500GB",
        ),
        (
            |r, _| expansion(r).arbiter = true,
            Reason::NotSupported,
            "arbiter",
        ),
        (
            |r, _| expansion(r).mode = Mode::Offline,
            Reason::Unmanaged,
            "nobody would make a pod of PetSet pg again",
        ),
        (
            |r, _| expansion(r).mode = Mode::Other("Fast".into()),
            Reason::InvalidRequest,
            "\"Fast\"",
        ),
        (
            |_, s| s.database = None,
            Reason::DatabaseNotFound,
            "spec.databaseRef demo/pg, is invalid or not found",
        ),
        (
            |_, s| database(s).storage = None,
            Reason::InvalidRequest,
            "storage not configured for Postgres",
        ),
        (
            |_, s| s.claims.clear(),
            Reason::NoClaims,
            "check the PetSet's volumeClaimTemplates",
        ),
        (
            |r, _| expansion(r).postgres = Size::Of(gib(10)),
            Reason::NotLarger,
            "Current storage: 10Gi, desired: 10Gi: ask for more than the present size",
        ),
        (
            |r, _| expansion(r).postgres = Size::Of(gib(5)),
            Reason::NotLarger,
            "PostgresOpsRequest demo/grow, spec.volumeExpansion.postgres: desired",
        ),
        (
            |_, s| s.claims[1].class = None,
            Reason::NotExpandable,
            "has no storage class",
        ),
        (
            |_, s| s.claims[1].class.as_mut().unwrap().expandable = false,
            Reason::NotExpandable,
            "set allowVolumeExpansion on the storage class",
        ),
        (
            |_, s| profile(s, Capability::Unsupported),
            Reason::NotExpandable,
            "StorageProfile slow",
        ),
        (
            |_, s| shared(s),
            Reason::SharedFilesystem,
            "says that its volumes share a filesystem",
        ),
        (
            |_, s| profile(s, Capability::Offline),
            Reason::InUse,
            "expands only volumes not in use",
        ),
        (
            |_, s| profile(s, Capability::Online),
            Reason::AtMaximumSize,
            "allows 15Gi, 20Gi is asked for",
        ),
        (
            |_, s| {
                s.limits = vec![Limit {
                    name: "small".into(),
                    maximum: gib(19),
                }]
            },
            Reason::QuotaExceeded,
            "LimitRange small allows 19Gi per claim",
        ),
        (
            |_, s| trial(s, Reason::NotExpandable),
            Reason::NotExpandable,
            "claim data-pg-1: only dynamically provisioned",
        ),
    ];
    for (change, reason, words) in table {
        let step = refused(change);
        assert!(matches!(step, Step::Fail(_)), "{words}: {step:?}");
        assert_fails(&step, reason);
        assert!(
            message(&step, Reason::Failed).contains(words),
            "{words}: {step:?}"
        );
    }
}

fn profile(seen: &mut Observed, expansion: Capability) {
    let profile = Profile {
        name: "StorageProfile slow".into(),
        expansion,
        maximum: Some(gib(15)),
        duration: None,
        shared: false,
    };
    seen.claims[0].class.as_mut().unwrap().profile = Some(profile);
}

fn shared(seen: &mut Observed) {
    profile(seen, Capability::Unsupported);
    let class = seen.claims[0].class.as_mut().unwrap();
    class.profile.as_mut().unwrap().shared = true;
}

fn trial(seen: &mut Observed, reason: Reason) {
    let refusal = Refusal {
        reason,
        message: "only dynamically provisioned pvc can be resized".into(),
    };
    seen.trials.insert(
        "data-pg-1".into(),
        Trial {
            to: gib(20),
            refused: Some(refusal),
        },
    );
}

#[test]
fn the_smallest_claim_decides_whether_there_is_something_to_grow() {
    let step = refused(|_, s| s.claims[0] = done().claims[0].clone());
    assert_eq!(step, Step::AddFinalizer);
}

#[test]
fn a_claim_not_bound_or_being_deleted_is_waited_for_one_step_long() {
    type Change = fn(&mut Observed);
    let table: [(Change, &str); 2] = [
        (|s| s.claims[1].bound = false, "is not bound"),
        (|s| s.claims[1].deleting = true, "is being deleted"),
    ];
    for (change, words) in table {
        let mut seen = seen();
        change(&mut seen);
        let mut request = request();
        let hold = step(&request, &seen, at(6));
        assert_eq!(
            sets(&hold, Reason::Running),
            Some((false, "ClaimNotBound".into()))
        );
        assert!(message(&hold, Reason::Running).contains(words));
        request.record.conditions = hold.update().unwrap().conditions.clone();
        assert_waits(&step(&request, &seen, at(6)), Reason::ClaimNotBound, Some(100));
        assert_fails(&step(&request, &seen, at(100)), Reason::ClaimNotBound);
    }
}

#[test]
fn claims_made_together_with_the_request_get_a_moment_to_be_seen() {
    let mut seen = seen();
    seen.claims.clear();
    assert_eq!(
        sets(&step(&request(), &seen, at(4)), Reason::Running),
        Some((false, "NoClaims".into()))
    );
}

#[test]
fn if_ready_waits_in_the_queue_and_always_does_not() {
    let mut seen = seen();
    database(&mut seen).ready = false;
    assert_eq!(step(&request(), &seen, at(1)), Step::AddFinalizer);
    let mut request = request();
    request.apply = Apply::IfReady;
    let hold = step(&request, &seen, at(1));
    assert_eq!(
        sets(&hold, Reason::Running),
        Some((false, "DatabaseNotReady".into()))
    );
    request.record.conditions = hold.update().unwrap().conditions.clone();
    assert_waits(
        &step(&request, &seen, at(100_000)),
        Reason::DatabaseNotReady,
        None,
    );
    database(&mut seen).ready = true;
    assert_eq!(step(&request, &seen, at(100_000)), Step::AddFinalizer);
}

#[test]
fn an_answer_to_another_size_is_no_answer() {
    let mut seen = seen();
    seen.trials.get_mut("data-pg-1").unwrap().to = gib(30);
    assert_eq!(
        step(&request(), &seen, at(1)),
        Step::Try {
            claim: "data-pg-1".into(),
            to: gib(20)
        }
    );
}
