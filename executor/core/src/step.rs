//! The state machine of a request: which state it is in, and the one thing to do next.
//!
//! [`step`] is pure and total: the same objects and the same time give the same answer, and nothing is kept
//! between calls, so a restart after any write goes on where the objects say.

mod change;

use jiff::Timestamp;
use units::{Bytes, Reason};

pub use self::change::{ConfigChange, SpecChange, Update};
use crate::{
    finish, growth,
    observed::{Observed, Target},
    offline, operation, pause, pending,
    request::{Condition, Request, Resources},
    rolling, scaling,
    state::{State, state},
};

/// What to do next: one write, or none.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Step {
    /// Nothing now.
    Wait(Wait),
    /// Ask the API server, without changing anything, whether it would accept a claim's new size.
    Try {
        /// The claim.
        claim: String,
        /// Its new request.
        to: Bytes,
    },
    /// Put the finalizer on the request.
    AddFinalizer,
    /// Request status: it runs.
    Begin(Update),
    /// Request status: how far it is.
    Note(Update),
    /// Request status: it gives way to an expansion.
    Yield(Update),
    /// Request status: it runs again after a failure that may pass.
    Retry(Update),
    /// Request status: it will fail for this reason, once what it holds is released.
    GiveUp(Update),
    /// Request status: replaced by a newer one.
    Skip(Update),
    /// Request status: failed.
    Fail(Update),
    /// Request status: carried out.
    Succeed(Update),
    /// Postgres status: paused, in the request's name.
    Pause {
        /// The condition's message.
        message: String,
    },
    /// Claim spec: its new request.
    PatchClaim {
        /// The claim.
        claim: String,
        /// Its new request.
        to: Bytes,
    },
    /// Pod annotation: kubelet looks at the pod's volumes at once, not at its next resync.
    Nudge {
        /// The pod.
        pod: String,
        /// The annotation's value.
        value: String,
    },
    /// PetSet spec: the size of claims to come.
    PatchTemplate {
        /// The new size.
        to: Bytes,
    },
    /// Postgres spec: the size of its storage.
    PatchPostgres {
        /// The new size.
        to: Bytes,
    },
    /// Postgres spec: what a request has made of its members.
    PatchSpec(SpecChange),
    /// PetSet spec: the resources of the container `postgres` in pods to come; those before are kept in an annotation.
    PatchTemplateResources {
        /// The new resources.
        to: Resources,
    },
    /// Postgres spec: the resources of the container `postgres`.
    PatchPodTemplate {
        /// The new resources.
        to: Resources,
    },
    /// Pod, subresource `resize`: the resources of its container `postgres`, while it runs.
    ResizePod {
        /// The pod.
        pod: String,
        /// Its uid.
        uid: String,
        /// The new resources.
        to: Resources,
    },
    /// PetSet spec: the number of members.
    SetReplicas {
        /// The new number.
        to: u32,
    },
    /// PetSet annotation: no pod of this ordinal.
    Hold {
        /// The ordinal.
        ordinal: u32,
        /// When it ends by itself.
        until: Timestamp,
    },
    /// PetSet annotation: no ordinal is held any more.
    Release,
    /// PetSet annotation: this request changes it no more. Whatever was decided before and is still to be written is then
    /// refused, for the PetSet is another.
    Seal,
    /// A pod: deleted, with its grace period.
    DeletePod {
        /// The pod.
        pod: String,
        /// Its uid: a later pod of that name is not meant.
        uid: String,
    },
    /// A claim: deleted, with what is on it.
    DeleteClaim {
        /// The claim.
        claim: String,
        /// Its uid: a later claim of that name is not meant.
        uid: String,
    },
    /// Patroni's dynamic settings.
    PatchConfig(ConfigChange),
    /// Patroni: another member leads.
    Switchover {
        /// Who leads now; Patroni refuses when it is somebody else.
        leader: String,
        /// Who is to lead.
        candidate: String,
    },
    /// SQL on one member: a replication slot that nobody uses is dropped.
    DropSlot {
        /// The member.
        member: String,
        /// The slot.
        slot: String,
    },
    /// Postgres status: no longer paused.
    Resume,
    /// Take the finalizer off the request.
    RemoveFinalizer,
    /// Nothing, ever: the request is finished and holds nothing.
    Done,
}

/// Why nothing is done now.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Wait {
    /// The cause.
    pub reason: Reason,
    /// When to look again, if nothing changes before.
    pub until: Option<Timestamp>,
}

/// What to do next for this request.
#[must_use]
pub fn step(request: &Request, seen: &Observed, now: Timestamp) -> Step {
    match state(request, seen, now) {
        State::Finished => finish::finished(request, seen),
        State::Withdrawn => finish::released(request),
        State::Unapproved => Step::Wait(Wait {
            reason: Reason::Queued,
            until: None,
        }),
        State::Queued => pending::queued(request, seen, now),
        State::Foreign => pending::foreign(request, seen),
        State::Yielded => pending::yielded(seen),
        State::Failing => finish::failing(request, seen, now),
        State::Deleted => finish::deleted(request, seen, now),
        State::Pausing => pause::pausing(request, seen, now),
        State::Acknowledging => pause::acknowledging(request, seen, now),
        State::Growing => growth::growing(request, seen, now),
        State::Detaching => offline::detaching(request, seen, now),
        State::Scaling => scaling::scaling(request, seen, now),
        State::Rolling => rolling::rolling(request, seen, now),
        State::Aligning => operation::aligning(request, seen, now),
        State::Resuming => Step::Resume,
        State::Closing => finish::closing(request),
    }
}

/// The status change that says that deciding about this request failed by a defect of ours.
#[must_use]
pub fn internal_error(message: &str) -> Step {
    let condition = Condition::new(Reason::InternalError, true, Reason::InternalError, message);
    Step::Note(Update {
        conditions: vec![condition],
        ..Update::default()
    })
}

impl Step {
    /// The object that this step writes to; none for a trial or a wait.
    #[must_use]
    pub fn target(&self) -> Option<Target> {
        Some(match self {
            Step::Wait(_) | Step::Try { .. } | Step::Done => return None,
            Step::AddFinalizer | Step::RemoveFinalizer => Target::Request,
            Step::Pause { .. } | Step::Resume => Target::PostgresStatus,
            Step::PatchClaim { claim, .. } => Target::Claim(claim.clone()),
            Step::Nudge { pod, .. } => Target::Pod(pod.clone()),
            Step::PatchTemplate { .. }
            | Step::PatchTemplateResources { .. }
            | Step::SetReplicas { .. }
            | Step::Hold { .. }
            | Step::Release
            | Step::Seal => Target::PetSet,
            Step::PatchPostgres { .. } | Step::PatchPodTemplate { .. } | Step::PatchSpec(_) => {
                Target::PostgresSpec
            }
            Step::DeletePod { pod, .. } => Target::Pod(pod.clone()),
            Step::ResizePod { pod, .. } => Target::PodSize(pod.clone()),
            Step::DeleteClaim { claim, .. } => Target::Claim(claim.clone()),
            Step::PatchConfig(_) => Target::PatroniConfig,
            Step::Switchover { .. } => Target::Leader,
            Step::DropSlot { member, .. } => Target::Postgresql(member.clone()),
            Step::Begin(_)
            | Step::Note(_)
            | Step::Yield(_)
            | Step::Retry(_)
            | Step::GiveUp(_)
            | Step::Skip(_)
            | Step::Fail(_)
            | Step::Succeed(_) => Target::Request,
        })
    }

    /// The status change, for the steps that are one.
    #[must_use]
    pub fn update(&self) -> Option<&Update> {
        match self {
            Step::Begin(update)
            | Step::Note(update)
            | Step::Yield(update)
            | Step::Retry(update)
            | Step::GiveUp(update)
            | Step::Skip(update)
            | Step::Fail(update)
            | Step::Succeed(update) => Some(update),
            _ => None,
        }
    }

    /// A name for logs and metrics.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Step::Wait(_) => "Wait",
            Step::Try { .. } => "Try",
            Step::AddFinalizer => "AddFinalizer",
            Step::Begin(_) => "Begin",
            Step::Note(_) => "Note",
            Step::Yield(_) => "Yield",
            Step::Retry(_) => "Retry",
            Step::GiveUp(_) => "GiveUp",
            Step::Skip(_) => "Skip",
            Step::Fail(_) => "Fail",
            Step::Succeed(_) => "Succeed",
            Step::Pause { .. } => "Pause",
            Step::PatchClaim { .. } => "PatchClaim",
            Step::Nudge { .. } => "Nudge",
            Step::PatchTemplate { .. } => "PatchTemplate",
            Step::PatchPostgres { .. } => "PatchPostgres",
            Step::PatchSpec(_) => "PatchSpec",
            Step::PatchTemplateResources { .. } => "PatchTemplateResources",
            Step::PatchPodTemplate { .. } => "PatchPodTemplate",
            Step::ResizePod { .. } => "ResizePod",
            Step::SetReplicas { .. } => "SetReplicas",
            Step::Hold { .. } => "Hold",
            Step::Release => "Release",
            Step::Seal => "Seal",
            Step::DeletePod { .. } => "DeletePod",
            Step::DeleteClaim { .. } => "DeleteClaim",
            Step::PatchConfig(_) => "PatchConfig",
            Step::Switchover { .. } => "Switchover",
            Step::DropSlot { .. } => "DropSlot",
            Step::Resume => "Resume",
            Step::RemoveFinalizer => "RemoveFinalizer",
            Step::Done => "Done",
        }
    }
}
