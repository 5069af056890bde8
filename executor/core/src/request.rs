//! What one `PostgresOpsRequest` asks for, and what its status remembers.
//!
//! Plain values: whoever reads the object from the API fills them in. What cannot be read is kept as text
//! ([`Size::Bad`]), so that a refusal can quote it.

mod members;
mod operation;
mod record;

use std::time::Duration;

use jiff::Timestamp;
use units::Bytes;

pub use self::{
    members::{MemberRecord, MemberStage},
    operation::{
        Expansion, HORIZONTAL_SCALING, Mode, Operation, RESTART, Resources, Scaling, Size, StandbyMode,
        StreamingMode, VERTICAL_SCALING, VOLUME_EXPANSION, Vertical, VerticalMode,
    },
    record::{Condition, Record, Stage, VolumeRecord},
};

/// How long one step may take when the request does not say, and no storage profile either: long enough for one slow retry
/// of the resizer (up to 5 min) and kubelet's own resync (up to 90 s), and about when KubeDB gives up (11 min).
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
    /// What it does: `spec.type` with its section.
    pub operation: Operation,
    /// When it may run.
    pub apply: Apply,
    /// Time for one step; [`DEFAULT_TIMEOUT`] when absent.
    pub timeout: Option<Duration>,
    /// How often the whole is run again after a failure that may pass.
    pub max_retries: u32,
    /// What its status says.
    pub record: Record,
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

impl Request {
    /// `spec.type`, as written.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.operation.kind()
    }

    /// Time for one step.
    #[must_use]
    pub fn step_timeout(&self) -> Duration {
        self.timeout.unwrap_or(DEFAULT_TIMEOUT)
    }

    /// The size asked for, if it is an expansion with a readable size.
    #[must_use]
    pub fn target(&self) -> Option<Bytes> {
        let Operation::VolumeExpansion(expansion) = &self.operation else {
            return None;
        };
        match expansion.as_ref()?.postgres {
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
