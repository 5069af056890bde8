//! A request in the queue: replaced, refused, held, or begun.

use jiff::Timestamp;
use units::{Bytes, Reason};

use crate::{
    attempt,
    checks::Obstacle,
    observed::{Observed, Queued, Trial},
    operation,
    pause::{self, Holder},
    place, queue,
    request::{Apply, Condition, Phase, Request},
    step::{Step, Update, Wait},
    texts,
};

/// State `Queued`. The order is the documentation: replaced → spec → database → queue → objects → readiness → trial
/// → finalizer → begun.
pub(crate) fn queued(request: &Request, seen: &Observed, now: Timestamp) -> Step {
    if let Some(by) = queue::superseded_by(request, seen) {
        return skip(&queue::skipped_text(request, by));
    }
    match start(request, seen, now) {
        Err(Obstacle::Refuse(reason, what)) => fail(reason, &what),
        Err(Obstacle::Hold(reason, what, until)) => hold(request, reason, &what, until),
        Ok(step) => step,
    }
}

fn start(request: &Request, seen: &Observed, now: Timestamp) -> Result<Step, Obstacle> {
    operation::spec(request, seen)?;
    let Some(database) = &seen.database else {
        return Err(Obstacle::Refuse(
            Reason::DatabaseNotFound,
            texts::no_database(request),
        ));
    };
    if let Some(other) = queue::ahead(request, seen) {
        let text = format!(
            "another PostgresOpsRequest {}/{} runs first",
            request.namespace, other.name
        );
        return Err(Obstacle::Hold(Reason::Queued, text, None));
    }
    if let Holder::Other(words) = pause::holder(&request.uid, database, &seen.queue) {
        return Err(Obstacle::Hold(
            Reason::Queued,
            format!("the database is paused: {words}"),
            None,
        ));
    }
    operation::world(request, seen, now)?;
    if request.apply == Apply::IfReady && !database.ready {
        let text = format!(
            "Postgres {} is not Ready and the request says apply: IfReady",
            request.database_path()
        );
        return Err(Obstacle::Hold(Reason::DatabaseNotReady, text, None));
    }
    if let Some(step) = operation::trial(request, seen)? {
        return Ok(step);
    }
    Ok(if request.finalizer {
        begin(request, seen)
    } else {
        Step::AddFinalizer
    })
}

/// Every patch is tried without effect first: quotas, classes and webhooks answer before the database is paused.
pub(crate) fn trial(seen: &Observed, target: Bytes) -> Result<Option<Step>, Obstacle> {
    for claim in seen
        .claims
        .iter()
        .filter(|claim| place::needs_patch(claim, target))
    {
        match seen.trials.get(&claim.name) {
            Some(Trial {
                to,
                refused: Some(refusal),
            }) if *to == target => {
                let text = format!("claim {}: {}", claim.name, refusal.message);
                return Err(Obstacle::Refuse(refusal.reason, text));
            }
            Some(Trial { to, refused: None }) if *to == target => {}
            _ => {
                return Ok(Some(Step::Try {
                    claim: claim.name.clone(),
                    to: target,
                }));
            }
        }
    }
    Ok(None)
}

fn begin(request: &Request, seen: &Observed) -> Step {
    Step::Begin(Update {
        phase: Some(Phase::Progressing),
        conditions: vec![Condition::new(
            Reason::Running,
            true,
            Reason::Running,
            operation::running_text(request),
        )],
        attempts: Some(1),
        starts: true,
        ..operation::plan(request, seen)
    })
}

fn skip(text: &str) -> Step {
    Step::Skip(Update {
        phase: Some(Phase::Skipped),
        conditions: vec![Condition::new(Reason::Skipped, true, Reason::Skipped, text)],
        ..Update::default()
    })
}

fn fail(reason: Reason, what: &str) -> Step {
    let text = texts::with_remedy(reason, what);
    Step::Fail(Update {
        phase: Some(Phase::Failed),
        conditions: vec![Condition::new(Reason::Failed, true, reason, text)],
        ..Update::default()
    })
}

/// The reason of a wait is written once, as the condition `Running`.
fn hold(request: &Request, reason: Reason, what: &str, until: Option<Timestamp>) -> Step {
    let condition = Condition::new(Reason::Running, false, reason, texts::with_remedy(reason, what));
    if request.record.has(&condition) {
        return Step::Wait(Wait { reason, until });
    }
    let phase = (request.record.phase == Phase::New).then_some(Phase::Pending);
    Step::Note(Update {
        phase,
        conditions: vec![condition],
        ..Update::default()
    })
}

/// State `Foreign`: this version carries out nothing of that type, but gives way before it says so.
pub(crate) fn foreign(request: &Request, seen: &Observed) -> Step {
    if !request.finalizer {
        return Step::AddFinalizer;
    }
    match (queue::urgent(seen), operation::spec(request, seen)) {
        (Some(urgent), _) => give_way(request, urgent),
        (None, Err(Obstacle::Refuse(reason, what) | Obstacle::Hold(reason, what, _))) => {
            attempt::give_up(request, reason, &what)
        }
        (None, Ok(_)) => attempt::give_up(
            request,
            Reason::InternalError,
            "a supported type was taken for foreign",
        ),
    }
}

/// The request lets an expansion run first. Only at a safe point: whatever the expansion meets must be a whole database.
pub(crate) fn give_way(request: &Request, urgent: &Queued) -> Step {
    let text = format!(
        "gives way to the volume expansion {}/{}",
        request.namespace, urgent.name
    );
    let condition = Condition::new(Reason::Yielded, true, Reason::Yielded, text);
    Step::Yield(Update {
        conditions: vec![condition],
        ..Update::default()
    })
}

/// State `Yielded`.
pub(crate) fn yielded(seen: &Observed) -> Step {
    if queue::urgent(seen).is_some() {
        return Step::Wait(Wait {
            reason: Reason::Yielded,
            until: None,
        });
    }
    let condition = Condition::new(Reason::Yielded, false, Reason::Running, "goes on");
    Step::Note(Update {
        conditions: vec![condition],
        ..Update::default()
    })
}
