//! A data claim: the volume under it, its class, and who mounts it.

use std::time::Duration;

use jiff::Timestamp;
use units::{Bytes, EXPECTED_EXPANSION};

/// One data claim.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Claim {
    /// Its name.
    pub name: String,
    /// Identity of the object.
    pub uid: String,
    /// The ordinal of its member.
    pub ordinal: u32,
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
    /// What a StorageProfile says of it, or the profile that Highwater brings along for its driver.
    pub profile: Option<Profile>,
}

/// What is known of a class of storage.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Profile {
    /// Who says so, as messages name it.
    pub name: String,
    /// How it can grow.
    pub expansion: Capability,
    /// The largest volume.
    pub maximum: Option<Bytes>,
    /// How long an expansion takes.
    pub duration: Option<Duration>,
    /// Whether a volume's filesystem holds other volumes too.
    pub shared: bool,
}

/// No stage of it usually takes so many times as long.
const OVERDUE_TIMES: u32 = 3;

/// Nobody waits longer for a stage. Of the minute that is expected where nothing is known it makes ten: one slow retry of
/// the resizer (up to 5 min) and kubelet's own resync (up to 90 s) go into that.
const DEADLINE_TIMES: u32 = 10;

/// No deadline is shorter, however quick the storage: a retry and a resync go into this, too.
const SHORTEST_DEADLINE: Duration = Duration::from_secs(420);

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

impl Claim {
    /// How long one stage of its growth may take before something is probably wrong.
    #[must_use]
    pub fn patience(&self) -> Duration {
        self.expected().saturating_mul(OVERDUE_TIMES)
    }

    /// How long one stage of its growth may take at most.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        let deadline = self.expected().saturating_mul(DEADLINE_TIMES);
        deadline.max(SHORTEST_DEADLINE)
    }

    fn expected(&self) -> Duration {
        let profile = self.class.as_ref().and_then(|class| class.profile.as_ref());
        profile
            .and_then(|profile| profile.duration)
            .unwrap_or(EXPECTED_EXPANSION)
    }

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
