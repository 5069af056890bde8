//! A pod, and when it counts as available.

use jiff::{SignedDuration, Timestamp};

use super::Trouble;

/// A pod.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pod {
    /// Name.
    pub name: String,
    /// Uid.
    pub uid: String,
    /// The number at the end of its name.
    pub ordinal: i32,
    /// Whose it is.
    pub bond: Bond,
    /// Phase.
    pub phase: Phase,
    /// Whether it is ready.
    pub is_ready: bool,
    /// Since when.
    pub ready_since: Option<Timestamp>,
    /// Whether it is being deleted.
    pub is_terminating: bool,
    /// Name of its revision; empty if it says none.
    pub revision: String,
    /// Whether it carries the label that names it.
    pub has_identity: bool,
    /// Names of the claims that it uses.
    pub claims: Vec<String>,
    /// Why it is not ready, where that can be told.
    pub trouble: Option<Trouble>,
}

/// Whose pod it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Bond {
    /// The set's, and it matches.
    #[default]
    Ours,
    /// Nobody's, and it matches.
    Orphan,
    /// The set's, but it matches no more, or is not named as the set names.
    Stray,
}

/// Phase of a pod.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Phase {
    /// Not all containers run yet.
    #[default]
    Pending,
    /// Containers run.
    Running,
    /// All ended well.
    Succeeded,
    /// All ended, one badly; or the pod was evicted.
    Failed,
    /// Its node is silent.
    Unknown,
}

impl Pod {
    /// Its containers have ended for good.
    pub(super) const fn has_ended(&self) -> bool {
        matches!(self.phase, Phase::Failed | Phase::Succeeded)
    }

    /// Whether it runs and is ready.
    pub(super) fn runs(&self) -> bool {
        self.phase == Phase::Running && self.is_ready
    }

    /// From when it counts as available; none while it is not ready.
    pub(super) fn available_from(&self, min_ready: SignedDuration) -> Option<Timestamp> {
        if !self.is_ready {
            return None;
        }
        if min_ready.is_zero() {
            return Some(Timestamp::MIN);
        }
        self.ready_since
            .and_then(|since| since.checked_add(min_ready).ok())
    }

    /// Whether it has been ready for long enough.
    pub(super) fn is_available(&self, min_ready: SignedDuration, now: Timestamp) -> bool {
        self.available_from(min_ready).is_some_and(|from| from <= now)
    }
}
