//! What one `PostgresOpsRequest` asks for, and what its status remembers.
//!
//! Plain values: whoever reads the object from the API fills them in. What cannot be read is kept as text
//! ([`Size::Bad`]), so that a refusal can quote it.

use std::time::Duration;

use jiff::Timestamp;
use units::{Bytes, Reason};

/// The type of request that this core carries out; other types are refused by name.
pub const VOLUME_EXPANSION: &str = "VolumeExpansion";

/// How long one step may take when the request does not say: long enough for one slow retry of the resizer
/// (up to 5 min) and kubelet's own resync (up to 90 s), and about when KubeDB gives up (11 min).
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(600);

/// One request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Request {
    /// Namespace of the request and of its database.
    pub namespace: String,
    /// Name of the request.
    pub name: String,
    /// Identity of this object; a later one of the same name has another.
    pub uid: String,
    /// `metadata.generation`, reported back as `observedGeneration`.
    pub generation: i64,
    /// Creation, for the order of the queue.
    pub created: Timestamp,
    /// When deletion was asked for.
    pub deleted: Option<Timestamp>,
    /// Whether our finalizer is on it.
    pub finalizer: bool,
    /// Name of the database.
    pub database: String,
    /// `spec.type`, as written.
    pub kind: String,
    /// `spec.volumeExpansion`, when there is one.
    pub expansion: Option<Expansion>,
    /// When it may run.
    pub apply: Apply,
    /// Time for one step; [`DEFAULT_TIMEOUT`] when absent.
    pub timeout: Option<Duration>,
    /// How often the whole is run again after a failure that may pass.
    pub max_retries: u32,
    /// What its status says.
    pub record: Record,
}

/// `spec.volumeExpansion`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Expansion {
    /// The new size of the database's claims.
    pub postgres: Size,
    /// Whether a size for the arbiter is given.
    pub arbiter: bool,
    /// With or without stopping pods.
    pub mode: Mode,
}

/// A size as found in a spec.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Size {
    /// Not given.
    Absent,
    /// Given, and not a quantity: the text and what is wrong with it.
    Bad(String),
    /// Given.
    Of(Bytes),
}

/// With or without stopping pods.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Mode {
    /// The volumes grow under running pods.
    Online,
    /// The volumes grow while detached.
    Offline,
    /// Anything else, as written.
    Other(String),
}

/// When a request may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Apply {
    /// Only while the database is Ready.
    IfReady,
    /// In any state of the database.
    Always,
}

/// The phases of a request, KubeDB's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Nothing has been written yet.
    New,
    /// In the queue.
    Pending,
    /// Waits for someone to approve it.
    WaitingForApproval,
    /// Approved: in the queue.
    Approved,
    /// Refused by whoever approves: final.
    Denied,
    /// Being carried out.
    Progressing,
    /// Carried out: final.
    Successful,
    /// Given up: final.
    Failed,
    /// Replaced by a newer request: final.
    Skipped,
}

impl Phase {
    /// Whether nothing more will happen.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            Phase::Denied | Phase::Successful | Phase::Failed | Phase::Skipped
        )
    }

    /// Whether the request has not begun.
    #[must_use]
    pub const fn is_queued(self) -> bool {
        matches!(self, Phase::New | Phase::Pending | Phase::Approved)
    }
}

/// What the status remembers. Whatever a KubeDB CRD prunes (`volumes`, `attempts`, `startedAt`) may be absent
/// although it was written; every use of them has a fallback.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Record {
    /// `status.phase`.
    pub phase: Phase,
    /// `status.conditions`, in their order.
    pub conditions: Vec<Condition>,
    /// `status.volumes`.
    pub volumes: Vec<VolumeRecord>,
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

impl Request {
    /// Time for one step.
    #[must_use]
    pub fn step_timeout(&self) -> Duration {
        self.timeout.unwrap_or(DEFAULT_TIMEOUT)
    }

    /// The size asked for, if it is an expansion with a readable size.
    #[must_use]
    pub fn target(&self) -> Option<Bytes> {
        match self.expansion.as_ref()?.postgres {
            Size::Of(size) => Some(size),
            Size::Absent | Size::Bad(_) => None,
        }
    }

    /// `<namespace>/<name>`.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    /// `<namespace>/<database>`.
    #[must_use]
    pub fn database_path(&self) -> String {
        format!("{}/{}", self.namespace, self.database)
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
}
