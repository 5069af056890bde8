//! The next write.
//!
//! ```text
//! revisions of the template        adopt, make, make the newest again
//! status                           what is, before it changes; the hold is acknowledged before anything else
//! bonds                            adopt, release
//! replicas, condemned, outdated    see `replicas`
//! history                          forget
//! ```

use jiff::Timestamp;

use super::{Bond, Delete, Owner, Set, Status, history, replicas, status};

/// One write, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Make a revision the set's.
    AdoptRevision {
        /// Its name.
        name: String,
    },
    /// Make a revision of the present template.
    CreateRevision {
        /// Its name.
        name: String,
        /// The hash at the end of it.
        hash: String,
        /// Its number.
        number: i64,
    },
    /// Make an earlier revision the newest.
    RenumberRevision {
        /// Its name.
        name: String,
        /// Its new number.
        to: i64,
    },
    /// Forget a revision.
    DeleteRevision {
        /// Its name.
        name: String,
    },
    /// Write the status.
    WriteStatus(Box<Status>),
    /// Make a pod the set's.
    AdoptPod {
        /// Its name.
        pod: String,
    },
    /// Let go of a pod that is not the set's any more.
    ReleasePod {
        /// Its name.
        pod: String,
    },
    /// Label a pod with its name and ordinal.
    IdentifyPod {
        /// Its name.
        pod: String,
        /// Its ordinal.
        ordinal: i32,
    },
    /// Make a pod.
    CreatePod {
        /// Its name.
        pod: String,
        /// Its ordinal.
        ordinal: i32,
        /// The revision whose template it follows.
        revision: String,
    },
    /// Delete a pod.
    DeletePod {
        /// Its name.
        pod: String,
        /// Its ordinal.
        ordinal: i32,
        /// Why.
        why: Delete,
    },
    /// Make a claim.
    CreateClaim {
        /// Its name.
        claim: String,
        /// The template that it follows.
        template: String,
        /// The ordinal that it is for.
        ordinal: i32,
    },
    /// Set the owners of a claim.
    OwnClaim {
        /// Its name.
        claim: String,
        /// The ordinal that it is for.
        ordinal: i32,
        /// All of them.
        owners: Vec<Owner>,
    },
    /// Nothing to do, at least until this time.
    Wait(Option<Timestamp>),
}

impl Step {
    /// In one word.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Step::AdoptRevision { .. } => "AdoptRevision",
            Step::CreateRevision { .. } => "CreateRevision",
            Step::RenumberRevision { .. } => "RenumberRevision",
            Step::DeleteRevision { .. } => "DeleteRevision",
            Step::WriteStatus(_) => "WriteStatus",
            Step::AdoptPod { .. } => "AdoptPod",
            Step::ReleasePod { .. } => "ReleasePod",
            Step::IdentifyPod { .. } => "IdentifyPod",
            Step::CreatePod { .. } => "CreatePod",
            Step::DeletePod { .. } => "DeletePod",
            Step::CreateClaim { .. } => "CreateClaim",
            Step::OwnClaim { .. } => "OwnClaim",
            Step::Wait(_) => "Wait",
        }
    }
}

/// What is to be written next.
#[must_use]
pub fn plan(set: &Set, now: Timestamp) -> Step {
    if set.is_deleted {
        let status = status::of(set, &history::last_known(set), now);
        return written(set, status).unwrap_or(Step::Wait(None));
    }
    let revisions = match history::revisions(set) {
        Ok(revisions) => revisions,
        Err(step) => return step,
    };
    let status = status::of(set, &revisions, now);
    if let Some(step) = written(set, status).or_else(|| bonds(set)) {
        return step;
    }
    let (step, until) = replicas::next(set, &revisions, now);
    let ends = set.hold.held().map(|asked| asked.expires);
    step.or_else(|| history::superfluous(set, &revisions))
        .unwrap_or_else(|| Step::Wait(until.into_iter().chain(ends).min()))
}

fn written(set: &Set, status: Status) -> Option<Step> {
    (status != set.stored).then(|| Step::WriteStatus(Box::new(status)))
}

/// Pods that match and are nobody's become the set's, others are let go.
fn bonds(set: &Set) -> Option<Step> {
    set.pods.iter().find_map(|pod| {
        let pod_name = pod.name.clone();
        match pod.bond {
            Bond::Ours => None,
            Bond::Orphan => (!pod.is_terminating).then_some(Step::AdoptPod { pod: pod_name }),
            Bond::Stray => Some(Step::ReleasePod { pod: pod_name }),
        }
    })
}
