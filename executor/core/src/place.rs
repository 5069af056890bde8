//! Where each claim is on its way to the target, and why it is not further.

use std::time::Duration;

use jiff::Timestamp;
use units::{Bytes, Reason};

use crate::{
    cause::{self, Cause},
    growth::SILENCE,
    observed::{Claim, Observed, Resize},
    request::{Phase, Request, Stage, VolumeRecord},
    texts,
};

/// Where one claim is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place<'a> {
    pub(crate) claim: &'a Claim,
    pub(crate) stage: Stage,
    pub(crate) cause: Cause,
    /// How long it may be at this stage at most.
    pub(crate) allowed: Duration,
    /// When that is over; none while the stage is about to be written down.
    pub(crate) deadline: Option<Timestamp>,
}

/// Whether its request is to be changed: too low, or stuck above the target where the driver cannot follow.
pub(crate) fn needs_patch(claim: &Claim, target: Bytes) -> bool {
    let stuck = matches!(
        claim.resize,
        Some(Resize::ControllerInfeasible | Resize::NodeInfeasible)
    );
    claim.capacity < target && (claim.request < target || (stuck && claim.request > target))
}

/// Where a claim is on its way to the target.
pub(crate) fn stage(claim: &Claim, target: Bytes, request: &Request) -> Stage {
    let another = claim.request > target;
    if claim.capacity >= target && (claim.resize.is_none() || another) {
        return Stage::Grown;
    }
    if needs_patch(claim, target) {
        return Stage::Pending;
    }
    if claim.volume.is_some_and(|volume| volume >= target) {
        let unmounted = claim.resize == Some(Resize::NodePending) && claim.pods.is_empty();
        return if unmounted {
            Stage::FinishesAtNextMount
        } else {
            Stage::FileSystemPending
        };
    }
    let adopted = request
        .record
        .volume(&claim.name)
        .is_some_and(|volume| volume.stage == Stage::Requested);
    if adopted {
        Stage::Requested
    } else {
        Stage::Resizing
    }
}

/// Since when a claim has been at a stage; none if that is about to be written down.
fn since(claim: &Claim, stage: Stage, request: &Request) -> Option<Timestamp> {
    let started = request.record.started();
    match request.record.volume(&claim.name) {
        // A line of the run's begin may be from before the pause.
        Some(line) if line.stage == stage => line.since.max(started),
        // Member by member only the turns are written down.
        Some(_) => request.record.member(claim.ordinal)?.since.max(started),
        None => started,
    }
}

/// Since when a claim has been at a stage, if that is longer than its storage profile lets expect.
pub(crate) fn overdue(claim: &Claim, stage: Stage, request: &Request, now: Timestamp) -> Option<Timestamp> {
    let since = since(claim, stage, request)?;
    (now >= texts::after(since, claim.patience())).then_some(since)
}

/// How long a claim may be at a stage by its storage profile.
fn allowed(claim: &Claim, stage: Stage, request: &Request) -> Duration {
    // Where `volumes` was pruned, the time of the driver is in it.
    let pruned = request.record.volume(&claim.name).is_none();
    let stages = if pruned && stage == Stage::FileSystemPending {
        2
    } else {
        1
    };
    claim.deadline().saturating_mul(stages)
}

pub(crate) fn places<'a>(
    request: &Request,
    seen: &'a Observed,
    target: Bytes,
    now: Timestamp,
) -> Vec<Place<'a>> {
    let started = request.record.started();
    let late = started.is_some_and(|started| now >= texts::after(started, SILENCE));
    let place = |claim| {
        let stage = stage(claim, target, request);
        let overdue = overdue(claim, stage, request, now);
        let allowed = allowed(claim, stage, request);
        Place {
            claim,
            stage,
            cause: cause::of(claim, stage, started, late, overdue),
            allowed,
            deadline: since(claim, stage, request).map(|since| texts::after(since, allowed)),
        }
    };
    seen.claims.iter().map(place).collect()
}

/// Where each claim of a growth that runs is on its way; nothing for any other request.
#[must_use]
pub fn stages(request: &Request, seen: &Observed) -> Vec<(String, Stage)> {
    let runs = request.record.phase == Phase::Progressing;
    let Some(target) = request.target().filter(|_| runs) else {
        return Vec::new();
    };
    let place = |claim: &Claim| (claim.name.clone(), stage(claim, target, request));
    seen.claims.iter().map(place).collect()
}

/// The claim that decides what is said of all: one that ends the run, else the one that is furthest from its end.
pub(crate) fn worst<'a, 'b>(places: &'b [Place<'a>]) -> Option<&'b Place<'a>> {
    let rank = |place: &&Place<'a>| {
        let waits = matches!(place.cause.reason, Reason::Resizing | Reason::FileSystemPending);
        (!place.cause.is_final, place.stage.is_grown(), waits, place.stage)
    };
    places.iter().min_by_key(rank)
}

pub(crate) fn about(place: &Place<'_>) -> String {
    format!("{}: {}", place.claim.name, place.cause.message)
}

pub(crate) fn volumes(request: &Request, places: &[Place<'_>], target: Bytes) -> Vec<VolumeRecord> {
    let record = |place: &Place<'_>| VolumeRecord {
        claim: place.claim.name.clone(),
        from: request
            .record
            .volume(&place.claim.name)
            .map_or(place.claim.capacity, |old| old.from),
        to: target,
        stage: place.stage,
        capacity: place.claim.capacity,
        reason: place.cause.reason,
        message: place.cause.message.clone(),
        since: None,
    };
    places.iter().map(record).collect()
}

/// The volumes as a run begins: which are to be patched, and which are asked for already.
pub(crate) fn plan(seen: &Observed, target: Bytes) -> Vec<VolumeRecord> {
    let line = |claim: &Claim| {
        let (stage, reason, message) = match () {
            () if claim.capacity >= target => {
                (Stage::Grown, Reason::VolumeExpansion, "has that much already")
            }
            () if needs_patch(claim, target) => {
                (Stage::Pending, Reason::Running, "its request is to be raised")
            }
            () => (
                Stage::Requested,
                Reason::Resizing,
                "an earlier request asked for that much",
            ),
        };
        VolumeRecord {
            claim: claim.name.clone(),
            from: claim.capacity,
            to: target,
            stage,
            capacity: claim.capacity,
            reason,
            message: message.to_owned(),
            since: None,
        }
    };
    seen.claims.iter().map(line).collect()
}
