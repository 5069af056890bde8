//! Volumes that grow while detached, member by member.
//!
//! ```text
//! hold the ordinal → acknowledged → delete its pod → gone → raise the claim's request → the volume has grown → release →
//! the pod comes back, its filesystem grows as it is mounted → it streams → the next
//! ```
//! The request is raised only when the pod is gone: a driver that expands no volume in use answers FAILED_PRECONDITION until
//! then and is asked again ever more slowly, and some fail for good. Whose turn it is, and why that keeps every row:
//! [`crate::turns`]. The hold ends by itself when this process does not come back, so that a member is never away for ever.

use std::time::Duration;

use jiff::Timestamp;
use units::{Bytes, Reason};

use crate::{
    attempt,
    checks::{self, Obstacle},
    finish, growth, lines,
    observed::{Claim, Hold, Member, Observed, Target},
    pause, pending,
    place::{self, Place},
    queue,
    request::{Condition, MemberStage, Request, Stage},
    step::{Step, Update},
    texts,
    turns::{self, Turn},
};

/// How much longer than one step a hold lasts: whoever releases it must come first, also with a clock that is behind.
const HOLD_MARGIN: Duration = Duration::from_secs(60);

/// What the request alone shows.
pub(crate) fn spec(request: &Request) -> Result<(), Obstacle> {
    checks::spec(request).map(drop)
}

/// What the database and what is around it show.
pub(crate) fn world(request: &Request, seen: &Observed, now: Timestamp) -> Result<(), Obstacle> {
    let Some(target) = request.target() else {
        return Ok(());
    };
    checks::world(request, seen, target, now)?;
    checks::rollable(request, seen)
}

/// The hold of this request, also an expired one.
pub(crate) fn hold<'a>(request: &Request, seen: &'a Observed) -> Option<&'a Hold> {
    let hold = seen.petset.as_ref()?.hold.as_ref()?;
    (hold.uid == request.uid).then_some(hold)
}

/// State `Detaching`.
pub(crate) fn detaching(request: &Request, seen: &Observed, now: Timestamp) -> Step {
    let Some(target) = request.target() else {
        let text = "spec.volumeExpansion.postgres is not a size";
        return attempt::give_up(request, Reason::InvalidRequest, text);
    };
    let places = place::places(request, seen, target, now);
    if places.is_empty() {
        return attempt::give_up(request, Reason::NoClaims, "the database has no claim");
    }
    if let Some(refusal) = refusal(seen) {
        return attempt::give_up(request, refusal.reason, &refusal.message);
    }
    // "In use" is said while the pod is still there, and heard for a while after.
    let hopeless = |place: &&Place<'_>| place.cause.is_final && place.cause.reason != Reason::InUse;
    if let Some(place) = places.iter().find(hopeless) {
        return attempt::give_up(request, place.cause.reason, &place::about(place));
    }
    if let Some(hold) = hold(request, seen) {
        return held(request, seen, &places, hold, now);
    }
    // A pod that is being started mounts the volume, and grows its filesystem, without being told.
    let mounted = |claim: &Claim| seen.member(claim.ordinal).is_none_or(turns::runs);
    if let Some(step) = spare(seen, target).or_else(|| growth::nudges(request, seen, target, now, mounted)) {
        return step;
    }
    free(request, seen, &places, target, now)
}

/// Nobody is held: whose turn is it?
fn free(request: &Request, seen: &Observed, places: &[Place<'_>], target: Bytes, now: Timestamp) -> Step {
    let stage = |member: &Member| stage(places, member);
    let todo = |member: &Member| stage(member).is_some_and(|stage| stage < Stage::FileSystemPending);
    let settled = |member: &Member| stage(member).is_none_or(Stage::is_grown);
    match turns::next(request, seen, now, todo, settled) {
        Turn::Over => over(request, seen, places, target, now),
        Turn::Wait(reason, what) => lines::wait(request, seen, now, reason, &what),
        Turn::Leaderless => lines::led(request, true),
        Turn::LedAgain => lines::led(request, false),
        Turn::Stop(_) | Turn::HandOver { .. } if queue::urgent(seen).is_some() => give_way(request, seen),
        Turn::HandOver { leader, candidate } => hand_over(request, seen, leader, candidate, now),
        Turn::Stop(member) => take_hold(request, seen, member, now),
    }
}

fn give_way(request: &Request, seen: &Observed) -> Step {
    match queue::urgent(seen) {
        Some(urgent) => pending::give_way(request, urgent),
        None => attempt::give_up(request, Reason::InternalError, "nobody to give way to"),
    }
}

/// The turn is written down before it begins: its time counts from then.
fn take_hold(request: &Request, seen: &Observed, member: &Member, now: Timestamp) -> Step {
    if !lines::is_at(request, member.ordinal, MemberStage::Held) {
        let text = format!("{} is stopped while its volume grows", member.name);
        let what = (Reason::Detaching, &*text);
        return lines::begin(request, seen, member.ordinal, MemberStage::Held, what, Vec::new());
    }
    let foreign = seen.petset.as_ref().and_then(|set| set.hold.as_ref());
    let owner = foreign.and_then(|hold| seen.queue.iter().find(|other| other.uid == hold.uid));
    let counts = foreign.is_some_and(|hold| hold.expires > now);
    if let Some(other) = owner.filter(|other| counts && !other.phase.is_final()) {
        let text = format!("another ordinal is held for {}/{}", request.namespace, other.name);
        return lines::wait(request, seen, now, Reason::AwaitingHold, &text);
    }
    new_hold(request, seen, member.ordinal, now)
}

fn new_hold(request: &Request, seen: &Observed, ordinal: u32, now: Timestamp) -> Step {
    Step::Hold {
        ordinal,
        until: texts::after(texts::after(now, attempt::allowed(request, seen)), HOLD_MARGIN),
    }
}

pub(crate) fn hand_over(
    request: &Request,
    seen: &Observed,
    leader: &Member,
    candidate: &Member,
    now: Timestamp,
) -> Step {
    if !lines::is_at(request, leader.ordinal, MemberStage::HandingOver) {
        let text = format!("{} hands over to {}", leader.name, candidate.name);
        let what = (Reason::HandingOver, &*text);
        return lines::begin(
            request,
            seen,
            leader.ordinal,
            MemberStage::HandingOver,
            what,
            Vec::new(),
        );
    }
    if let Some(trouble) = seen
        .troubles
        .get(&Target::Leader)
        .filter(|_| attempt::is_late(request, seen, now))
    {
        return lines::wait(request, seen, now, trouble.reason, &trouble.message);
    }
    Step::Switchover {
        leader: leader.name.clone(),
        candidate: candidate.name.clone(),
    }
}

/// An ordinal is held: its pod goes, its volume grows.
fn held(request: &Request, seen: &Observed, places: &[Place<'_>], hold: &Hold, now: Timestamp) -> Step {
    let place = places.iter().find(|place| place.claim.ordinal == hold.ordinal);
    let Some(place) = place.filter(|place| place.stage < Stage::FileSystemPending) else {
        return Step::Release;
    };
    let wait = |reason, what: &str| lines::wait(request, seen, now, reason, what);
    if hold.expires <= now {
        return match attempt::is_late(request, seen, now) {
            true => wait(Reason::DeadlineExceeded, "the hold has expired"),
            false => new_hold(request, seen, hold.ordinal, now),
        };
    }
    let kept = seen.petset.as_ref().and_then(|set| set.held.as_ref());
    if kept.is_none_or(|kept| kept.uid != request.uid || kept.ordinal != hold.ordinal) {
        let text = format!(
            "the PetSet's controller has not acknowledged that ordinal {} is held",
            hold.ordinal
        );
        return wait(Reason::AwaitingHold, &text);
    }
    match seen.member(hold.ordinal) {
        Some(member) if member.pod.is_some() => stop(request, seen, member, now),
        _ if place::needs_patch(place.claim, request.target().unwrap_or(Bytes::ZERO)) => Step::PatchClaim {
            claim: place.claim.name.clone(),
            to: request.target().unwrap_or(Bytes::ZERO),
        },
        _ => wait(place.cause.reason, &place::about(place)),
    }
}

/// The pod of the held member is deleted; if it has come to lead meanwhile, another leads first.
fn stop(request: &Request, seen: &Observed, member: &Member, now: Timestamp) -> Step {
    let Some(pod) = member.pod.as_ref().filter(|pod| !pod.terminating) else {
        let text = turns::absence(seen, member);
        return lines::wait(request, seen, now, Reason::Stopping, &text);
    };
    let leads = turns::leader(seen).is_some_and(|leader| leader.ordinal == member.ordinal);
    if leads && turns::members(seen).count() > 1 {
        return match turns::hand_over(seen, member) {
            Turn::HandOver { leader, candidate } => hand_over(request, seen, leader, candidate, now),
            Turn::Wait(reason, what) => lines::wait(request, seen, now, reason, &what),
            _ => lines::wait(request, seen, now, Reason::HandingOver, &member.name),
        };
    }
    if let Some(refusal) = seen.refusals.get(&Target::Pod(member.name.clone())) {
        return attempt::give_up(request, refusal.reason, &refusal.message);
    }
    Step::DeletePod {
        pod: member.name.clone(),
        uid: pod.uid.clone(),
    }
}

/// A claim that no member uses or is to use grows as it is.
fn spare(seen: &Observed, target: Bytes) -> Option<Step> {
    let has_member = |claim: &Claim| turns::members(seen).any(|member| member.ordinal == claim.ordinal);
    let claim = seen.claims.iter().find(|claim| {
        let unused = !has_member(claim) && claim.pods.is_empty() && claim.is_usable();
        unused && place::needs_patch(claim, target)
    })?;
    Some(Step::PatchClaim {
        claim: claim.name.clone(),
        to: target,
    })
}

fn over(request: &Request, seen: &Observed, places: &[Place<'_>], target: Bytes, now: Timestamp) -> Step {
    if let Some(place) = places.iter().find(|place| !place.stage.is_grown()) {
        return lines::wait(request, seen, now, place.cause.reason, &place::about(place));
    }
    let text = texts::expanded(request);
    Step::Note(Update {
        conditions: vec![
            pause::condition(request, seen),
            Condition::new(Reason::VolumeExpansion, true, Reason::VolumeExpansion, text),
        ],
        volumes: Some(place::volumes(request, places, target)),
        members: Some(lines::all_ready(request, seen)),
        ..Update::default()
    })
}

fn stage(places: &[Place<'_>], member: &Member) -> Option<Stage> {
    let place = places.iter().find(|place| place.claim.ordinal == member.ordinal);
    place.map(|place| place.stage)
}

/// A refusal that ends the run: of a claim's patch, of the hold, of a pod's deletion.
fn refusal(seen: &Observed) -> Option<&crate::observed::Refusal> {
    let ends = |target: &&Target| matches!(target, Target::Claim(_) | Target::PetSet);
    seen.refusals
        .iter()
        .find(|(target, _)| ends(target))
        .map(|(_, refusal)| refusal)
}

/// What is still to be put right when the run has failed: the member comes back first.
pub(crate) fn tidy(request: &Request, seen: &Observed) -> Option<Step> {
    match hold(request, seen) {
        Some(_) => Some(Step::Release),
        None => finish::align(request, seen),
    }
}

/// The request is deleted: a volume whose growth has begun is waited for, while its member is held.
pub(crate) fn settle(request: &Request, seen: &Observed, now: Timestamp) -> Option<Step> {
    let hold = hold(request, seen)?;
    let target = request.target()?;
    let places = place::places(request, seen, target, now);
    let place = places.iter().find(|place| place.claim.ordinal == hold.ordinal)?;
    let begun = place.claim.request >= target && place.stage < Stage::FileSystemPending;
    let gone = seen
        .member(hold.ordinal)
        .is_none_or(|member| member.pod.is_none());
    (begun && gone && !place.cause.is_final && refusal(seen).is_none()).then(|| {
        Step::Wait(crate::step::Wait {
            reason: Reason::RequestDeleted,
            until: Some(texts::after(now, turns::ASK_AGAIN)),
        })
    })
}
