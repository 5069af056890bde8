//! A stage that takes longer than its storage profile lets expect.

use std::time::Duration;

use executor_core::{
    Observed, Request, Step,
    observed::{Capability, Claim, Complaint, Profile, Resize, Target},
    request::Stage,
    step,
};
use units::Reason;

use crate::{causes::with, fixture::*};

/// A profile that expects an expansion to take so many seconds.
fn expects(seconds: u64) -> impl Fn(&mut Claim) {
    move |claim| {
        claim.class.as_mut().unwrap().profile = Some(Profile {
            name: "StorageProfile quick".into(),
            expansion: Capability::Online,
            maximum: None,
            duration: Some(Duration::from_secs(seconds)),
            shared: false,
        });
    }
}

/// The first claim is at this stage since this second, the other is done.
fn noted(stage: Stage, second: i64) -> Request {
    let mut noted = begun();
    noted.record.volumes = vec![line("data-pg-0", stage), line("data-pg-1", Stage::Grown)];
    noted.record.volumes[0].since = Some(at(second));
    noted
}

/// Nothing but the storage profile ends it.
fn without_timeout(mut request: Request) -> Request {
    request.timeout = None;
    request
}

/// The device has grown, and kubelet was told so often that nothing is left to do.
fn pending(claim: &mut Claim) {
    claim.volume = Some(gib(20));
    claim.resize = Some(Resize::NodePending);
    claim.pods[0].nudged = Some("data-pg-0=21474836480:again".into());
}

/// The reason that is told, or waited for.
fn said(request: &Request, seen: &Observed, second: i64) -> Option<String> {
    let step = step(request, seen, at(second));
    match &step {
        Step::Wait(wait) => Some(wait.reason.to_string()),
        step => sets(step, Reason::VolumeExpansion).map(|(_, reason)| reason),
    }
}

/// A profile that expects 10 s is uneasy after 30 s.
#[test]
fn a_stage_that_takes_too_long_is_told_and_the_node_is_nudged_once_more() {
    let seen = with(expects(10));
    let resizing = noted(Stage::Resizing, 4);
    assert_eq!(said(&resizing, &seen, 33).as_deref(), Some("Resizing"));
    assert_eq!(said(&resizing, &seen, 34).as_deref(), Some("Overdue"));

    let nudged = with(|claim| {
        expects(10)(claim);
        pending(claim);
        claim.pods[0].nudged = Some("data-pg-0=21474836480".into());
    });
    let noted = noted(Stage::FileSystemPending, 21);
    assert_eq!(
        said(&noted, &nudged, 50).as_deref(),
        Some("FileSystemPending"),
        "30 s from where the stage began"
    );
    let again = step(&noted, &nudged, at(51));
    assert!(
        matches!(&again, Step::Nudge { value, .. } if value == "data-pg-0=21474836480:again"),
        "{again:?}"
    );
    let mut told = nudged.clone();
    pending(&mut told.claims[0]);
    assert_eq!(said(&noted, &told, 51).as_deref(), Some("Overdue"));
}

#[test]
fn a_stage_that_has_just_begun_is_not_overdue_however_long_the_others_took() {
    let request = without_timeout(noted(Stage::Resizing, 4));
    let seen = with(|claim| {
        pending(claim);
        claim.pods[0].nudged = Some("data-pg-0=21474836480".into());
    });
    assert_eq!(said(&request, &seen, 700).as_deref(), Some("FileSystemPending"));
}

/// Ten times what is expected, for each stage of each claim by itself.
#[test]
fn a_stage_ends_at_the_profiles_deadline_with_stage_claim_and_cause() {
    let seen = with(expects(50));
    let request = without_timeout(noted(Stage::Resizing, 4));
    assert_eq!(said(&request, &seen, 503).as_deref(), Some("Overdue"));
    let over = step(&request, &seen, at(504));
    assert_fails(&over, Reason::DeadlineExceeded);
    let text = message(&over, Reason::Failed);
    assert!(
        text.starts_with(
            "not past stage Resizing within 500 s of it: data-pg-0: the storage driver has been at work"
        ),
        "{text}"
    );

    let seen = with(|claim| {
        expects(50)(claim);
        pending(claim);
    });
    let request = without_timeout(noted(Stage::FileSystemPending, 290));
    assert_eq!(said(&request, &seen, 789).as_deref(), Some("Overdue"));
    let failing = with(|claim| {
        expects(50)(claim);
        pending(claim);
        claim.node_error = Some(Complaint {
            message: "xfs_growfs: exit 1".into(),
            at: None,
        });
    });
    let over = step(&request, &failing, at(790));
    assert_fails(&over, Reason::NodeStepFailing);
    let text = message(&over, Reason::Failed);
    assert!(
        text.starts_with(
            "not past stage FileSystemPending within 500 s of it: data-pg-0: xfs_growfs: exit 1"
        ),
        "{text}"
    );
}

#[test]
fn with_retries_left_the_deadline_begins_the_run_anew() {
    let mut request = without_timeout(noted(Stage::Resizing, 4));
    request.max_retries = 1;
    let over = step(&request, &with(expects(50)), at(504));
    assert!(matches!(over, Step::Retry(_)), "{over:?}");
    assert_eq!(
        sets(&over, Reason::Retrying),
        Some((true, "DeadlineExceeded".into()))
    );
}

#[test]
fn slow_storage_has_the_time_that_its_profile_gives_it() {
    let request = without_timeout(noted(Stage::Resizing, 4));
    let slow = with(expects(1_800));
    assert_eq!(said(&request, &slow, 5_000).as_deref(), Some("Resizing"));
    assert_eq!(said(&request, &slow, 18_003).as_deref(), Some("Overdue"));
    assert_fails(&step(&request, &slow, at(18_004)), Reason::DeadlineExceeded);
    let unknown = with(|_| {});
    assert_eq!(said(&request, &unknown, 603).as_deref(), Some("Overdue"));
    assert_fails(&step(&request, &unknown, at(604)), Reason::DeadlineExceeded);
    let quick = with(expects(1));
    assert_eq!(
        said(&request, &quick, 423).as_deref(),
        Some("Overdue"),
        "a resizer tries again after 5 min, and kubelet looks by itself after 90 s"
    );
    assert_fails(&step(&request, &quick, at(424)), Reason::DeadlineExceeded);
}

#[test]
fn a_timeout_in_the_request_takes_the_profiles_place() {
    let mut request = noted(Stage::Resizing, 4);
    request.timeout = Some(Duration::from_secs(3_600));
    let seen = with(expects(50));
    assert_eq!(said(&request, &seen, 3_600).as_deref(), Some("Overdue"));
    assert_fails(&step(&request, &seen, at(3_601)), Reason::DeadlineExceeded);
    request.timeout = Some(Duration::from_secs(20));
    assert_fails(&step(&request, &seen, at(21)), Reason::DeadlineExceeded);
}

/// The executor was away: nobody else patches a claim, or nudges.
#[test]
fn what_was_never_tried_is_made_up_for_once_however_late() {
    let request = without_timeout(begun());
    let mut seen = with(expects(50));
    for claim in &mut seen.claims {
        (claim.request, claim.resize) = (gib(10), None);
    }
    let patch = step(&request, &seen, at(5_000));
    assert!(
        matches!(&patch, Step::PatchClaim { claim, .. } if claim == "data-pg-0"),
        "{patch:?}"
    );
    seen.attempted.insert(Target::Claim("data-pg-0".into()));
    assert_fails(&step(&request, &seen, at(5_000)), Reason::DeadlineExceeded);

    let request = without_timeout(noted(Stage::FileSystemPending, 4));
    let mut seen = with(|claim| {
        pending(claim);
        claim.pods[0].nudged = None;
    });
    let nudge = step(&request, &seen, at(5_000));
    assert!(matches!(nudge, Step::Nudge { .. }), "{nudge:?}");
    seen.attempted.insert(Target::Pod("pg-0".into()));
    assert_fails(&step(&request, &seen, at(5_000)), Reason::DeadlineExceeded);
}

/// It would fail at once, and the volumes grow after it.
#[test]
fn beyond_the_requests_timeout_no_claim_is_patched() {
    let mut seen = with(|_| {});
    for claim in &mut seen.claims {
        (claim.request, claim.resize) = (gib(10), None);
    }
    assert_fails(&step(&begun(), &seen, at(101)), Reason::DeadlineExceeded);
    let nudged = with(|claim| {
        pending(claim);
        claim.pods[0].nudged = None;
    });
    let nudge = step(&noted(Stage::FileSystemPending, 4), &nudged, at(101));
    assert!(matches!(nudge, Step::Nudge { .. }), "{nudge:?}");
}

/// KubeDB's definition keeps no `status.volumes`: the time of the driver cannot be told from the node's.
#[test]
fn where_no_lines_are_kept_the_node_has_the_drivers_time_too() {
    let mut request = without_timeout(begun());
    request.record.volumes.clear();
    let seen = with(|claim| {
        expects(50)(claim);
        pending(claim);
    });
    assert_eq!(said(&request, &seen, 1_000).as_deref(), Some("Overdue"));
    assert_fails(&step(&request, &seen, at(1_001)), Reason::DeadlineExceeded);
}

/// The next look is at the deadline, not after it.
#[test]
fn a_wait_ends_at_the_deadline() {
    let seen = with(expects(50));
    let mut request = without_timeout(noted(Stage::Resizing, 4));
    let Step::Note(update) = step(&request, &seen, at(490)) else {
        panic!("it is overdue, and that is noted");
    };
    request.record.conditions.extend(update.conditions);
    request.record.volumes = update.volumes.unwrap();
    request.record.volumes[0].since = Some(at(4));
    assert_waits(&step(&request, &seen, at(490)), Reason::Overdue, Some(504));
}
