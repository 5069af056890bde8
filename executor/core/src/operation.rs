//! What differs between the types of request, in one table: which state works, what its progress is called, how it
//! begins, aligns and is left.

use jiff::Timestamp;
use units::Reason;

use crate::{
    checks::{self, Obstacle},
    finish,
    observed::Observed,
    offline, pending, place,
    request::{Mode, Operation, Request},
    rolling, scaling,
    state::State,
    step::{Step, Update},
    texts,
};

/// What has to be looked up for a request besides the objects that are always read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Needs {
    /// Pods by ordinal, and what Patroni says.
    pub members: bool,
    /// What each member's PostgreSQL says.
    pub sql: bool,
}

/// What a step for this request looks at.
#[must_use]
pub fn needs(request: &Request) -> Needs {
    let members = match &request.operation {
        Operation::VolumeExpansion(_) => is_offline(request),
        Operation::HorizontalScaling(_) | Operation::VerticalScaling(_) | Operation::Restart => true,
        Operation::Other(_) => false,
    };
    let phase = request.record.phase;
    let members = members && !phase.is_final();
    Needs {
        members,
        sql: members && !phase.is_queued(),
    }
}

pub(crate) fn is_offline(request: &Request) -> bool {
    matches!(&request.operation, Operation::VolumeExpansion(Some(expansion)) if expansion.mode == Mode::Offline)
}

/// Whether it must not begin before the provisioner has acknowledged the pause.
pub(crate) fn needs_acknowledgement(request: &Request) -> bool {
    needs(request).members
}

/// Whether it works on members that KubeDB makes.
fn is_kubedbs(request: &Request, seen: &Observed) -> bool {
    let grows = matches!(&request.operation, Operation::VolumeExpansion(_)) && !is_offline(request);
    seen.beside_kubedb && !grows
}

/// The state in which the request does its work; none for one that is not carried out.
pub(crate) fn works(request: &Request, seen: &Observed) -> Option<State> {
    match &request.operation {
        _ if is_kubedbs(request, seen) => None,
        Operation::VolumeExpansion(_) if is_offline(request) => Some(State::Detaching),
        Operation::VolumeExpansion(_) => Some(State::Growing),
        Operation::HorizontalScaling(_) => Some(State::Scaling),
        Operation::VerticalScaling(_) | Operation::Restart => Some(State::Rolling),
        Operation::Other(_) => None,
    }
}

/// The condition that says how far the work is: `True` when it is done.
pub(crate) fn progress(request: &Request) -> Reason {
    match &request.operation {
        Operation::HorizontalScaling(_) => scaling::progress(request),
        Operation::VerticalScaling(_) | Operation::Restart => rolling::progress(request),
        Operation::VolumeExpansion(_) | Operation::Other(_) => Reason::VolumeExpansion,
    }
}

/// Whether the work is done, and what it made is to be written to the Postgres.
pub(crate) fn is_worked(request: &Request) -> bool {
    request.record.is_true(progress(request))
}

/// Whether all that the request asks for is there.
pub(crate) fn is_complete(request: &Request, seen: &Observed) -> bool {
    match &request.operation {
        Operation::VolumeExpansion(_) => finish::is_complete(request, seen),
        Operation::HorizontalScaling(_) => scaling::is_complete(request, seen),
        Operation::VerticalScaling(_) | Operation::Restart => rolling::is_complete(request, seen),
        Operation::Other(_) => false,
    }
}

/// In the queue: what the database and what is around it show.
pub(crate) fn world(request: &Request, seen: &Observed, now: Timestamp) -> Result<(), Obstacle> {
    match (&request.operation, request.target()) {
        (Operation::VolumeExpansion(_), _) if is_offline(request) => offline::world(request, seen, now),
        (Operation::VolumeExpansion(_), Some(target)) => checks::world(request, seen, target, now),
        (Operation::HorizontalScaling(_), _) => scaling::world(request, seen, now),
        (Operation::VerticalScaling(_) | Operation::Restart, _) => rolling::world(request, seen, now),
        (Operation::VolumeExpansion(_) | Operation::Other(_), _) => Ok(()),
    }
}

/// In the queue: a question to the API server that comes before the first write.
pub(crate) fn trial(request: &Request, seen: &Observed) -> Result<Option<Step>, Obstacle> {
    match (&request.operation, request.target()) {
        (Operation::VolumeExpansion(_), Some(target)) => pending::trial(seen, target),
        _ => Ok(None),
    }
}

/// In the queue: what the request alone shows, and who else is there.
pub(crate) fn spec(request: &Request, seen: &Observed) -> Result<(), Obstacle> {
    if is_kubedbs(request, seen) {
        let text = format!(
            "not supported by Highwater beside KubeDB: spec.type {}; only VolumeExpansion with mode Online is",
            request.kind()
        );
        return Err(Obstacle::Refuse(Reason::NotSupported, text));
    }
    match &request.operation {
        Operation::VolumeExpansion(_) if is_offline(request) => offline::spec(request),
        Operation::VolumeExpansion(_) | Operation::Other(_) => checks::spec(request).map(drop),
        Operation::HorizontalScaling(_) => scaling::spec(request),
        Operation::VerticalScaling(_) | Operation::Restart => rolling::spec(request),
    }
}

/// The volumes and members that a run begins with.
pub(crate) fn plan(request: &Request, seen: &Observed) -> Update {
    match &request.operation {
        Operation::VolumeExpansion(_) => Update {
            volumes: request.target().map(|target| place::plan(seen, target)),
            ..Update::default()
        },
        Operation::HorizontalScaling(_) => scaling::plan(request, seen),
        Operation::VerticalScaling(_) | Operation::Restart => rolling::plan(request, seen),
        Operation::Other(_) => Update::default(),
    }
}

/// State `Aligning`.
pub(crate) fn aligning(request: &Request, seen: &Observed, now: Timestamp) -> Step {
    match &request.operation {
        Operation::HorizontalScaling(_) => scaling::aligning(request, seen, now),
        Operation::VerticalScaling(_) | Operation::Restart => rolling::aligning(request, seen, now),
        Operation::VolumeExpansion(_) | Operation::Other(_) => finish::aligning(request, seen, now),
    }
}

/// The run has failed: what is still to be put right before the database is resumed. Only asked while the database is
/// paused for the request, and for a limited time.
pub(crate) fn tidy(request: &Request, seen: &Observed) -> Option<Step> {
    match &request.operation {
        Operation::VolumeExpansion(_) if is_offline(request) => offline::tidy(request, seen),
        Operation::VolumeExpansion(_) | Operation::Other(_) => finish::align(request, seen),
        Operation::HorizontalScaling(_) => scaling::tidy(request, seen),
        Operation::VerticalScaling(_) | Operation::Restart => rolling::tidy(request, seen),
    }
}

/// The request is deleted: what is done or awaited up to the next safe point, for a limited time; a wait's own time is
/// not looked at. After it comes [`tidy`].
pub(crate) fn settle(request: &Request, seen: &Observed, now: Timestamp) -> Option<Step> {
    match &request.operation {
        Operation::VolumeExpansion(_) if is_offline(request) => offline::settle(request, seen, now),
        Operation::VolumeExpansion(_) | Operation::Other(_) => finish::settle(request, seen, now),
        Operation::HorizontalScaling(_) => scaling::settle(request, seen, now),
        Operation::VerticalScaling(_) | Operation::Restart => rolling::settle(request, seen, now),
    }
}

/// Text of the condition `Running`.
pub(crate) fn running_text(request: &Request) -> &'static str {
    match &request.operation {
        Operation::HorizontalScaling(_) => scaling::RUNNING,
        Operation::VerticalScaling(_) | Operation::Restart => rolling::running_text(request),
        Operation::VolumeExpansion(_) | Operation::Other(_) => texts::RUNNING,
    }
}

/// Text of the condition `Successful`.
pub(crate) fn successful_text(request: &Request) -> &'static str {
    match &request.operation {
        Operation::HorizontalScaling(_) => scaling::SUCCESSFUL,
        Operation::VerticalScaling(_) | Operation::Restart => rolling::successful_text(request),
        Operation::VolumeExpansion(_) | Operation::Other(_) => texts::SUCCESSFUL,
    }
}

/// Text of the Event `Successful`.
pub(crate) fn successful_event(request: &Request) -> &'static str {
    match &request.operation {
        Operation::HorizontalScaling(_) => scaling::SUCCESSFUL_EVENT,
        Operation::VerticalScaling(_) | Operation::Restart => rolling::successful_text(request),
        Operation::VolumeExpansion(_) | Operation::Other(_) => texts::SUCCESSFUL_EVENT,
    }
}
