//! Databases at rest: far below their thresholds, free to grow, and not full within an hour. Of such a one nothing new can
//! be decided as long as its volumes are measured, no object of it changes and no volume moves by a whole percent: it
//! is looked at in full about every ten minutes only, for the sake of what is predicted of it, which is written no more
//! often.
//!
//! A large fleet is at rest nearly all of it. What is asked instead costs a hundredth of a decision.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use control::watch::Key;
use decider_core::{Decision, Seen};
use jiff::Timestamp;
use rand::Rng;
use units::{Percent, Reason};

use super::{Gathered, Outcome};
use crate::{
    metrics::SOON,
    store::{Store, Stream},
};

/// Time without a look in full, at least and at most: spread, so that those that began together do not go on so.
const REST: (Duration, Duration) = (Duration::from_secs(300), Duration::from_secs(900));
/// Not before, so that many databases do not make a busy loop.
const SOONEST: Duration = Duration::from_millis(500);
/// The longest that a growth may be reckoned to take: a volume that fills in less than ten minutes shows in its forecast.
const LONGEST_LEAD: Duration = Duration::from_secs(300);

/// The databases at rest, by their autoscalers.
#[derive(Debug, Default)]
pub(super) struct Resting(Mutex<HashMap<Key, State>>);

#[derive(Debug)]
enum State {
    /// It is being looked at; whether it was disturbed since.
    Looking { disturbed: bool },
    /// It is at rest.
    Resting(Rest),
}

/// A database at rest.
#[derive(Debug)]
pub(super) struct Rest {
    volumes: Box<[AtRest]>,
    until: Timestamp,
}

/// A volume at rest: what vouches for it, and what it showed.
#[derive(Debug)]
struct AtRest {
    pv: Arc<str>,
    stream: Arc<Stream>,
    shown: Shown,
}

/// What a decision reads of a volume, as coarse as its rules are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shown {
    capacity: u64,
    used: Percent,
    inodes: Option<Percent>,
    read_only: bool,
}

impl Resting {
    /// Something about it has changed.
    pub(super) fn disturb(&self, key: &Key) {
        let mut all = self.all();
        match all.get_mut(key) {
            Some(State::Looking { disturbed }) => *disturbed = true,
            Some(State::Resting(_)) => drop(all.remove(key)),
            None => {}
        }
    }

    /// It is being looked at in full.
    pub(super) fn begin(&self, key: &Key) {
        let looking = State::Looking { disturbed: false };
        self.all().insert(key.clone(), looking);
    }

    /// It was looked at, and is at rest unless it was disturbed meanwhile.
    pub(super) fn end(&self, key: &Key, rest: Option<Rest>) {
        let mut all = self.all();
        let undisturbed = matches!(all.get(key), Some(State::Looking { disturbed: false }));
        match rest.filter(|_| undisturbed) {
            Some(rest) => drop(all.insert(key.clone(), State::Resting(rest))),
            None => drop(all.remove(key)),
        }
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
            all.remove(key);
        }
        left
    }

    /// A volume of it has moved, and it is at rest all the same, if somebody has vouched for the volume `since`.
    pub(super) fn bears(&self, key: &Key, pv: &str, store: &Store, since: Timestamp) -> bool {
        let all = self.all();
        let Some(State::Resting(rest)) = all.get(key) else {
            return false;
        };
        let Some(volume) = rest.volumes.iter().find(|v| *v.pv == *pv) else {
            return false;
        };
        store.undisputed(pv, since).is_some_and(|(stream, seen)| {
            Arc::ptr_eq(&stream, &volume.stream) && Shown::of(&seen) == volume.shown && !is_full_soon(&seen)
        })
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Key, State>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rest {
    /// The rest that a look found, at most until something is due `within` some time; none if there is more to decide, or
    /// nobody has vouched for a volume `since`.
    pub(super) fn of(
        gathered: &Gathered,
        outcome: &Outcome,
        store: &Store,
        within: Option<Duration>,
        now: Timestamp,
        since: Timestamp,
    ) -> Option<Self> {
        let Outcome::Decided(decision) = outcome else {
            return None;
        };
        let Decision::Hold { reason, record } = decision.as_ref() else {
            return None;
        };
        let limits = gathered.policy.limits.as_ref().ok()?;
        let is_below = *reason == Reason::BelowThreshold && record.barrier.is_none();
        let leads = record
            .volumes
            .iter()
            .all(|v| v.lead.is_some_and(|lead| lead <= LONGEST_LEAD));
        if !is_below || !leads {
            return None;
        }
        let at_rest = |record: &decider_core::VolumeRecord| {
            let pv = gathered.volumes.get(&record.claim)?;
            let (stream, seen) = store.undisputed(pv, since)?;
            let shown = Shown::of(&seen);
            let foreseen = seen.trend.rate.is_some() && seen.trend.sustained.is_some();
            let below = record.reason == Reason::BelowThreshold
                && shown.used < limits.usage_threshold
                && shown.inodes.is_none_or(|used| used < limits.inode_threshold);
            let far = below && foreseen && !is_full_soon(&seen);
            far.then(|| AtRest {
                pv: Arc::clone(pv),
                stream,
                shown,
            })
        };
        let volumes: Option<Box<[AtRest]>> = record.volumes.iter().map(at_rest).collect();
        let rest = rand::rng().random_range(REST.0..REST.1);
        Some(Self {
            volumes: volumes.filter(|volumes| !volumes.is_empty())?,
            until: now
                .checked_add(within.map_or(rest, |within| within.min(rest)))
                .ok()?,
        })
    }

    /// Until the rest is over; none if that is so now.
    fn left(&self, now: Timestamp) -> Option<Duration> {
        // A clock that was set back does not make it longer.
        let left = Duration::try_from(self.until.duration_since(now)).ok()?;
        (!left.is_zero() && left <= REST.1).then(|| left.max(SOONEST))
    }
}

impl Shown {
    fn of(seen: &Seen) -> Self {
        Self {
            capacity: seen.sample.usage.capacity.get(),
            used: seen.sample.usage.percent(),
            inodes: seen.sample.inodes_percent(),
            read_only: seen.sample.read_only,
        }
    }
}

fn is_full_soon(seen: &Seen) -> bool {
    let left = seen.trend.full_in(seen.sample.usage.available);
    left.is_some_and(|left| left < SOON)
}

#[cfg(test)]
mod tests;
