//! The pause of a database: who holds it, when it counts, when it is left over.
//!
//! `Paused` is also the lock that keeps two requests off one database: only the request it names writes to the
//! claims. Its message names the request by uid, so that a later request of the same name is not taken for it.

use std::time::Duration;

use jiff::Timestamp;
use units::Reason;

use crate::{
    attempt,
    observed::{Database, Observed, Queued, Target},
    operation,
    request::{Condition, Request},
    step::{Step, Wait},
    texts,
};

/// How long an Online expansion waits for the provisioner: it does nothing that the provisioner could disturb
/// for longer than one reconcile.
pub const ACKNOWLEDGE_TIMEOUT: Duration = Duration::from_secs(5);

const PREFIX: &str = "paused for PostgresOpsRequest ";

/// Who holds a database's pause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// It is not paused.
    Nobody,
    /// The request that asks.
    Me,
    /// Somebody else: a request that is not finished, or nobody known to us. The words of the condition.
    Other(String),
    /// A request that is finished, gone, or has given way.
    Leftover,
}

/// The message of a pause in this request's name.
#[must_use]
pub fn message(request: &Request) -> String {
    format!("{PREFIX}{} ({})", request.path(), request.uid)
}

/// Name and uid of the request that a pause names; `None` when it is not one of ours.
#[must_use]
pub fn named(message: &str) -> Option<(&str, &str)> {
    let (path, rest) = message.strip_prefix(PREFIX)?.split_once(" (")?;
    let (_, name) = path.split_once('/')?;
    Some((name, rest.strip_suffix(')')?))
}

/// Who holds the pause of this database, for the request `uid`, among these other requests of it.
#[must_use]
pub fn holder(uid: &str, database: &Database, queue: &[Queued]) -> Holder {
    let Some(pause) = &database.paused else {
        return Holder::Nobody;
    };
    let Some((_, owner)) = named(&pause.message) else {
        return Holder::Other(pause.message.clone());
    };
    if owner == uid {
        return Holder::Me;
    }
    match queue.iter().find(|other| other.uid == owner) {
        Some(other) if !other.phase.is_final() && !other.yielded => Holder::Other(pause.message.clone()),
        _ => Holder::Leftover,
    }
}

/// Whether a database is paused for a request that is finished or gone. `queue` holds every request of it.
#[must_use]
pub fn is_leftover(database: &Database, queue: &[Queued]) -> bool {
    holder("", database, queue) == Holder::Leftover && !queue.iter().any(|other| other.yielded)
}

pub(crate) fn is_mine(request: &Request, seen: &Observed) -> bool {
    seen.database
        .as_ref()
        .is_some_and(|database| holder(&request.uid, database, &seen.queue) == Holder::Me)
}

/// Whether the acknowledgement is still to be waited for. A pause from the future (a clock was set back) is not.
pub(crate) fn is_awaited(seen: &Observed, request: &Request, now: Timestamp) -> bool {
    let Some(database) = &seen.database else {
        return false;
    };
    if !database.managed || is_acknowledged(database, request) {
        return false;
    }
    if operation::needs_acknowledgement(request) {
        return true;
    }
    let since = database.paused.as_ref().and_then(|pause| pause.since);
    since.is_some_and(|since| (since..texts::after(since, ACKNOWLEDGE_TIMEOUT)).contains(&now))
}

fn is_acknowledged(database: &Database, request: &Request) -> bool {
    database
        .acknowledged
        .as_ref()
        .is_some_and(|text| text.contains(&request.uid))
}

/// State `Pausing`.
pub(crate) fn pausing(request: &Request, seen: &Observed, now: Timestamp) -> Step {
    let Some(database) = &seen.database else {
        return attempt::give_up(request, Reason::DatabaseNotFound, &texts::no_database(request));
    };
    if let Some(refusal) = seen.refusals.get(&Target::PostgresStatus) {
        return attempt::give_up(request, refusal.reason, &refusal.message);
    }
    if !request.finalizer {
        return Step::AddFinalizer;
    }
    let until = attempt::step_deadline(request);
    let late = until.is_some_and(|until| now >= until);
    match holder(&request.uid, database, &seen.queue) {
        Holder::Nobody | Holder::Leftover | Holder::Me => Step::Pause {
            message: message(request),
        },
        Holder::Other(text) if late => attempt::run_again(
            request,
            seen,
            Reason::DeadlineExceeded,
            &format!("the database is {text}"),
        ),
        Holder::Other(_) => Step::Wait(Wait {
            reason: Reason::Queued,
            until,
        }),
    }
}

/// State `Acknowledging`.
pub(crate) fn acknowledging(request: &Request, seen: &Observed, now: Timestamp) -> Step {
    let since = seen
        .database
        .as_ref()
        .and_then(|database| database.paused.as_ref()?.since);
    let required = operation::needs_acknowledgement(request);
    let timeout = if required {
        request.step_timeout()
    } else {
        ACKNOWLEDGE_TIMEOUT
    };
    let until = since.map(|since| texts::after(since, timeout));
    if required && until.is_none_or(|until| now >= until) {
        let text = format!(
            "the provisioner did not acknowledge within {} s that Postgres {} is paused",
            timeout.as_secs(),
            request.database_path()
        );
        return attempt::run_again(request, seen, Reason::ProvisionerNotAnswering, &text);
    }
    Step::Wait(Wait {
        reason: Reason::AwaitingPause,
        until,
    })
}

/// What is said about the pause while the claims grow.
pub(crate) fn condition(request: &Request, seen: &Observed) -> Condition {
    let kind = Reason::PauseDatabase;
    let path = request.database_path();
    match &seen.database {
        Some(database) if !database.managed => {
            let text =
                format!("Successfully paused Postgres {path}; no provisioner has ever written its status");
            Condition::new(kind, true, Reason::NoProvisioner, text)
        }
        Some(database) if !is_acknowledged(database, request) => {
            let text = format!(
                "Postgres {path} is paused; its provisioner did not acknowledge within {} s, an Online expansion \
                 goes on without",
                ACKNOWLEDGE_TIMEOUT.as_secs()
            );
            Condition::new(kind, true, Reason::ProvisionerNotAnswering, text)
        }
        _ => Condition::new(kind, true, kind, format!("Successfully paused Postgres {path}")),
    }
}
