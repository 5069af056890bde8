//! Where spec and database differ in what only a PostgresOpsRequest changes: nothing is done, and said so.
//!
//! A manifest that is older than a growth or a scaling is harmless: it is `SpecBehind`, with the value to commit. One that
//! asks for more is `RequestNeeded`, with the request that does it. Whether another number of members is old or meant
//! cannot be known, so both are said.

use units::{Bytes, Reason};

use super::Finding;

/// What the spec says and what there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// `spec.storage.resources.requests.storage`.
    pub storage: Option<Bytes>,
    /// The smallest size that a claim, or the template, asks for; none without claims.
    pub claims: Option<Bytes>,
    /// `spec.replicas`.
    pub replicas: i32,
    /// The set's replicas.
    pub members: i32,
    /// `spec.version`.
    pub version: String,
    /// The version that the set was made with.
    pub running: String,
}

/// Condition `SpecBehind`, if so.
#[must_use]
pub fn behind(seen: &Compared) -> Option<Finding> {
    let mut words = Vec::new();
    if let (Some(spec), Some(claims)) = (seen.storage, seen.claims)
        && spec < claims
    {
        words.push(format!(
            "spec.storage.resources.requests.storage is {spec} and the volumes have {claims}: commit {claims}"
        ));
    }
    if seen.replicas != seen.members {
        words.push(format!(
            "spec.replicas is {} and the database has {} members: commit {}, or create a PostgresOpsRequest of type \
             HorizontalScaling",
            seen.replicas, seen.members, seen.members
        ));
    }
    finding(Reason::SpecBehind, &words)
}

/// Condition `RequestNeeded`, if so.
#[must_use]
pub fn needed(seen: &Compared) -> Option<Finding> {
    let mut words = Vec::new();
    if let (Some(spec), Some(claims)) = (seen.storage, seen.claims)
        && spec > claims
    {
        words.push(format!(
            "spec.storage.resources.requests.storage is {spec} and the volumes have {claims}: create a PostgresOpsRequest \
             of type VolumeExpansion with volumeExpansion.postgres: {spec}"
        ));
    }
    if seen.replicas != seen.members {
        words.push(format!(
            "spec.replicas is {} and the database has {} members: create a PostgresOpsRequest of type HorizontalScaling \
             with horizontalScaling.replicas: {}",
            seen.replicas, seen.members, seen.replicas
        ));
    }
    if seen.version != seen.running {
        words.push(format!(
            "spec.version is {} and the database runs {}, which Highwater does not update: write {}, or make a new Postgres \
             and move the data",
            seen.version, seen.running, seen.running
        ));
    }
    finding(Reason::RequestNeeded, &words)
}

fn finding(reason: Reason, words: &[String]) -> Option<Finding> {
    (!words.is_empty()).then(|| Finding::new(reason, words.join("; ")))
}
