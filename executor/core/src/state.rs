//! The states of a request: each with its exit and its deadline.
//!
//! A state is not stored: it is what the objects mean at a time.

use jiff::Timestamp;
use units::Reason;

use crate::{
    observed::Observed,
    operation, pause,
    request::{Phase, Request},
};

/// Where a request stands. One line each: what it is, *exit*, *deadline*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// The phase is final. Exit: its pause is lifted and its finalizer released. Deadline: none, both are retried.
    Finished,
    /// Deleted before it ran. Exit: finalizer released. Deadline: none, it is retried.
    Withdrawn,
    /// `WaitingForApproval`. Exit: somebody approves or denies it. Deadline: none, it holds nothing.
    Unapproved,
    /// In the queue. Exit: begun, skipped or refused. Deadline: none, it holds nothing; only a claim that is not
    /// bound is awaited no longer than one step's time after creation.
    Queued,
    /// Running, of a type that this version does not carry out. Exit: it gives way or is given up. Deadline: none,
    /// nothing is awaited.
    Foreign,
    /// Gave way to an expansion. Exit: that one is finished. Deadline: that one's.
    Yielded,
    /// Will fail. Exit: failed. Deadline: 30 s for aligning what grew, then without.
    Failing,
    /// Deleted while it ran. Exit: finalizer released. Deadline: 60 s for claims that are growing, then without.
    Deleted,
    /// Running, the database not yet paused in its name. Exit: paused. Deadline: one step's time.
    Pausing,
    /// Paused, the provisioner's acknowledgement is awaited. Exit: it came. Deadline: an Online expansion 5 s, then
    /// without; all others one step's time.
    Acknowledging,
    /// The claims grow. Exit: all have grown. Deadline: `spec.timeout`; without one, for each stage of each claim ten
    /// times what its storage profile expects, and seven minutes at least.
    Growing,
    /// Offline: member by member, stopped and grown. Exit: all have grown. Deadline: one step's time per member, or what
    /// its storage profile lets a stage take, if that is longer.
    Detaching,
    /// Members are added or removed, one at a time. Exit: as many as asked for. Deadline: one step's time per member.
    Scaling,
    /// Members are replaced, one at a time. Exit: all are. Deadline: one step's time per member.
    Rolling,
    /// PetSet and Postgres get the size that the claims have. Exit: both have it. Deadline: one step's time.
    Aligning,
    /// Everything has its size. Exit: the database is resumed. Deadline: none, it is retried: a database is not
    /// left paused.
    Resuming,
    /// The database is resumed. Exit: successful. Deadline: none, it is retried.
    Closing,
}

/// The state that these objects mean.
#[must_use]
pub fn state(request: &Request, seen: &Observed, now: Timestamp) -> State {
    let record = &request.record;
    match record.phase {
        phase if phase.is_final() => State::Finished,
        Phase::WaitingForApproval | Phase::New | Phase::Pending | Phase::Approved
            if request.deleted.is_some() =>
        {
            State::Withdrawn
        }
        Phase::WaitingForApproval => State::Unapproved,
        Phase::New | Phase::Pending | Phase::Approved => State::Queued,
        _ if request.deleted.is_some() => State::Deleted,
        _ if record.is_true(Reason::Failed) => State::Failing,
        _ if record.is_true(Reason::Yielded) => State::Yielded,
        _ => running(request, seen, now),
    }
}

fn running(request: &Request, seen: &Observed, now: Timestamp) -> State {
    let Some(works) = operation::works(request, seen) else {
        return State::Foreign;
    };
    let mine = pause::is_mine(request, seen);
    let complete = operation::is_complete(request, seen);
    match (complete, mine) {
        (true, true) => State::Resuming,
        (true, false) => State::Closing,
        (false, false) => State::Pausing,
        (false, true) if operation::is_worked(request) => State::Aligning,
        (false, true) if pause::is_awaited(seen, request, now) => State::Acknowledging,
        (false, true) => works,
    }
}

impl State {
    /// A name for metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            State::Finished => "Finished",
            State::Withdrawn => "Withdrawn",
            State::Unapproved => "Unapproved",
            State::Queued => "Queued",
            State::Foreign => "Foreign",
            State::Yielded => "Yielded",
            State::Failing => "Failing",
            State::Deleted => "Deleted",
            State::Pausing => "Pausing",
            State::Acknowledging => "Acknowledging",
            State::Growing => "Growing",
            State::Detaching => "Detaching",
            State::Scaling => "Scaling",
            State::Rolling => "Rolling",
            State::Aligning => "Aligning",
            State::Resuming => "Resuming",
            State::Closing => "Closing",
        }
    }
}
