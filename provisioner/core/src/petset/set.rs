//! What a set is and what there is of it.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use units::Reason;

use super::{Bond, Hold, Owner, Pod, Status};

/// A set, as it was when everything about it was read.
#[derive(Debug, Clone, Default)]
pub struct Set {
    /// Name.
    pub name: String,
    /// Uid.
    pub uid: String,
    /// Generation of the spec.
    pub generation: i64,
    /// Whether it is being deleted: then nothing is done but counting.
    pub is_deleted: bool,
    /// What is asked for.
    pub spec: Spec,
    /// The present pod template, as the data of a revision.
    pub template: Vec<u8>,
    /// The revisions that are the set's, or nobody's.
    pub revisions: Vec<Revision>,
    /// How often a revision's name was found taken, if more often than the stored status says.
    pub collisions: i32,
    /// Pods that are the set's, or nobody's and matching.
    pub pods: Vec<Pod>,
    /// Claims that the set's pods have, or would have.
    pub claims: Vec<Claim>,
    /// Whether an ordinal is held.
    pub hold: Hold,
    /// What could not be done, and until when it is not tried again.
    pub failures: BTreeMap<Object, Failure>,
    /// The status that is stored.
    pub stored: Status,
}

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Spec {
    /// Number of pods, not negative.
    pub replicas: i32,
    /// The first ordinal.
    pub start: i32,
    /// Whether pods wait for each other.
    pub management: Management,
    /// How changed pods are replaced.
    pub update: Update,
    /// How long a pod must be ready to count as available.
    pub min_ready: SignedDuration,
    /// How many old revisions are kept; none for all of them.
    pub history_limit: Option<usize>,
    /// What becomes of claims.
    pub retention: Retention,
    /// Names of the claim templates.
    pub templates: Vec<String>,
}

/// Whether pods wait for each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Management {
    /// One after the other, each when those before it are available.
    #[default]
    OrderedReady,
    /// All at once.
    Parallel,
}

/// How changed pods are replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Update {
    /// By whoever deletes them.
    OnDelete,
    /// From the highest ordinal down to this many above the first.
    Rolling {
        /// Pods below it keep the current revision.
        partition: i32,
    },
}

impl Default for Update {
    fn default() -> Self {
        Self::Rolling { partition: 0 }
    }
}

/// What becomes of claims. They are deleted by the garbage collector: a claim names its pod, or the set, as its owner.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retention {
    /// Claims go with the set.
    pub delete_with_set: bool,
    /// Claims go with the pod that is scaled away.
    pub delete_when_scaled: bool,
}

/// A ControllerRevision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// Name.
    pub name: String,
    /// Its number: the highest is the newest.
    pub number: i64,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// Whether it belongs to nobody.
    pub is_orphan: bool,
    /// Whether its template is the set's present one.
    pub is_present: bool,
}

/// What keeps something from working.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// In one word.
    pub reason: Reason,
    /// In a sentence that stays the same while the trouble does.
    pub message: String,
}

/// A claim.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claim {
    /// Name.
    pub name: String,
    /// Whether it is being deleted.
    pub is_terminating: bool,
    /// Its owners.
    pub owners: Vec<Owner>,
    /// Why it is not bound, where that can be told.
    pub trouble: Option<Trouble>,
}

/// An object of the set.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Object {
    /// The pod of this name.
    Pod(String),
    /// The claim of this name.
    Claim(String),
}

/// What could not be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What was tried.
    pub verb: Verb,
    /// The ordinal that it was for.
    pub ordinal: i32,
    /// The API server's words.
    pub message: String,
    /// When to try again.
    pub until: Timestamp,
}

/// What is done to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Made.
    Create,
    /// Changed.
    Update,
    /// Deleted.
    Delete,
}

/// Why a pod is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delete {
    /// It ended, and is made anew.
    Ended,
    /// The set has fewer pods.
    ScaledDown,
    /// Its revision is not the one to be rolled out.
    Outdated,
}

impl Set {
    /// Ordinals that are to have a pod.
    pub fn ordinals(&self) -> std::ops::Range<i32> {
        self.spec.start..self.spec.start.saturating_add(self.spec.replicas.max(0))
    }

    /// The pod of an ordinal that is the set's.
    #[must_use]
    pub fn pod(&self, ordinal: i32) -> Option<&Pod> {
        self.owned().find(|pod| pod.ordinal == ordinal)
    }

    /// The pods that are the set's and match.
    pub fn owned(&self) -> impl Iterator<Item = &Pod> {
        self.pods.iter().filter(|pod| pod.bond == Bond::Ours)
    }

    /// The claim of a template and an ordinal.
    #[must_use]
    pub fn claim(&self, template: &str, ordinal: i32) -> Option<&Claim> {
        let name = self.claim_name(template, ordinal);
        self.claims.iter().find(|claim| claim.name == name)
    }

    /// Name of the claim of a template and an ordinal.
    #[must_use]
    pub fn claim_name(&self, template: &str, ordinal: i32) -> String {
        format!("{template}-{}-{ordinal}", self.name)
    }

    /// Name of the pod of an ordinal.
    #[must_use]
    pub fn pod_name(&self, ordinal: i32) -> String {
        format!("{}-{ordinal}", self.name)
    }

    /// Whether pods wait for each other.
    pub(super) fn is_ordered(&self) -> bool {
        self.spec.management == Management::OrderedReady
    }

    /// Failures of what is still to be done.
    pub(super) fn relevant_failures(&self) -> impl Iterator<Item = (&Object, &Failure)> {
        self.failures.iter().filter(|(object, failure)| {
            let exists = match object {
                Object::Pod(name) => self.pods.iter().any(|pod| pod.name == *name),
                Object::Claim(name) => self.claims.iter().any(|claim| claim.name == *name),
            };
            match failure.verb {
                Verb::Create => !exists && self.ordinals().contains(&failure.ordinal),
                Verb::Update | Verb::Delete => exists,
            }
        })
    }
}
