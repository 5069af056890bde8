//! Why a claim does not grow: told apart, and what follows at once, at the deadline, and after it.

use executor_core::{
    Observed, Step, cause,
    observed::{Claim, Complaint, Event, Resize},
    request::Stage,
    step,
};
use units::Reason;

use crate::fixture::*;

/// One claim being resized, changed; the other is done.
pub(crate) fn with(change: impl Fn(&mut Claim)) -> Observed {
    let mut seen = resizing();
    seen.claims[1] = done().claims[1].clone();
    change(&mut seen.claims[0]);
    seen
}

pub(crate) fn complaint(words: &str, second: i64) -> Option<Complaint> {
    Some(Complaint {
        message: words.into(),
        at: Some(at(second)),
    })
}

pub(crate) fn event(reason: &str, words: &str) -> Event {
    Event {
        reason: reason.into(),
        message: words.into(),
    }
}

#[test]
fn each_cause_is_named_while_it_lasts_and_in_the_failure() {
    type Change = fn(&mut Claim);
    let table: [(&str, Change, Reason, Reason); 10] = [
        ("at work", |_| {}, Reason::Resizing, Reason::DeadlineExceeded),
        (
            "passing error",
            |c| c.controller_error = complaint("Internal: try later", 5),
            Reason::DriverError,
            Reason::DriverError,
        ),
        (
            "EBS",
            |c| {
                c.controller_error =
                    complaint("volume \"vol-1\" in OPTIMIZING state, cannot currently modify", 5)
            },
            Reason::RateLimited,
            Reason::RateLimited,
        ),
        (
            "rate limit",
            |c| c.controller_error = complaint("rpc error: code = ResourceExhausted desc = slow", 5),
            Reason::RateLimited,
            Reason::RateLimited,
        ),
        (
            "pool full",
            |c| {
                c.controller_error = complaint(
                    "rpc error: code = ResourceExhausted desc = Insufficient free space: 4 extents available",
                    5,
                )
            },
            Reason::PoolFull,
            Reason::PoolFull,
        ),
        (
            "by Event",
            |c| c.events = vec![event("VolumeResizeFailed", "Internal: broken")],
            Reason::DriverError,
            Reason::DriverError,
        ),
        (
            "node to come",
            |c| {
                c.volume = Some(gib(20));
                c.resize = Some(Resize::NodePending);
                c.pods[0].nudged = Some("data-pg-0=21474836480".into());
            },
            Reason::FileSystemPending,
            Reason::DeadlineExceeded,
        ),
        (
            "node failing",
            |c| {
                c.volume = Some(gib(20));
                c.resize = Some(Resize::NodeInProgress);
                c.node_error = complaint("xfs_growfs: exit 1", 5);
                c.pods[0].nudged = Some("data-pg-0=21474836480".into());
            },
            Reason::NodeStepFailing,
            Reason::NodeStepFailing,
        ),
        (
            "nobody",
            |c| {
                c.resize = None;
                c.allocated = None;
                c.resizer_seen = false;
                c.events = vec![event("ExternalExpanding", "waiting for an external controller")];
            },
            Reason::NobodyResizes,
            Reason::NobodyResizes,
        ),
        (
            "unbound",
            |c| c.bound = false,
            Reason::ClaimNotBound,
            Reason::ClaimNotBound,
        ),
    ];
    for (name, change, waiting, failing) in table {
        let seen = with(change);
        let note = step(&begun(), &seen, at(40));
        assert_eq!(
            sets(&note, Reason::VolumeExpansion),
            Some((false, waiting.to_string())),
            "{name}: {note:?}"
        );
        let late = step(&begun(), &seen, at(101));
        assert_fails(&late, failing);
        assert!(
            message(&late, Reason::Failed).contains("not finished within 100 s: data-pg-0"),
            "{name}: {late:?}"
        );
    }
}

#[test]
fn what_waiting_cannot_help_ends_the_request_at_once() {
    type Change = fn(&mut Claim);
    let table: [(Change, Reason); 3] = [
        (
            |c| {
                c.resize = Some(Resize::ControllerInfeasible);
                c.controller_error = complaint("OutOfRange: too big", 5);
            },
            Reason::Infeasible,
        ),
        (
            |c| c.controller_error = complaint("rpc error: code = FailedPrecondition desc = published", 5),
            Reason::InUse,
        ),
        (
            |c| {
                c.volume = Some(gib(20));
                c.resize = Some(Resize::NodeInfeasible);
                c.node_error = complaint("fsck needed", 5);
            },
            Reason::NodeStepFailing,
        ),
    ];
    for (change, reason) in table {
        let mut request = begun();
        request.max_retries = 5;
        assert_fails(&step(&request, &with(change), at(5)), reason);
    }
}

#[test]
fn the_record_of_a_failed_request_says_where_each_volume_got_stuck() {
    let seen = with(|claim| {
        claim.resize = Some(Resize::ControllerInfeasible);
        claim.controller_error = complaint("OutOfRange: too big", 5);
    });
    let Step::GiveUp(update) = step(&begun(), &seen, at(5)) else {
        panic!("not given up")
    };
    let lines = update.volumes.unwrap();
    assert_eq!(
        (lines[0].stage, lines[0].reason, lines[0].message.as_str()),
        (Stage::Resizing, Reason::Infeasible, "OutOfRange: too big")
    );
    assert_eq!(lines[1].stage, Stage::Grown);
}

#[test]
fn what_was_said_of_an_earlier_resize_does_not_end_this_one() {
    let stale = with(|claim| {
        claim.resize = Some(Resize::ControllerInfeasible);
        claim.allocated = Some(gib(15));
    });
    assert!(matches!(step(&begun(), &stale, at(5)), Step::Note(_)));
    let old = with(|claim| claim.controller_error = complaint("FailedPrecondition", -100));
    assert!(matches!(step(&begun(), &old, at(5)), Step::Note(_)));
}

#[test]
fn an_infeasible_size_that_was_asked_for_before_may_have_become_possible() {
    let mut request = begun();
    request.record.volumes[0].stage = Stage::Requested;
    let seen = with(|claim| claim.resize = Some(Resize::ControllerInfeasible));
    assert_eq!(
        sets(&step(&request, &seen, at(5)), Reason::VolumeExpansion),
        Some((false, "Infeasible".into()))
    );
    request.max_retries = 5;
    assert_fails(&step(&request, &seen, at(101)), Reason::Infeasible);
}

#[test]
fn a_complaint_of_the_controller_is_old_once_the_device_has_grown() {
    let claim = Claim {
        volume: Some(gib(20)),
        resize: Some(Resize::NodePending),
        controller_error: complaint("Internal", 5),
        ..with(|_| {}).claims[0].clone()
    };
    let cause = cause::of(&claim, Stage::FileSystemPending, Some(at(1)), false, None);
    assert_eq!(cause.reason, Reason::FileSystemPending);
}

#[test]
fn silence_means_nothing_before_half_a_minute() {
    let quiet = with(|claim| {
        claim.resize = None;
        claim.resizer_seen = false;
        claim.events = vec![event("ExternalExpanding", "")];
    });
    assert_eq!(
        sets(&step(&begun(), &quiet, at(30)), Reason::VolumeExpansion),
        Some((false, "Resizing".into()))
    );
    assert_eq!(
        sets(&step(&begun(), &quiet, at(31)), Reason::VolumeExpansion),
        Some((false, "NobodyResizes".into()))
    );
}

#[test]
fn a_failure_that_may_pass_is_tried_again_as_often_as_allowed() {
    let seen = with(|claim| claim.controller_error = complaint("Internal", 5));
    let mut request = begun();
    request.max_retries = 2;
    for attempts in [1, 2] {
        request.record.attempts = attempts;
        let retry = step(&request, &seen, at(101));
        let Step::Retry(update) = &retry else {
            panic!("{retry:?}")
        };
        assert_eq!((update.attempts, update.starts), (Some(attempts + 1), true));
        assert_eq!(sets(&retry, Reason::Retrying), Some((true, "DriverError".into())));
        let lines = update.volumes.as_ref().unwrap();
        assert_eq!((lines[0].stage, lines[1].stage), (Stage::Requested, Stage::Grown));
    }
    request.record.attempts = 3;
    assert_fails(&step(&request, &seen, at(101)), Reason::DriverError);
}

#[test]
fn nobody_resizing_is_not_tried_again() {
    let seen = with(|claim| {
        claim.resize = None;
        claim.resizer_seen = false;
        claim.events = vec![event("ExternalExpanding", "")];
    });
    let mut request = begun();
    request.max_retries = 5;
    assert_fails(&step(&request, &seen, at(101)), Reason::NobodyResizes);
}

#[test]
fn of_several_claims_the_one_in_trouble_is_named() {
    let mut seen = resizing();
    seen.claims[1].controller_error = complaint("Internal: broken", 5);
    let note = step(&begun(), &seen, at(5));
    assert_eq!(
        message(&note, Reason::VolumeExpansion),
        "0 of 2 claims have 20Gi; data-pg-1: Internal: broken"
    );
}
