//! What the status of a request remembers between two looks, also across a crash.

use jiff::Timestamp;
use units::{Bytes, Reason};

use super::{MemberRecord, Phase};

/// What the status remembers. Whatever a KubeDB CRD prunes (`volumes`, `members`, `attempts`, `startedAt`) may be absent
/// although it was written; every use of them has a fallback.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Record {
    /// `status.phase`.
    pub phase: Phase,
    /// `status.conditions`, in their order.
    pub conditions: Vec<Condition>,
    /// `status.volumes`.
    pub volumes: Vec<VolumeRecord>,
    /// `status.members`.
    pub members: Vec<MemberRecord>,
    /// How often it was begun.
    pub attempts: u32,
    /// Start of the present run.
    pub started_at: Option<Timestamp>,
}

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Condition {
    /// The type; ours are words of [`Reason`].
    pub kind: String,
    /// `True` or not.
    pub status: bool,
    /// The reason's word.
    pub reason: String,
    /// For people.
    pub message: String,
    /// Last change of `status`.
    pub since: Option<Timestamp>,
}

/// One line of `status.volumes`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct VolumeRecord {
    /// The claim.
    pub claim: String,
    /// Its capacity when the run began.
    pub from: Bytes,
    /// The size asked for.
    pub to: Bytes,
    /// How far it is.
    pub stage: Stage,
    /// Its capacity at the last change of this line.
    pub capacity: Bytes,
    /// Why it is there.
    pub reason: Reason,
    /// The same for people.
    pub message: String,
    /// Since when it is there, whole seconds; absent in a line that is to be written.
    pub since: Option<Timestamp>,
}

/// How far one claim is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// Its request is to be raised.
    Pending,
    /// Its request was already that high when the run began, by an earlier request.
    Requested,
    /// The driver is at work.
    Resizing,
    /// The device has grown, the node's step is to come.
    FileSystemPending,
    /// As before, and no pod mounts the claim: it counts as grown.
    FinishesAtNextMount,
    /// `status.capacity` has reached the target.
    Grown,
}

impl Stage {
    /// Every stage, in order.
    pub const ALL: [Stage; 6] = [
        Stage::Pending,
        Stage::Requested,
        Stage::Resizing,
        Stage::FileSystemPending,
        Stage::FinishesAtNextMount,
        Stage::Grown,
    ];

    /// The word in the status.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Stage::Pending => "Pending",
            Stage::Requested => "Requested",
            Stage::Resizing => "Resizing",
            Stage::FileSystemPending => "FileSystemPending",
            Stage::FinishesAtNextMount => "FinishesAtNextMount",
            Stage::Grown => "Grown",
        }
    }

    /// Whether nothing more is awaited.
    #[must_use]
    pub const fn is_grown(self) -> bool {
        matches!(self, Stage::Grown | Stage::FinishesAtNextMount)
    }
}

impl Record {
    /// The condition of this type.
    #[must_use]
    pub fn condition(&self, kind: Reason) -> Option<&Condition> {
        self.conditions
            .iter()
            .find(|condition| condition.kind == kind.as_str())
    }

    /// Whether the condition of this type is `True`.
    #[must_use]
    pub fn is_true(&self, kind: Reason) -> bool {
        self.condition(kind).is_some_and(|condition| condition.status)
    }

    /// Since when the condition of this type is `True`.
    #[must_use]
    pub fn true_since(&self, kind: Reason) -> Option<Timestamp> {
        self.condition(kind).filter(|condition| condition.status)?.since
    }

    /// Start of the present run; where `startedAt` was pruned, when the request began or was last tried again.
    #[must_use]
    pub fn started(&self) -> Option<Timestamp> {
        let noted = self
            .true_since(Reason::Running)
            .max(self.true_since(Reason::Retrying));
        self.started_at.or(noted)
    }

    /// How often it was begun; where `attempts` was pruned, a `Retrying` condition counts as a second time.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        let noted = u32::from(self.is_true(Reason::Running)) + u32::from(self.is_true(Reason::Retrying));
        self.attempts.max(noted)
    }

    /// The recorded line of a claim.
    #[must_use]
    pub fn volume(&self, claim: &str) -> Option<&VolumeRecord> {
        self.volumes.iter().find(|volume| volume.claim == claim)
    }

    /// The recorded line of a member.
    #[must_use]
    pub fn member(&self, ordinal: u32) -> Option<&MemberRecord> {
        self.members.iter().find(|member| member.ordinal == ordinal)
    }
}
