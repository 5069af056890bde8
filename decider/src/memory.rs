//! What the decider remembers between two decisions because the watches lag behind its own writes and behind the
//! volumes. All of it can be lost: names of requests and annotations fence the rest.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use api::autoscaling::v1alpha1::LastDecision;
use control::watch::Key;
use decider_core::Profile;
use jiff::{SignedDuration, Timestamp};
use units::Bytes;

use crate::{
    Uid,
    metrics::Standing,
    objects::{Claim, Request},
};

mod expansions;

use expansions::Expansions;

/// What was written and what the watch has still not shown after this time is not awaited any longer: a request that was created
/// was deleted at once.
const LAG: SignedDuration = SignedDuration::from_secs(30);

/// A growth by somebody else, whose filesystem has not been seen to follow after this time, is taken as it is:
/// it may have been followed before it was noticed.
const FOLLOWS: SignedDuration = SignedDuration::from_secs(60);

/// The memory.
#[derive(Debug, Default)]
pub(crate) struct Memory(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    created: HashMap<Key, (String, Timestamp)>,
    growing: HashMap<Uid, Growing>,
    standings: HashMap<Key, Standing>,
    usage_written: HashMap<Key, Timestamp>,
    untold: HashMap<Key, LastDecision>,
    written: HashMap<Key, (u64, Timestamp)>,
    expansions: Expansions,
}

/// A claim on its way to another size.
#[derive(Debug, Clone, Copy)]
struct Growing {
    claim: Bytes,
    filesystem: Bytes,
    grown_at: Option<Timestamp>,
}

impl Memory {
    /// A request of this database was created.
    pub(crate) fn created(&self, database: &Key, request: &str, now: Timestamp) {
        self.inner()
            .created
            .insert(database.clone(), (request.to_owned(), now));
    }

    /// The request created last, until `is_known` to the watch.
    pub(crate) fn open_request(
        &self,
        database: &Key,
        now: Timestamp,
        is_known: impl Fn(&str) -> bool,
    ) -> Option<String> {
        let mut inner = self.inner();
        let (request, at) = inner.created.get(database)?;
        if is_known(request) || now.duration_since(*at) > LAG {
            inner.created.remove(database);
            return None;
        }
        Some(request.clone())
    }

    /// The filesystem's capacity before the claim grew, as long as it has not been seen beyond that. `filesystem`
    /// is what is seen now.
    pub(crate) fn before_growth(
        &self,
        claim: &Claim,
        filesystem: Option<Bytes>,
        now: Timestamp,
    ) -> Option<Bytes> {
        let filesystem = filesystem?;
        let mut inner = self.inner();
        let settled = claim.request <= claim.capacity && claim.resize.is_empty();
        let Some(growing) = inner.growing.get_mut(&claim.uid) else {
            if !settled {
                let growing = Growing {
                    claim: claim.capacity,
                    filesystem,
                    grown_at: None,
                };
                inner.growing.insert(claim.uid.clone(), growing);
            }
            return None;
        };
        if claim.capacity > growing.claim {
            let grown_at = *growing.grown_at.get_or_insert(now);
            let before = growing.filesystem;
            if filesystem > before || now.duration_since(grown_at) > FOLLOWS {
                inner.growing.remove(&claim.uid);
                return None;
            }
            return Some(before);
        }
        if settled {
            inner.growing.remove(&claim.uid);
        }
        None
    }

    /// How it stands after the last decision; answers how it stood before.
    pub(crate) fn standing(&self, autoscaler: &Key, standing: Option<Standing>) -> Option<Standing> {
        let mut inner = self.inner();
        match standing {
            Some(standing) => inner.standings.insert(autoscaler.clone(), standing),
            None => inner.standings.remove(autoscaler),
        }
    }

    /// When usage alone was last a cause to write the status.
    pub(crate) fn usage_written(&self, autoscaler: &Key) -> Option<Timestamp> {
        self.inner().usage_written.get(autoscaler).copied()
    }

    /// Usage was written.
    pub(crate) fn set_usage_written(&self, autoscaler: &Key, now: Timestamp) {
        self.inner().usage_written.insert(autoscaler.clone(), now);
    }

    /// A growth was asked for, and is to be told in the status, also if it cannot be written now.
    pub(crate) fn tell(&self, autoscaler: &Key, growth: LastDecision) {
        self.inner().untold.insert(autoscaler.clone(), growth);
    }

    /// The growth that no status tells yet.
    pub(crate) fn untold(&self, autoscaler: &Key) -> Option<LastDecision> {
        self.inner().untold.get(autoscaler).cloned()
    }

    /// The status was written.
    pub(crate) fn told(&self, autoscaler: &Key) {
        self.inner().untold.remove(autoscaler);
    }

    /// The autoscaler was written, and has this resourceVersion since: whole numbers that rise, as Kubernetes has them compared
    /// since 1.35 (KEP-5504). For another there is no telling what is older.
    pub(crate) fn wrote(&self, autoscaler: &Key, version: Option<String>, now: Timestamp) {
        if let Some(version) = version.and_then(|version| version.parse().ok()) {
            self.inner().written.insert(autoscaler.clone(), (version, now));
        }
    }

    /// Whether what the watch has shown, `version`, is older than what was written last. Of a write that it does not show
    /// for long the API server has the last word.
    pub(crate) fn lags(&self, autoscaler: &Key, version: &str, now: Timestamp) -> bool {
        let mut inner = self.inner();
        let Some((written, at)) = inner.written.get(autoscaler) else {
            return false;
        };
        let older = version.parse::<u64>().is_ok_and(|seen| seen < *written);
        let lags = older && now.duration_since(*at) <= LAG;
        if !lags {
            inner.written.remove(autoscaler);
        }
        lags
    }

    /// Learns how long this autoscaler's expansions took, and answers what the next one is expected to take.
    pub(crate) fn learn(
        &self,
        autoscaler: &Key,
        profile: &Profile,
        requests: &[(Key, Arc<Request>)],
    ) -> Duration {
        self.inner().expansions.learn(autoscaler, profile, requests)
    }

    /// The autoscaler is gone.
    pub(crate) fn forget(&self, autoscaler: &Key) {
        let mut inner = self.inner();
        inner.expansions.forget(autoscaler);
        inner.usage_written.remove(autoscaler);
        inner.untold.remove(autoscaler);
        inner.written.remove(autoscaler);
    }

    /// The claim is gone.
    pub(crate) fn forget_claim(&self, uid: &Uid) {
        self.inner().growing.remove(uid);
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn claim(request: u64, capacity: u64) -> Claim {
        Claim {
            uid: "u".into(),
            request: Bytes::new(request),
            capacity: Bytes::new(capacity),
            ..Claim::default()
        }
    }

    #[test]
    fn a_created_request_is_open_until_the_watch_shows_it() {
        let (memory, db) = (Memory::default(), Key::new("demo", "pg"));
        assert_eq!(memory.open_request(&db, at(0), |_| false), None);
        memory.created(&db, "pgops-pg-abcdef", at(0));
        assert!(memory.open_request(&db, at(30), |_| false).is_some());
        assert_eq!(
            memory.open_request(&db, at(30), |name| name == "pgops-pg-abcdef"),
            None
        );
        assert_eq!(
            memory.open_request(&db, at(30), |_| false),
            None,
            "the watch goes by itself now"
        );
        memory.created(&db, "pgops-pg-abcdef", at(0));
        assert_eq!(
            memory.open_request(&db, at(31), |_| false),
            None,
            "deleted before anybody saw it"
        );
    }

    #[test]
    fn a_growth_by_somebody_else_is_awaited_in_the_filesystem() {
        let memory = Memory::default();
        let look = |request, capacity, filesystem, second| {
            memory
                .before_growth(
                    &claim(request, capacity),
                    Some(Bytes::new(filesystem)),
                    at(second),
                )
                .map(Bytes::get)
        };
        assert_eq!(look(10, 10, 9, 0), None);
        assert_eq!(look(20, 10, 9, 1), None, "in flight");
        assert_eq!(look(20, 20, 9, 2), Some(9), "grown, not followed");
        assert_eq!(look(20, 20, 19, 3), None, "followed");
        assert_eq!(look(20, 20, 19, 4), None);
        assert_eq!(look(30, 20, 19, 5), None);
        assert_eq!(look(30, 30, 19, 6), Some(19));
        assert_eq!(look(30, 30, 19, 67), None, "not for ever");
        assert_eq!(look(40, 30, 19, 68), None);
        assert_eq!(look(30, 30, 19, 69), None, "taken back");
        assert_eq!(look(30, 30, 19, 70), None);
    }

    #[test]
    fn the_watch_lags_until_it_shows_what_was_written_or_something_newer() {
        let memory = Memory::default();
        let key = Key::new("demo", "shop-storage");
        let at = |second| Timestamp::from_second(second).unwrap();
        let lags = |version: &str, second| memory.lags(&key, version, at(second));
        assert!(!lags("9", 0), "nothing was written");
        memory.wrote(&key, Some("100".to_owned()), at(0));
        assert!(lags("99", 1), "fewer digits are less");
        assert!(!lags("100", 1), "shown");
        assert!(!lags("99", 1), "it had been shown");
        memory.wrote(&key, Some("100".to_owned()), at(0));
        assert!(!lags("101", 1), "somebody else's is newer");
        memory.wrote(&key, Some("100".to_owned()), at(0));
        assert!(!lags("99", 31), "not for ever");
        memory.wrote(&key, Some("?".to_owned()), at(0));
        assert!(!lags("99", 1), "what cannot be compared does not hold up");
    }
}
