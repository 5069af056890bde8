//! One run of a request: its deadline, and what follows when it fails.

use std::time::Duration;

use jiff::Timestamp;
use units::Reason;

use crate::{
    observed::{Claim, Observed},
    operation,
    request::{Condition, Request},
    step::{Step, Update},
    texts,
};

/// The end of the present step: of the run, or where it works on one member after the other, of that member; time
/// spent on giving way to another request does not count.
pub(crate) fn deadline(request: &Request, seen: &Observed) -> Option<Timestamp> {
    begun(request).map(|since| texts::after(since, allowed(request, seen)))
}

/// The end of a step that has nothing to do with storage.
pub(crate) fn step_deadline(request: &Request) -> Option<Timestamp> {
    begun(request).map(|since| texts::after(since, request.step_timeout()))
}

fn begun(request: &Request) -> Option<Timestamp> {
    let record = &request.record;
    let member = record.members.iter().filter_map(|member| member.since).max();
    let went_on = record
        .condition(Reason::Yielded)
        .and_then(|yielded| yielded.since);
    [record.started(), member, went_on].into_iter().flatten().max()
}

/// What a step may take: as long as the request says, else long enough for a growth that is as slow as its storage may be.
pub(crate) fn allowed(request: &Request, seen: &Observed) -> Duration {
    let grows = request.timeout.is_none() && request.target().is_some();
    let stages = seen.claims.iter().filter(|_| grows).map(Claim::deadline);
    stages.fold(request.step_timeout(), Duration::max)
}

pub(crate) fn is_late(request: &Request, seen: &Observed, now: Timestamp) -> bool {
    deadline(request, seen).is_some_and(|deadline| now >= deadline)
}

/// The run has failed: once more if that may help and is allowed, else for good.
pub(crate) fn run_again(request: &Request, seen: &Observed, reason: Reason, what: &str) -> Step {
    let hopeless = matches!(reason, Reason::Infeasible | Reason::InUse | Reason::NobodyResizes);
    let attempts = request.record.attempts();
    if hopeless || attempts > request.max_retries {
        return give_up(request, reason, what);
    }
    let text = format!("retry {attempts} of {}: {what}", request.max_retries);
    Step::Retry(Update {
        conditions: vec![Condition::new(Reason::Retrying, true, reason, text)],
        attempts: Some(attempts.saturating_add(1)),
        starts: true,
        ..operation::plan(request, seen)
    })
}

/// The request fails for this reason; what it holds is released before it is called Failed.
pub(crate) fn give_up(request: &Request, reason: Reason, what: &str) -> Step {
    let message = texts::with_remedy(reason, what);
    let mut conditions = vec![Condition::new(Reason::Failed, true, reason, message.clone())];
    if !operation::is_worked(request) {
        conditions.push(Condition::new(
            operation::progress(request),
            false,
            reason,
            message,
        ));
    }
    Step::GiveUp(Update {
        conditions,
        ..Update::default()
    })
}
