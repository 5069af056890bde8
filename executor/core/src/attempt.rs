//! One run of a request: its deadline, and what follows when it fails.

use jiff::Timestamp;
use units::Reason;

use crate::{
    observed::Observed,
    place,
    request::{Condition, Request},
    step::{Step, Update},
    texts,
};

/// The end of the present run's step.
pub(crate) fn deadline(request: &Request) -> Option<Timestamp> {
    request
        .record
        .started()
        .map(|started| texts::after(started, request.step_timeout()))
}

pub(crate) fn is_late(request: &Request, now: Timestamp) -> bool {
    deadline(request).is_some_and(|deadline| now >= deadline)
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
        volumes: request.target().map(|target| place::plan(seen, target)),
        attempts: Some(attempts.saturating_add(1)),
        starts: true,
        ..Update::default()
    })
}

/// The request fails for this reason; what it holds is released before it is called Failed.
pub(crate) fn give_up(request: &Request, reason: Reason, what: &str) -> Step {
    let message = texts::with_remedy(reason, what);
    let mut conditions = vec![Condition::new(Reason::Failed, true, reason, message.clone())];
    if !request.record.is_true(Reason::VolumeExpansion) {
        conditions.push(Condition::new(Reason::VolumeExpansion, false, reason, message));
    }
    Step::GiveUp(Update {
        conditions,
        ..Update::default()
    })
}
