//! The claims on their way to the target: patched all at once, nudged, watched.
//!
//! All members grow together: one that has room again while others are full may promote alone, with rows missing.

use std::time::Duration;

use jiff::Timestamp;

use units::{Bytes, Reason};

use crate::{
    attempt,
    observed::{Claim, Observed, Refusal, Target},
    pause,
    place::{Place, about, needs_patch, overdue, places, stage, volumes, worst},
    request::{Condition, Request, Stage, VolumeRecord},
    step::{Step, Update, Wait},
    texts,
};

/// After this time without a word from a resizer, there is probably none: csi-resizer marks a claim within a second,
/// and takes up to its retry interval only where it has marked it before.
pub const SILENCE: Duration = Duration::from_secs(30);

/// Events of claims are worth reading only when a run takes longer than this: nearly every expansion is over before.
pub const EVENTS_AFTER: Duration = Duration::from_secs(3);

/// That all is well is written only when a run takes longer than this: a usual one is over before, and would be
/// delayed by the writing. The start is known in whole seconds.
pub const NOTE_AFTER: Duration = Duration::from_secs(2);

/// State `Growing`.
pub(crate) fn growing(request: &Request, seen: &Observed, now: Timestamp) -> Step {
    let Some(target) = request.target() else {
        return attempt::give_up(
            request,
            Reason::InvalidRequest,
            "spec.volumeExpansion.postgres is not a size",
        );
    };
    let places = places(request, seen, target, now);
    let Some(worst) = worst(&places) else {
        return attempt::give_up(request, Reason::NoClaims, "the database has no claim");
    };
    if places.iter().all(|place| place.stage.is_grown()) {
        return Step::Note(grown(request, seen, &places, target));
    }
    if let Some(step) = refused(request, seen, worst) {
        return last_seen(step, volumes(request, &places, target));
    }
    let note = || note(request, seen, &places, worst, target);
    let late = late(request, seen, &places, worst, now);
    match (drive(request, seen, target, now), late) {
        (Some(write), None) if !is_known(seen, &write) => write,
        // It came to nothing: the stage it is for has its time from when that is written down.
        (Some(write), None) => note().map_or(write, Step::Note),
        (Some(write), Some(_)) if is_made_up_for(request, seen, &write) => write,
        (_, Some((late, text))) => {
            let step = attempt::run_again(request, seen, late_reason(late.cause.reason), &text);
            last_seen(step, volumes(request, &places, target))
        }
        (None, None) => {
            let reason = worst.cause.reason;
            match note() {
                Some(update) if is_trouble(reason) || !is_young(request, now) => Step::Note(update),
                _ => Step::Wait(Wait {
                    reason,
                    until: look_again(request, seen, &places, now),
                }),
            }
        }
    }
}

/// The end of a run that waiting cannot help.
fn refused(request: &Request, seen: &Observed, worst: &Place<'_>) -> Option<Step> {
    if let Some(refusal) = refusal(seen) {
        return Some(attempt::give_up(request, refusal.reason, &refusal.message));
    }
    let is_final = worst.cause.is_final;
    is_final.then(|| attempt::give_up(request, worst.cause.reason, &about(worst)))
}

/// Whether this run has written to the same object before.
fn is_known(seen: &Observed, write: &Step) -> bool {
    write
        .target()
        .is_some_and(|target| seen.attempted.contains(&target))
}

/// Nobody else patches a claim or nudges a kubelet, and the executor may have been away: a write that it never tried is made however
/// late, once. No patch beyond `spec.timeout`: the run would end at once, and the volume grow after it.
fn is_made_up_for(request: &Request, seen: &Observed, write: &Step) -> bool {
    let beyond = request.timeout.is_some() && matches!(write, Step::PatchClaim { .. });
    !beyond && !is_known(seen, write)
}

/// A request that fails keeps where each volume got stuck, and why; one that is run again begins its record anew.
fn last_seen(step: Step, volumes: Vec<VolumeRecord>) -> Step {
    match step {
        Step::GiveUp(update) => Step::GiveUp(Update {
            volumes: Some(volumes),
            ..update
        }),
        step => step,
    }
}

/// Whether somebody may want to know of it at once.
fn is_trouble(reason: Reason) -> bool {
    !matches!(reason, Reason::Resizing | Reason::FileSystemPending)
}

fn is_young(request: &Request, now: Timestamp) -> bool {
    let started = request.record.started();
    started.is_some_and(|started| now < texts::after(started, NOTE_AFTER))
}

/// The next productive write: claims first, then pods of claims whose device has grown.
pub(crate) fn drive(request: &Request, seen: &Observed, target: Bytes, now: Timestamp) -> Option<Step> {
    let usable = || seen.claims.iter().filter(|claim| claim.is_usable());
    let patch = usable()
        .find(|claim| needs_patch(claim, target))
        .map(|claim| Step::PatchClaim {
            claim: claim.name.clone(),
            to: target,
        });
    patch.or_else(|| nudges(request, seen, target, now, |_| true))
}

/// Kubelet is told of a volume that has grown, among those that are `mounted`.
pub(crate) fn nudges(
    request: &Request,
    seen: &Observed,
    target: Bytes,
    now: Timestamp,
    mounted: impl Fn(&Claim) -> bool,
) -> Option<Step> {
    let usable = seen
        .claims
        .iter()
        .filter(|claim| claim.is_usable() && mounted(claim));
    usable
        .filter(|claim| stage(claim, target, request) == Stage::FileSystemPending)
        .find_map(|claim| {
            let overdue = overdue(claim, Stage::FileSystemPending, request, now);
            nudge(claim, seen, overdue.is_some())
        })
}

/// Kubelet re-reads a pod's volumes when the pod changes; the value names the growth, so that each is told once, and once
/// more where that has not helped in time.
fn nudge(claim: &Claim, seen: &Observed, overdue: bool) -> Option<Step> {
    let again = if overdue { ":again" } else { "" };
    let value = format!("{}={}{again}", claim.name, claim.volume?.get());
    let pod = claim.pods.iter().find(|pod| {
        pod.nudged.as_ref() != Some(&value) && !seen.refusals.contains_key(&Target::Pod(pod.name.clone()))
    })?;
    Some(Step::Nudge {
        pod: pod.name.clone(),
        value,
    })
}

/// The refusal of a claim's patch.
pub(crate) fn refusal(seen: &Observed) -> Option<&Refusal> {
    seen.refusals
        .iter()
        .find(|(target, _)| matches!(target, Target::Claim(_)))
        .map(|(_, refusal)| refusal)
}

/// What was being waited for is no cause by itself.
fn late_reason(reason: Reason) -> Reason {
    match reason {
        Reason::Running | Reason::Resizing | Reason::FileSystemPending | Reason::Overdue => {
            Reason::DeadlineExceeded
        }
        cause => cause,
    }
}

/// Which claim ends the run, and in which words. `spec.timeout` is about all claims and all their stages; without one each
/// stage of each claim has the time that its storage profile gives it.
fn late<'a, 'b>(
    request: &Request,
    seen: &Observed,
    places: &'b [Place<'a>],
    worst: &'b Place<'a>,
    now: Timestamp,
) -> Option<(&'b Place<'a>, String)> {
    if let Some(timeout) = request.timeout {
        let text = || format!("not finished within {} s: {}", timeout.as_secs(), about(worst));
        return attempt::is_late(request, seen, now).then(|| (worst, text()));
    }
    let place = waiting(places).find(|place| place.deadline.is_some_and(|deadline| now >= deadline))?;
    let text = format!(
        "not past stage {} within {} s of it: {}",
        place.stage.as_str(),
        place.allowed.as_secs(),
        about(place)
    );
    Some((place, text))
}

fn waiting<'a, 'b>(places: &'b [Place<'a>]) -> impl Iterator<Item = &'b Place<'a>> {
    places.iter().filter(|place| !place.stage.is_grown())
}

/// The deadline, or earlier: when Events may tell a cause, when silence means something, and every so often, because
/// Events are not watched.
fn look_again(request: &Request, seen: &Observed, places: &[Place<'_>], now: Timestamp) -> Option<Timestamp> {
    let started = request.record.started();
    let marks =
        [NOTE_AFTER, EVENTS_AFTER, SILENCE].map(|span| started.map(|started| texts::after(started, span)));
    let next = marks.into_iter().flatten().chain([texts::after(now, SILENCE)]);
    let end = match request.timeout {
        Some(_) => attempt::deadline(request, seen),
        None => waiting(places).filter_map(|place| place.deadline).min(),
    };
    next.chain(end).filter(|mark| *mark > now).min()
}

/// What is to be written about the progress, unless it is written already.
fn note(
    request: &Request,
    seen: &Observed,
    places: &[Place<'_>],
    worst: &Place<'_>,
    target: Bytes,
) -> Option<Update> {
    let record = &request.record;
    let done = places.iter().filter(|place| place.stage.is_grown()).count();
    let message = format!(
        "{done} of {} claims have {target}; {}",
        places.len(),
        about(worst)
    );
    let conditions = vec![
        pause::condition(request, seen),
        Condition::new(Reason::VolumeExpansion, false, worst.cause.reason, message),
    ];
    let volumes = volumes(request, places, target);
    let same = record.volumes.is_empty()
        || volumes.len() == record.volumes.len()
            && volumes.iter().all(|new| {
                record
                    .volume(&new.claim)
                    .is_some_and(|old| old.stage == new.stage && old.reason == new.reason)
            });
    let noted = same && conditions.iter().all(|condition| record.has(condition));
    (!noted).then(|| Update {
        conditions,
        volumes: Some(volumes),
        ..Update::default()
    })
}

/// All claims have grown.
fn grown(request: &Request, seen: &Observed, places: &[Place<'_>], target: Bytes) -> Update {
    let mut text = texts::expanded(request);
    let unmounted: Vec<_> = places
        .iter()
        .filter(|place| place.stage == Stage::FinishesAtNextMount)
        .map(|place| place.claim.name.as_str())
        .collect();
    if !unmounted.is_empty() {
        text = format!("{text}; finishes at next mount: {}", unmounted.join(", "));
    }
    Update {
        conditions: vec![
            pause::condition(request, seen),
            Condition::new(Reason::VolumeExpansion, true, Reason::VolumeExpansion, text),
        ],
        volumes: Some(volumes(request, places, target)),
        ..Update::default()
    }
}
