//! The Events that go with a step: KubeDB's reasons and words, in its order.
//!
//! Events are told after the write they are about (the two "…ing" ones before it). They are best effort: a crash
//! between the write and its Event loses the Event, never the write.

use units::Reason;

use crate::{
    operation,
    request::{Phase, Request},
    step::{Step, Update},
};

/// One Event about a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// Whether it is a Warning.
    pub warning: bool,
    /// Its reason's word.
    pub reason: Reason,
    /// Its text.
    pub note: String,
}

fn normal(reason: Reason, note: impl Into<String>) -> Option<Announcement> {
    Some(Announcement {
        warning: false,
        reason,
        note: note.into(),
    })
}

fn warning(reason: Reason, note: impl Into<String>) -> Option<Announcement> {
    Some(Announcement {
        warning: true,
        reason,
        note: note.into(),
    })
}

/// What is told before this step is carried out.
#[must_use]
pub fn before(request: &Request, step: &Step) -> Option<Announcement> {
    let path = request.database_path();
    match step {
        Step::Pause { .. } => normal(Reason::PauseDatabase, format!("Pausing Postgres {path}")),
        Step::Resume => normal(Reason::ResumeDatabase, format!("Resuming PostgreSQL {path}")),
        _ => None,
    }
}

/// What is told after this step was carried out.
#[must_use]
pub fn after(request: &Request, step: &Step) -> Option<Announcement> {
    let path = request.database_path();
    match step {
        Step::Begin(_) => normal(Reason::Running, operation::running_text(request)),
        Step::Pause { .. } => normal(
            Reason::PauseDatabase,
            format!("Successfully paused Postgres {path}"),
        ),
        Step::Resume => normal(
            Reason::ResumeDatabase,
            format!("Successfully resumed PostgreSQL {path}"),
        ),
        Step::PatchTemplate { to } => normal(
            Reason::UpdatePetSets,
            format!("PetSet's claim template data asks for {to}"),
        ),
        Step::PatchPostgres { to } => normal(
            Reason::UpdateDatabase,
            format!("Postgres {path} asks for {to} of storage"),
        ),
        Step::PatchTemplateResources { .. } => normal(
            Reason::UpdatePetSets,
            "PetSet's pod template has the new resources",
        ),
        Step::PatchPodTemplate { .. } => normal(
            Reason::UpdateDatabase,
            format!("Postgres {path} has the new resources"),
        ),
        Step::DeletePod { pod, .. } => normal(Reason::Stopping, format!("Deleted pod {pod}")),
        Step::Switchover { leader, candidate } => {
            normal(Reason::HandingOver, format!("{leader} hands over to {candidate}"))
        }
        Step::PatchSpec(_) => normal(
            Reason::UpdateDatabase,
            format!("Postgres {path} says what it has become"),
        ),
        Step::Succeed(_) => normal(Reason::Successful, operation::successful_event(request)),
        Step::Note(update) => noted(request, update),
        Step::Retry(update) => told(update, Reason::Retrying, true),
        Step::Yield(update) => told(update, Reason::Yielded, false),
        Step::GiveUp(update) => told(update, Reason::Failed, true),
        Step::Skip(update) => told(update, Reason::Skipped, false),
        Step::Fail(update) => told(update, Reason::Failed, true),
        _ => None,
    }
}

/// A step's completion, or a cause that somebody may want to act upon.
fn noted(request: &Request, update: &Update) -> Option<Announcement> {
    update.conditions.iter().find_map(|condition| {
        let kind = Reason::of_word(&condition.kind)?;
        let fresh = !request.record.has(condition);
        match kind {
            Reason::VolumeExpansion
            | Reason::ReadyPetSets
            | Reason::RestartSecondary
            | Reason::RestartPrimary
            | Reason::Restart
            | Reason::VerticalScaling
            | Reason::HorizontalScale
            | Reason::HorizontalScaleUp
            | Reason::HorizontalScaleDown
                if condition.status =>
            {
                normal(kind, &condition.message)
            }
            Reason::VolumeExpansion | Reason::Restart | Reason::VerticalScaling
                if fresh && is_trouble(&condition.reason) =>
            {
                told_as(condition, true)
            }
            Reason::InPlaceRefused if fresh && condition.status => told_as(condition, true),
            Reason::HorizontalScale | Reason::HorizontalScaleUp | Reason::HorizontalScaleDown if fresh => {
                told_as(condition, is_trouble(&condition.reason))
            }
            Reason::Running if fresh && update.phase == Some(Phase::Pending) => told_as(condition, false),
            _ => None,
        }
    })
}

fn is_trouble(reason: &str) -> bool {
    let waits = [
        Reason::Resizing,
        Reason::FileSystemPending,
        Reason::FinishesAtNextMount,
        Reason::VolumeExpansion,
        Reason::Detaching,
        Reason::AwaitingHold,
        Reason::Stopping,
        Reason::Restarting,
        Reason::ResizingInPlace,
        Reason::HandingOver,
        Reason::NotStreaming,
        Reason::Running,
        Reason::Joining,
        Reason::Leaving,
        Reason::HorizontalScaleUp,
        Reason::HorizontalScaleDown,
    ];
    waits.iter().all(|wait| wait.as_str() != reason)
}

fn told(update: &Update, kind: Reason, is_warning: bool) -> Option<Announcement> {
    let condition = update
        .conditions
        .iter()
        .find(|condition| condition.kind == kind.as_str())?;
    told_as(condition, is_warning)
}

fn told_as(condition: &crate::request::Condition, is_warning: bool) -> Option<Announcement> {
    let reason = Reason::of_word(&condition.reason)?;
    if is_warning {
        warning(reason, &condition.message)
    } else {
        normal(reason, &condition.message)
    }
}
