//! What this process remembers of a request between two looks. Losing it costs a repeated question, no more:
//! everything that is needed to go on is in the objects.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use executor_core::{
    observed::{Refusal, Target, Trial, Trouble},
    request::Stage,
};
use jiff::Timestamp;

use crate::passed::{Leg, Passed};

/// What is remembered of each request, by uid.
#[derive(Debug, Default)]
pub(crate) struct Memory(Mutex<HashMap<String, Remembered>>);

/// What is remembered of one request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Remembered {
    /// Answers to trials, by claim.
    pub(crate) trials: BTreeMap<String, Trial>,
    /// Writes that were refused for good.
    pub(crate) refusals: BTreeMap<Target, Refusal>,
    /// What was written to, with or without success.
    pub(crate) attempted: BTreeSet<Target>,
    /// What members answered to writes that failed.
    pub(crate) troubles: BTreeMap<Target, Trouble>,
    /// The stages that its claims have passed.
    pub(crate) passed: Passed,
    /// Deciding about it panicked: not before this time again.
    left_alone_until: Option<Timestamp>,
}

impl Memory {
    pub(crate) fn of(&self, uid: &str) -> Remembered {
        self.lock().get(uid).cloned().unwrap_or_default()
    }

    pub(crate) fn tried(&self, uid: &str, claim: &str, trial: Trial) {
        self.lock()
            .entry(uid.to_owned())
            .or_default()
            .trials
            .insert(claim.to_owned(), trial);
    }

    pub(crate) fn refused(&self, uid: &str, target: Target, refusal: Refusal) {
        self.lock()
            .entry(uid.to_owned())
            .or_default()
            .refusals
            .insert(target, refusal);
    }

    /// A write was sent.
    pub(crate) fn attempts(&self, uid: &str, target: Option<Target>) {
        let mut all = self.lock();
        all.entry(uid.to_owned()).or_default().attempted.extend(target);
    }

    /// A write to members failed, or succeeded.
    pub(crate) fn told(&self, uid: &str, target: Option<Target>, trouble: Option<Trouble>) {
        let Some(target) = target else { return };
        let mut all = self.lock();
        match trouble {
            Some(trouble) => {
                all.entry(uid.to_owned())
                    .or_default()
                    .troubles
                    .insert(target, trouble);
            }
            None => {
                if let Some(remembered) = all.get_mut(uid) {
                    remembered.troubles.remove(&target);
                }
            }
        }
    }

    /// Its claims are there `now`; answers what has ended since the last time.
    pub(crate) fn see(&self, uid: &str, stages: Vec<(String, Stage)>, now: Timestamp) -> Vec<Leg> {
        if stages.is_empty() {
            return Vec::new();
        }
        self.lock()
            .entry(uid.to_owned())
            .or_default()
            .passed
            .see(stages, now)
    }

    pub(crate) fn passed(&self, uid: &str) -> Passed {
        let all = self.lock();
        all.get(uid).map(|known| known.passed.clone()).unwrap_or_default()
    }

    pub(crate) fn leave_alone(&self, uid: &str, until: Timestamp) {
        self.lock().entry(uid.to_owned()).or_default().left_alone_until = Some(until);
    }

    pub(crate) fn left_alone_until(&self, uid: &str) -> Option<Timestamp> {
        self.lock().get(uid)?.left_alone_until
    }

    /// Forgets the trials of a request: it waits, and the answers may change meanwhile.
    pub(crate) fn waits(&self, uid: &str) {
        if let Some(remembered) = self.lock().get_mut(uid) {
            remembered.trials.clear();
        }
    }

    /// Forgets a request: a run of it begins or it is finished.
    pub(crate) fn forget(&self, uid: &str) {
        self.lock().remove(uid);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Remembered>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
