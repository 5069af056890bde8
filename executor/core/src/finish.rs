//! The way out: sizes aligned, database resumed, request closed, finalizer released; on every path.

use std::time::Duration;

use jiff::Timestamp;
use units::{Bytes, Reason};

use crate::{
    attempt, growth,
    observed::{Claim, Observed, Target},
    offline, operation, pause, place,
    request::{Condition, Phase, Request, Stage},
    step::{Step, Update, Wait},
    texts,
};

/// How long a failing request tries to align what has grown: one conflict or a webhook's restart, no more, because
/// the database is paused meanwhile.
pub const ALIGN_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a deleted request waits for claims that are growing: a nudged kubelet takes under a second, a slow driver
/// some tens; somebody waits for the deletion.
pub const DELETE_TIMEOUT: Duration = Duration::from_secs(60);

/// Whether all that the request asks for is there.
pub(crate) fn is_complete(request: &Request, seen: &Observed) -> bool {
    let (Some(target), Some(database)) = (request.target(), &seen.database) else {
        return false;
    };
    request.record.is_true(Reason::VolumeExpansion)
        && request.record.is_true(Reason::ReadyPetSets)
        && database.storage.is_none_or(|storage| storage >= target)
}

/// State `Aligning`.
pub(crate) fn aligning(request: &Request, seen: &Observed, now: Timestamp) -> Step {
    let Some(target) = request.target() else {
        return attempt::give_up(
            request,
            Reason::InvalidRequest,
            "spec.volumeExpansion.postgres is not a size",
        );
    };
    let refusal = [Target::PetSet, Target::PostgresSpec]
        .iter()
        .find_map(|target| seen.refusals.get(target));
    if let Some(refusal) = refusal {
        return attempt::give_up(request, refusal.reason, &refusal.message);
    }
    let since = request.record.true_since(Reason::VolumeExpansion);
    let until = since.map(|since| texts::after(since, request.step_timeout()));
    if until.is_some_and(|until| now >= until) {
        let text = "the PetSet's claim template or the Postgres could not be updated in time";
        return attempt::give_up(request, Reason::DeadlineExceeded, text);
    }
    match template(seen, target) {
        Some(step) => step,
        None if !request.record.is_true(Reason::ReadyPetSets) => Step::Note(ready_petsets(seen, target)),
        None => postgres(seen, target).unwrap_or(Step::Wait(Wait {
            reason: Reason::Running,
            until,
        })),
    }
}

fn ready_petsets(seen: &Observed, target: Bytes) -> Update {
    let text = match &seen.petset {
        Some(petset) if petset.template.is_some() => {
            format!(
                "PetSet is updated in place: claim template data of {} asks for {target}",
                petset.name
            )
        }
        Some(petset) => format!("PetSet {} has no claim template data", petset.name),
        None => "there is no PetSet".to_owned(),
    };
    let condition = |kind| Condition::new(kind, true, kind, text.clone());
    Update {
        conditions: vec![condition(Reason::UpdatePetSets), condition(Reason::ReadyPetSets)],
        ..Update::default()
    }
}

fn template(seen: &Observed, to: Bytes) -> Option<Step> {
    let smaller = seen.petset.as_ref()?.template? < to;
    (smaller && !seen.refusals.contains_key(&Target::PetSet)).then_some(Step::PatchTemplate { to })
}

fn postgres(seen: &Observed, to: Bytes) -> Option<Step> {
    let smaller = seen.database.as_ref()?.storage? < to;
    (smaller && !seen.refusals.contains_key(&Target::PostgresSpec)).then_some(Step::PatchPostgres { to })
}

/// Template and spec follow what every claim has, when this run made it grow; only while the database is paused for it.
pub(crate) fn align(request: &Request, seen: &Observed) -> Option<Step> {
    let target = request.target().filter(|_| pause::is_mine(request, seen))?;
    let to = match request.record.is_true(Reason::VolumeExpansion) {
        true => target,
        false => seen.common_size()?.min(target),
    };
    let before = request.record.volumes.iter().map(|volume| volume.from).min();
    if before.is_some_and(|before| to <= before) {
        return None;
    }
    template(seen, to).or_else(|| postgres(seen, to))
}

/// State `Failing`.
pub(crate) fn failing(request: &Request, seen: &Observed, now: Timestamp) -> Step {
    let since = request.record.true_since(Reason::Failed);
    let patient = since.is_some_and(|since| now < texts::after(since, ALIGN_TIMEOUT));
    let mine = pause::is_mine(request, seen);
    let tidy = (mine && patient)
        .then(|| operation::tidy(request, seen))
        .flatten();
    tidy.or_else(|| let_go(request, seen)).unwrap_or_else(|| {
        Step::Fail(Update {
            phase: Some(Phase::Failed),
            ..Update::default()
        })
    })
}

/// State `Deleted`: up to the next safe point, what is begun is brought to its end, for a limited time.
pub(crate) fn deleted(request: &Request, seen: &Observed, now: Timestamp) -> Step {
    let until = request
        .deleted
        .map(|deleted| texts::after(deleted, DELETE_TIMEOUT));
    // Without a timeout each stage has a time of its own, and the run none.
    let deadline = attempt::deadline(request, seen).filter(|_| request.timeout.is_some());
    let late = deadline.is_some_and(|deadline| now >= deadline);
    let patient = until.is_some_and(|until| now < until) && !late;
    let mine = pause::is_mine(request, seen);
    let unsettled = patient && mine && !operation::is_worked(request);
    let settle = unsettled.then(|| operation::settle(request, seen, now)).flatten();
    match settle {
        Some(Step::Wait(wait)) => {
            let marks = [wait.until, until, deadline];
            return Step::Wait(Wait {
                until: marks.into_iter().flatten().min(),
                ..wait
            });
        }
        Some(step) => return step,
        None => {}
    }
    // Members may never answer; somebody waits for the deletion.
    let in_time = !operation::needs_acknowledgement(request)
        || until.is_some_and(|until| now < texts::after(until, ALIGN_TIMEOUT));
    let tidy = (mine && in_time)
        .then(|| operation::tidy(request, seen))
        .flatten();
    tidy.or_else(|| let_go(request, seen))
        .unwrap_or_else(|| released(request))
}

/// What is still to be done or awaited for claims that this request has patched: the next safe point is before the
/// first claim is patched, or after the patched ones have grown. A set patched in part is patched in full first: its
/// members keep one size.
pub(crate) fn settle(request: &Request, seen: &Observed, now: Timestamp) -> Option<Step> {
    let target = request.target()?;
    let begun = |claim: &&Claim| {
        let record = request.record.volume(&claim.name);
        let adopted = record.is_some_and(|record| record.stage == Stage::Requested);
        let was_smaller = record.map_or(claim.capacity, |record| record.from) < target;
        was_smaller && !adopted && claim.request >= target
    };
    if seen.claims.iter().filter(begun).count() == 0 || growth::refusal(seen).is_some() {
        return None;
    }
    let places = place::places(request, seen, target, now);
    if places.iter().any(|place| place.cause.is_final) {
        return None;
    }
    if let Some(step) = growth::drive(request, seen, target, now) {
        return Some(step);
    }
    let growing = places
        .iter()
        .any(|place| begun(&place.claim) && !place.stage.is_grown());
    growing.then_some(Step::Wait(Wait {
        reason: Reason::RequestDeleted,
        until: None,
    }))
}

/// State `Closing`.
pub(crate) fn closing(request: &Request) -> Step {
    let condition = |kind, status, text: &str| Condition::new(kind, status, kind, text);
    let mut conditions = vec![condition(
        Reason::Successful,
        true,
        operation::successful_text(request),
    )];
    if request.record.is_true(Reason::InternalError) {
        conditions.push(condition(Reason::InternalError, false, "it has passed"));
    }
    Step::Succeed(Update {
        phase: Some(Phase::Successful),
        conditions,
        ..Update::default()
    })
}

/// State `Finished`.
pub(crate) fn finished(request: &Request, seen: &Observed) -> Step {
    let_go(request, seen).unwrap_or_else(|| released(request))
}

/// What the request still holds is given back, however late it is: the member first, then the database.
fn let_go(request: &Request, seen: &Observed) -> Option<Step> {
    if offline::hold(request, seen).is_some() {
        return Some(Step::Release);
    }
    pause::is_mine(request, seen).then_some(Step::Resume)
}

/// The last write of a request.
pub(crate) fn released(request: &Request) -> Step {
    if request.finalizer {
        Step::RemoveFinalizer
    } else {
        Step::Done
    }
}
