//! Databases at rest: far below their thresholds, free to grow (or knowing that nobody resizes), and not full within an
//! hour. Of such a one nothing new can be decided as long as its volumes are measured, no object of it changes and no
//! volume moves by a whole percent: it is looked at in full about every ten minutes only, for the sake of what is predicted
//! of it, which is written no more often.
//!
//! A large fleet is at rest nearly all of it. A sample of such a volume ends in the [`Store`], which looks whether it shows
//! something else: nobody is woken.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use arcstr::ArcStr;
use control::watch::Key;
use decider_core::{Decision, Seen, VolumeRecord};
use jiff::Timestamp;
use rand::Rng;
use units::Reason;

use super::{Gathered, Outcome};
use crate::store::Store;

/// Time without a look in full, at least and at most: spread, so that those that began together do not go on so.
const REST: (Duration, Duration) = (Duration::from_secs(300), Duration::from_secs(900));
/// Not before, so that many databases do not make a busy loop.
const SOONEST: Duration = Duration::from_millis(500);
/// The longest that a growth may be reckoned to take: a volume that fills in less than ten minutes shows in its forecast.
const LONGEST_LEAD: Duration = Duration::from_secs(300);

/// The databases at rest, by their autoscalers.
#[derive(Debug)]
pub(super) struct Resting {
    all: Mutex<HashMap<Key, State>>,
    store: Arc<Store>,
}

#[derive(Debug)]
enum State {
    /// It is being looked at; whether it was disturbed since.
    Looking { disturbed: bool },
    /// It is at rest.
    Resting(Rest),
}

/// A database at rest: its volumes, whose movements are not marked meanwhile, and until when.
#[derive(Debug)]
pub(super) struct Rest {
    volumes: Box<[ArcStr]>,
    until: Timestamp,
}

impl Resting {
    /// None is at rest yet.
    pub(super) fn new(store: Arc<Store>) -> Self {
        Self {
            all: Mutex::default(),
            store,
        }
    }

    /// Something about it has changed.
    pub(super) fn disturb(&self, key: &Key) {
        let mut all = self.all();
        match all.get_mut(key) {
            Some(State::Looking { disturbed }) => *disturbed = true,
            Some(State::Resting(_)) => self.rise(all.remove(key)),
            None => {}
        }
    }

    /// It is being looked at in full.
    pub(super) fn begin(&self, key: &Key) {
        let looking = State::Looking { disturbed: false };
        self.rise(self.all().insert(key.clone(), looking));
    }

    /// It was looked at, and is at rest unless it was disturbed meanwhile.
    pub(super) fn end(&self, key: &Key, rest: Option<Rest>) {
        let mut all = self.all();
        let undisturbed = matches!(all.get(key), Some(State::Looking { disturbed: false }));
        let ended = match rest {
            Some(rest) if undisturbed => all.insert(key.clone(), State::Resting(rest)),
            rest => {
                all.remove(key);
                rest.map(State::Resting)
            }
        };
        self.rise(ended);
    }

    /// For how long it need not be looked at, if it is at rest.
    /// A volume that gets stale meanwhile disturbs it.
    pub(super) fn left(&self, key: &Key, now: Timestamp) -> Option<Duration> {
        let mut all = self.all();
        let left = match all.get(key)? {
            State::Looking { .. } => None,
            State::Resting(rest) => rest.left(now),
        };
        if left.is_none() {
            self.rise(all.remove(key));
        }
        left
    }

    /// It is at rest no more: its volumes' movements are marked again.
    fn rise(&self, state: Option<State>) {
        if let Some(State::Resting(rest)) = state {
            rest.volumes.iter().for_each(|pv| self.store.stir(pv));
        }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Key, State>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rest {
    /// The rest that a look found, at most until something is due `within` some time; none if there is more to decide, or
    /// nobody has vouched for a volume `since`. Its volumes' movements are not marked from now on.
    pub(super) fn of(
        gathered: &Gathered,
        outcome: &Outcome,
        store: &Store,
        within: Option<Duration>,
        now: Timestamp,
        since: Timestamp,
    ) -> Option<Self> {
        let volumes = below(gathered, outcome)?;
        let rest = rand::rng().random_range(REST.0..REST.1);
        let until = now
            .checked_add(within.map_or(rest, |within| within.min(rest)))
            .ok()?;
        let limits = gathered.policy.limits.as_ref().ok()?;
        let fits = |seen: &Seen| {
            let inodes = seen.sample.inodes_percent();
            seen.sample.usage.percent() < limits.usage_threshold
                && inodes.is_none_or(|used| used < limits.inode_threshold)
                && seen.trend.rate.is_some()
                && seen.trend.sustained.is_some()
        };
        let volumes = all_calm(store, volumes, since, fits)?;
        Some(Self { volumes, until })
    }

    /// Until the rest is over; none if that is so now.
    fn left(&self, now: Timestamp) -> Option<Duration> {
        // A clock that was set back does not make it longer.
        let left = Duration::try_from(self.until.duration_since(now)).ok()?;
        (!left.is_zero() && left <= REST.1).then(|| left.max(SOONEST))
    }
}

/// The PersistentVolumes of a database, one at least, of which all are below their thresholds and nothing else is to be
/// decided.
fn below(gathered: &Gathered, outcome: &Outcome) -> Option<Box<[ArcStr]>> {
    let Outcome::Decided(decision) = outcome else {
        return None;
    };
    let Decision::Hold { reason, record } = decision.as_ref() else {
        return None;
    };
    let is_below = |volume: &VolumeRecord| {
        volume.reason == Reason::BelowThreshold && volume.lead.is_some_and(|lead| lead <= LONGEST_LEAD)
    };
    // Whoever resizes again is told to all databases at once.
    let is_free = record
        .barrier
        .as_ref()
        .is_none_or(|barrier| barrier.reason == Reason::NobodyResizes && gathered.db.no_resizer.is_some());
    let all_below = *reason == Reason::BelowThreshold && is_free && record.volumes.iter().all(is_below);
    let pv = |volume: &VolumeRecord| gathered.volumes.get(&volume.claim).cloned();
    if !all_below || record.volumes.is_empty() {
        return None;
    }
    record.volumes.iter().map(pv).collect()
}

/// The volumes, whose movements are not marked from now on, or none of them if one does not fit.
fn all_calm(
    store: &Store,
    volumes: Box<[ArcStr]>,
    since: Timestamp,
    fits: impl Fn(&Seen) -> bool,
) -> Option<Box<[ArcStr]>> {
    if volumes.iter().all(|pv| store.calm(pv, since, &fits)) {
        return Some(volumes);
    }
    volumes.iter().for_each(|pv| store.stir(pv));
    None
}

#[cfg(test)]
mod tests;
