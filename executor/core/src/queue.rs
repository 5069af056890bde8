//! The order of a database's requests: which is replaced, which waits, which gives way.
//!
//! KubeDB's rules: per database one request runs; of those in the queue the newest of each type stays, and of
//! these the oldest runs first. Beyond them: a running request that only waits gives way to an Online expansion,
//! because a full database cannot do anything else either.

use jiff::Timestamp;

use crate::{
    observed::{Observed, Queued},
    request::{Request, VOLUME_EXPANSION},
};

/// The order of age: creation, and of two created in the same second the greater name counts as older.
fn age(created: Timestamp, name: &str) -> (Timestamp, std::cmp::Reverse<&str>) {
    (created, std::cmp::Reverse(name))
}

/// `Reconfigure` requests are merged by KubeDB, never skipped.
const NEVER_SKIPPED: &str = "Reconfigure";

/// The newest other request of the same type, if it is newer.
pub(crate) fn superseded_by<'a>(request: &Request, seen: &'a Observed) -> Option<&'a Queued> {
    if request.kind() == NEVER_SKIPPED {
        return None;
    }
    seen.queue
        .iter()
        .filter(|other| other.phase.is_queued() && !other.deleting && other.kind == request.kind())
        .filter(|other| age(other.created, &other.name) > age(request.created, &request.name))
        .max_by_key(|other| age(other.created, &other.name))
}

/// The text of a Skipped condition, KubeDB's.
pub(crate) fn skipped_text(request: &Request, by: &Queued) -> String {
    format!(
        "skipped as {}/{} is the most updated PostgresOpsRequest of type {} at {}",
        request.namespace, by.name, by.kind, by.created
    )
}

/// The request that this one waits for.
pub(crate) fn ahead<'a>(request: &Request, seen: &'a Observed) -> Option<&'a Queued> {
    let running = seen
        .queue
        .iter()
        .find(|other| is_running(other) && !(other.yielded && request.operation.is_online_expansion()));
    running.or_else(|| oldest_kept(request, seen))
}

fn is_running(other: &Queued) -> bool {
    other.phase == crate::request::Phase::Progressing
}

/// The oldest of those that stay in the queue, if it is older and able to start.
fn oldest_kept<'a>(request: &Request, seen: &'a Observed) -> Option<&'a Queued> {
    let queued = || {
        seen.queue
            .iter()
            .filter(|other| other.phase.is_queued() && !other.deleting)
    };
    let replaced = |old: &Queued| {
        queued().any(|new| new.kind == old.kind && age(new.created, &new.name) > age(old.created, &old.name))
    };
    queued()
        .filter(|other| other.kind != request.kind() && !other.held && !replaced(other))
        .filter(|other| age(other.created, &other.name) < age(request.created, &request.name))
        .min_by_key(|other| age(other.created, &other.name))
}

/// The Online expansion to which a running request of another type gives way.
pub(crate) fn urgent(seen: &Observed) -> Option<&Queued> {
    seen.queue.iter().find(|other| {
        let comes = other.phase.is_queued() && !other.held && !other.deleting;
        other.kind == VOLUME_EXPANSION && other.online && (comes || is_running(other))
    })
}
