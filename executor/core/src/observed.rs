//! What is seen of the world around one request, as plain values.
//!
//! A snapshot: by the time it is acted upon it may be old. Every write is therefore fenced with the version of
//! the object it was computed from, and computed again when that fence refuses it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use units::{Bytes, Reason};

use crate::request::Phase;

/// Everything that [`crate::step()`] looks at besides the request itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Observed {
    /// The database, unless it does not exist.
    pub database: Option<Database>,
    /// Its PetSet, unless there is none.
    pub petset: Option<PetSet>,
    /// Its data claims, by ordinal.
    pub claims: Vec<Claim>,
    /// Storage quotas of the namespace.
    pub quotas: Vec<Quota>,
    /// Limits on the size of one claim in the namespace.
    pub limits: Vec<Limit>,
    /// The other requests of this database, finished ones too.
    pub queue: Vec<Queued>,
    /// What the API server answered to a trial of a claim's patch.
    pub trials: BTreeMap<String, Trial>,
    /// Writes of this request that the API server refused for good, as far as this process remembers.
    pub refusals: BTreeMap<Target, Refusal>,
}

/// A Postgres.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Database {
    /// Identity of the object.
    pub uid: String,
    /// Whether a provisioner ever wrote its status.
    pub managed: bool,
    /// Managed: its provisioner calls it Ready. Unmanaged: its pods are Ready, and there is one.
    pub ready: bool,
    /// `spec.storage.resources.requests.storage`; absent when no storage is configured.
    pub storage: Option<Bytes>,
    /// The `Paused` condition, when `True`.
    pub paused: Option<Pause>,
    /// Text of the `PauseAcknowledged` condition, when `True`.
    pub acknowledged: Option<String>,
}

/// A `Paused` condition that is `True`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pause {
    /// Its message: names the request, see [`crate::pause`].
    pub message: String,
    /// Since when.
    pub since: Option<Timestamp>,
}

/// A PetSet.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PetSet {
    /// Its name.
    pub name: String,
    /// What its claim template `data` asks for; absent without such a template.
    pub template: Option<Bytes>,
}

/// One data claim.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Claim {
    /// Its name.
    pub name: String,
    /// Whether it is bound to a volume.
    pub bound: bool,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// Its storage class; absent when it has none or the class is gone.
    pub class: Option<Class>,
    /// `spec.resources.requests.storage`.
    pub request: Bytes,
    /// `status.capacity.storage`: what a pod has.
    pub capacity: Bytes,
    /// `status.allocatedResources.storage`: what the last resize was started for.
    pub allocated: Option<Bytes>,
    /// `status.allocatedResourceStatuses.storage`: present while a resize is in progress.
    pub resize: Option<Resize>,
    /// The condition `ControllerResizeError`, when `True`.
    pub controller_error: Option<Complaint>,
    /// The condition `NodeResizeError`, when `True`.
    pub node_error: Option<Complaint>,
    /// Whether a resizer ever said something about the present resize: a condition `Resizing` or later.
    pub resizer_seen: bool,
    /// Capacity of the bound volume (PV).
    pub volume: Option<Bytes>,
    /// Pods that mount it, or are about to: not finished, and assigned to a node.
    pub pods: Vec<Pod>,
    /// Its Events since the run began, newest first; only looked up when it takes long.
    pub events: Vec<Event>,
}

/// What a driver said when it failed, as a condition of the claim.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Complaint {
    /// Its words.
    pub message: String,
    /// When; whole seconds, by the resizer's clock.
    pub at: Option<Timestamp>,
}

/// A storage class with what is known of its storage.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Class {
    /// Its name.
    pub name: String,
    /// `allowVolumeExpansion`.
    pub expandable: bool,
    /// What a StorageProfile says of it.
    pub profile: Option<Profile>,
}

/// What a StorageProfile says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Profile {
    /// The profile's name.
    pub name: String,
    /// How it can grow.
    pub expansion: Capability,
    /// The largest volume.
    pub maximum: Option<Bytes>,
}

/// How a class of storage can grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Capability {
    /// Under running pods.
    Online,
    /// Only while detached.
    Offline,
    /// Not at all.
    Unsupported,
}

/// Values of `status.allocatedResourceStatuses.storage`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Resize {
    /// The driver's controller is at work, or its last try failed in a way that may pass.
    ControllerInProgress,
    /// The driver's controller says that the size cannot be had.
    ControllerInfeasible,
    /// The node's step is to come.
    NodePending,
    /// The node is at work.
    NodeInProgress,
    /// The node says that it cannot be done.
    NodeInfeasible,
    /// A value unknown to this version: in progress.
    Other,
}

/// A pod that mounts a claim.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pod {
    /// Its name.
    pub name: String,
    /// Value of the annotation by which it was last nudged.
    pub nudged: Option<String>,
}

/// An Event of a claim.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Event {
    /// Its reason.
    pub reason: String,
    /// Its text.
    pub message: String,
}

/// A limit on requested storage from a ResourceQuota.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Quota {
    /// The ResourceQuota.
    pub name: String,
    /// The class it is about; all classes when absent.
    pub class: Option<String>,
    /// The limit.
    pub hard: Bytes,
    /// What is requested already.
    pub used: Bytes,
}

/// A LimitRange of type PersistentVolumeClaim.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Limit {
    /// The LimitRange.
    pub name: String,
    /// The largest request of one claim.
    pub maximum: Bytes,
}

/// Another request of the same database.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Queued {
    /// Its name.
    pub name: String,
    /// Its identity.
    pub uid: String,
    /// `spec.type`.
    pub kind: String,
    /// Whether it is an expansion with mode Online.
    pub online: bool,
    /// Creation.
    pub created: Timestamp,
    /// Its phase.
    pub phase: Phase,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// Whether it has given way to an expansion.
    pub yielded: bool,
    /// Whether it cannot start for a reason of its own, such as a database that is not Ready.
    pub held: bool,
}

/// The answer to a trial.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Trial {
    /// The size tried.
    pub to: Bytes,
    /// Why it was refused; absent when it was accepted.
    pub refused: Option<Refusal>,
}

/// A refusal by the API server that the same write would meet again.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Refusal {
    /// What it is about.
    pub reason: Reason,
    /// The API server's words.
    pub message: String,
}

/// The object a write goes to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// The request's status or metadata.
    Request,
    /// Status of the Postgres.
    PostgresStatus,
    /// Spec of the Postgres.
    PostgresSpec,
    /// A claim.
    Claim(String),
    /// A pod.
    Pod(String),
    /// The PetSet.
    PetSet,
}

impl Claim {
    /// Whether a patch of its request can be accepted.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.bound && !self.deleting
    }

    /// The size it has, also when only the next mount is missing.
    #[must_use]
    pub fn size(&self) -> Bytes {
        let volume = self.volume.unwrap_or(Bytes::ZERO);
        let unmounted = self.resize == Some(Resize::NodePending) && self.pods.is_empty();
        if unmounted {
            volume.max(self.capacity)
        } else {
            self.capacity
        }
    }
}

impl Observed {
    /// The size that every member has: the smallest of its claims.
    #[must_use]
    pub fn common_size(&self) -> Option<Bytes> {
        self.claims
            .iter()
            .filter(|claim| claim.is_usable())
            .map(Claim::size)
            .min()
    }
}
