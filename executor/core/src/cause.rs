//! Why a claim has not grown yet, from what the claim itself says.
//!
//! Conditions and statuses are the evidence; Events are only read where nothing else speaks, because they are
//! best effort and outlive what they tell of.

use jiff::Timestamp;
use units::Reason;

use crate::{
    observed::{Claim, Complaint, Resize},
    request::Stage,
};

/// Why a claim is where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// The cause.
    pub reason: Reason,
    /// Its particulars.
    pub message: String,
    /// Whether waiting cannot help.
    pub is_final: bool,
}

impl Cause {
    fn passing(reason: Reason, message: impl Into<String>) -> Cause {
        Cause {
            reason,
            message: message.into(),
            is_final: false,
        }
    }
}

/// Why this claim, at this stage of a run begun at `started`, is not further. `late`: long enough for any resizer
/// to have said something. `overdue`: since when it is at this stage, if that is unusually long.
#[must_use]
pub fn of(
    claim: &Claim,
    stage: Stage,
    started: Option<Timestamp>,
    late: bool,
    overdue: Option<Timestamp>,
) -> Cause {
    if !claim.is_usable() {
        let what = if claim.deleting {
            "is being deleted"
        } else {
            "is not bound"
        };
        return Cause::passing(Reason::ClaimNotBound, format!("claim {} {what}", claim.name));
    }
    match stage {
        Stage::Grown => return Cause::passing(Reason::VolumeExpansion, format!("has {}", claim.capacity)),
        Stage::FinishesAtNextMount => {
            let text = format!(
                "the volume has {}, the filesystem grows at its next mount",
                claim.size()
            );
            return Cause::passing(Reason::FinishesAtNextMount, text);
        }
        // Whatever is written there is about an earlier size.
        Stage::Pending => return Cause::passing(Reason::Running, "its request is to be changed"),
        Stage::Requested | Stage::Resizing | Stage::FileSystemPending => {}
    }
    node(claim)
        .or_else(|| controller(claim, stage, started))
        .unwrap_or_else(|| silence(claim, stage, late, overdue))
}

/// What the node said.
fn node(claim: &Claim) -> Option<Cause> {
    let words = claim.node_error.as_ref().map(|error| error.message.clone());
    let infeasible = claim.resize == Some(Resize::NodeInfeasible) && speaks_of_present(claim);
    (infeasible || words.is_some()).then(|| Cause {
        reason: Reason::NodeStepFailing,
        message: words.unwrap_or_else(|| "the node says that it cannot grow the filesystem".to_owned()),
        is_final: infeasible,
    })
}

/// What the driver's controller said.
fn controller(claim: &Claim, stage: Stage, started: Option<Timestamp>) -> Option<Cause> {
    let complaint = claim
        .controller_error
        .clone()
        .or_else(|| complaint_by_event(claim));
    let infeasible = claim.resize == Some(Resize::ControllerInfeasible) && speaks_of_present(claim);
    // The words tell more than the status: a driver that wants the volume detached may call that infeasible, too, and no
    // smaller size would help.
    let in_use = claim
        .controller_error
        .as_ref()
        .is_some_and(|error| classify(&error.message) == Reason::InUse);
    if infeasible && !in_use {
        let message =
            complaint.map_or_else(|| "the driver refuses the size".to_owned(), |error| error.message);
        // A size asked for by an earlier request may have become possible: the resizer tries again by itself.
        return Some(Cause {
            reason: Reason::Infeasible,
            message,
            is_final: stage != Stage::Requested,
        });
    }
    // A device that has grown has passed the controller; what is still written there is old.
    let complaint = complaint.filter(|_| stage != Stage::FileSystemPending)?;
    let reason = classify(&complaint.message);
    let is_final = reason == Reason::InUse && is_fresh(&complaint, started);
    Some(Cause {
        reason,
        message: complaint.message,
        is_final,
    })
}

/// Nobody complained.
fn silence(claim: &Claim, stage: Stage, late: bool, overdue: Option<Timestamp>) -> Cause {
    let waits = claim
        .events
        .iter()
        .any(|event| event.reason == "ExternalExpanding");
    let node = stage == Stage::FileSystemPending;
    if !node && late && waits && !claim.resizer_seen && claim.resize.is_none() {
        return Cause::passing(
            Reason::NobodyResizes,
            "no resizer answers for this claim's driver",
        );
    }
    match overdue {
        Some(since) => {
            let who = if node {
                "the device has grown, and the node"
            } else {
                "the storage driver"
            };
            let allowed = claim.patience().as_secs();
            let text = format!("{who} has been at work since {since:.0}, which is more than {allowed} s");
            Cause::passing(Reason::Overdue, text)
        }
        None if node => Cause::passing(
            Reason::FileSystemPending,
            "the device has grown, the node has yet to grow the filesystem",
        ),
        None => Cause::passing(Reason::Resizing, "the storage driver is at work"),
    }
}

/// Whether the resize status is about the size asked for now, and not about an earlier one.
fn speaks_of_present(claim: &Claim) -> bool {
    claim.allocated.is_none_or(|allocated| allocated == claim.request)
}

/// Whether the complaint was made in this run. Its time has whole seconds.
fn is_fresh(complaint: &Complaint, started: Option<Timestamp>) -> bool {
    match (complaint.at, started) {
        (Some(at), Some(started)) => at.as_second() >= started.as_second(),
        _ => true,
    }
}

fn complaint_by_event(claim: &Claim) -> Option<Complaint> {
    let failed = claim.events.iter().find(|event| {
        event.reason == "VolumeResizeFailed" || event.message.contains("only supports offline expansion")
    })?;
    Some(Complaint {
        message: failed.message.clone(),
        at: None,
    })
}

/// What a driver's words are about. The gRPC codes are those of the CSI specification for ControllerExpandVolume:
/// FAILED_PRECONDITION is "in use, and no online expansion"; there is none for a rate limit. Azure says all with INTERNAL.
fn classify(words: &str) -> Reason {
    const IN_USE: [&str; 4] = [
        "only supports offline expansion",
        "only supported on unattached disk",
        "failedprecondition",
        "failed_precondition",
    ];
    const RATE: [&str; 10] = [
        "rate limit",
        "ratelimit",
        "rate exceeded",
        "rateexceeded",
        "resourceexhausted",
        "optimizing state",
        "too many requests",
        "toomanyrequests",
        "requestlimitexceeded",
        "throttl",
    ];
    const FULL: [&str; 6] = [
        "no space left",
        "remaining capacity",
        "insufficient free",
        "insufficient space",
        "insufficient capacity",
        "out of space",
    ];
    const LACKS: [&str; 4] = ["no enough", "not enough", "not have enough", "n't have enough"];
    const ROOM: [&str; 4] = [" space", " free", " capacity", " storage"];
    let words = words.to_lowercase();
    let has = |list: &[&str]| list.iter().any(|text| words.contains(text));
    match () {
        () if has(&IN_USE) => Reason::InUse,
        // Before the code RESOURCE_EXHAUSTED, which drivers use for both.
        () if has(&FULL) || has(&LACKS) && has(&ROOM) => Reason::PoolFull,
        () if has(&RATE) => Reason::RateLimited,
        () => Reason::DriverError,
    }
}
