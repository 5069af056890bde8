//! A stage that takes longer than its storage profile lets expect.

use std::time::Duration;

use executor_core::{
    Observed, Request, Step,
    observed::{Capability, Claim, Profile, Resize},
    request::Stage,
    step,
};
use units::Reason;

use crate::{causes::with, fixture::*};

/// A profile that expects 10 s gives each stage 30 s.
#[test]
fn a_stage_that_takes_too_long_is_told_and_the_node_is_nudged_once_more() {
    let quick = |claim: &mut Claim| {
        claim.class.as_mut().unwrap().profile = Some(Profile {
            name: "quick".into(),
            expansion: Capability::Online,
            maximum: None,
            duration: Some(Duration::from_secs(10)),
            shared: false,
        });
    };
    let seen = with(quick);
    let said = |request: &Request, seen: &Observed, second| {
        let step = step(request, seen, at(second));
        match &step {
            Step::Wait(wait) => Some(wait.reason.to_string()),
            step => sets(step, Reason::VolumeExpansion).map(|(_, reason)| reason),
        }
    };
    let started = begun().record.started().unwrap().as_second() - 1_000_000;
    assert_eq!(said(&begun(), &seen, started + 29).as_deref(), Some("Resizing"));
    assert_eq!(said(&begun(), &seen, started + 30).as_deref(), Some("Overdue"));

    let pending = with(|claim| {
        quick(claim);
        claim.volume = Some(gib(20));
        claim.resize = Some(Resize::NodePending);
        claim.pods[0].nudged = Some("data-pg-0=21474836480".into());
    });
    let mut noted = begun();
    let mut line = line("data-pg-0", Stage::FileSystemPending);
    line.since = Some(at(started + 20));
    noted.record.volumes = vec![line];
    assert_eq!(
        said(&noted, &pending, started + 49).as_deref(),
        Some("FileSystemPending"),
        "30 s from where the stage began"
    );
    let again = step(&noted, &pending, at(started + 50));
    assert!(
        matches!(&again, Step::Nudge { value, .. } if value == "data-pg-0=21474836480:again"),
        "{again:?}"
    );
    let mut told = pending.clone();
    told.claims[0].pods[0].nudged = Some("data-pg-0=21474836480:again".into());
    assert_eq!(said(&noted, &told, started + 50).as_deref(), Some("Overdue"));
}
