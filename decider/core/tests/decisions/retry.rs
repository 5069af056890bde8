//! A request that failed is tried again as soon as its wait is over, and not before the provider permits a modification:
//! what it grew before it failed is spent.

use decider_core::{Decision, FailedRequest, Resize};
use units::{Bytes, Reason};

use crate::{
    rates::BUDGET,
    scene::{self, GIB, Scene, database, first_seen, full, seconds_ago},
};

/// Seconds since the request failed: its wait was five.
const FAILED: i64 = 600;
/// Seconds since it grew the first of two claims, and no other.
const GREW: i64 = 605;
const HOUR: i64 = 3_600;

/// A request that grew the first of two claims and then failed, under a budget of which so much was spent so many seconds ago.
fn failed(spent: &[i64]) -> Scene {
    let mut scene = full();
    scene.db = database(vec![
        scene::volume(0, 2 * GIB, GIB * 85 / 100),
        scene::volume(1, GIB, GIB * 85 / 100),
    ]);
    scene.db.volumes[1].claim.request = Bytes::new(2 * GIB);
    scene.db.volumes[1].resize = Resize::Abandoned;
    scene.db.failed_request = Some(FailedRequest {
        name: "pgops-pg-abcdef".into(),
        at: seconds_ago(FAILED),
        in_a_row: 1,
        why: None,
        infeasible: None,
    });
    scene.profile.modifications = Some(BUDGET);
    scene.db.modified.at = spent.iter().map(|seconds| seconds_ago(*seconds)).collect();
    scene
}

#[test]
fn a_retry_waits_for_the_budget_that_the_failure_has_spent() {
    let mut scene = failed(&[4 * HOUR, 3 * HOUR, GREW]);
    let decision = scene.decide();
    assert!(matches!(decision, Decision::Hold { .. }), "{decision:?}");
    assert_eq!(decision.reason(), Reason::BudgetSpent);
    assert!(
        scene
            .text()
            .ends_with("3 are spent, 1 kept for emergencies: the next one at 2026-11-22T08:00:00Z"),
        "{}",
        scene.text()
    );
    scene.profile.modifications = None;
    assert_eq!(scene.reason(), Reason::ThresholdExceeded, "nothing else holds it");
}

#[test]
fn a_retry_within_the_budget_is_made() {
    let scene = failed(&[3 * HOUR, GREW]);
    assert_eq!(scene.reason(), Reason::ThresholdExceeded);
    assert!(scene.to() > Bytes::new(2 * GIB), "larger than what has grown");
    assert_eq!(
        failed(&[25 * HOUR, 4 * HOUR, GREW]).reason(),
        Reason::ThresholdExceeded
    );
}

/// The reserve is there for a retry, too, if that is an emergency; but no emergency makes a provider answer sooner.
#[test]
fn a_retry_in_an_emergency_spends_the_reserve_once_its_wait_is_over() {
    let mut scene = failed(&[4 * HOUR, 3 * HOUR, GREW]);
    first_seen(&mut scene).sample = scene::sample(2 * GIB, 2 * GIB * 96 / 100);
    assert_eq!(scene.reason(), Reason::ThresholdExceeded);
    if let Some(request) = &mut scene.db.failed_request {
        request.at = seconds_ago(4);
    }
    assert_eq!(scene.reason(), Reason::RequestFailed);
    let mut scene = failed(&[4 * HOUR, 3 * HOUR, 2 * HOUR, GREW]);
    first_seen(&mut scene).sample = scene::sample(2 * GIB, 2 * GIB * 96 / 100);
    assert_eq!(scene.reason(), Reason::BudgetSpent);
}
