//! What this process remembers of a set between two looks. Losing it costs a repeated attempt, no more.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use control::{backoff::PerObject, watch::Key};
use jiff::Timestamp;
use provisioner_core::petset::{Failure, Object, Verb};

/// Waits before something that the API server refused is tried again. What lifts a refusal (a quota that is raised, a
/// webhook that changes) is not watched, so the longest of them is how long that goes unnoticed.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const MOST_WAIT: Duration = Duration::from_secs(30);

/// What is remembered of each set.
#[derive(Debug)]
pub(crate) struct Memory {
    sets: Mutex<HashMap<Key, Remembered>>,
    backoff: PerObject<(String, Object)>,
}

/// What is remembered of one set.
#[derive(Debug, Clone, Default)]
pub(crate) struct Remembered {
    /// Uid of the set that it is about.
    uid: String,
    /// What was refused.
    pub(crate) failures: BTreeMap<Object, Failure>,
    /// How often the name of a revision was taken.
    pub(crate) collisions: i32,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            sets: Mutex::default(),
            backoff: PerObject::new(FIRST_WAIT, MOST_WAIT),
        }
    }
}

impl Memory {
    /// What is remembered of the set with this uid.
    pub(crate) fn of(&self, set: &Key, uid: &str) -> Remembered {
        let sets = self.lock();
        let known = sets.get(set).filter(|known| known.uid == uid);
        known.cloned().unwrap_or_default()
    }

    /// Something was refused: it is left alone for a while.
    pub(crate) fn failed(
        &self,
        set: &Key,
        uid: &str,
        object: Object,
        what: (Verb, i32, String),
        now: Timestamp,
    ) {
        let (verb, ordinal, message) = what;
        let delay = self
            .backoff
            .failed((uid.to_owned(), object.clone()), &mut rand::rng());
        let until = now.checked_add(delay).unwrap_or(Timestamp::MAX);
        let failure = Failure {
            verb,
            ordinal,
            message,
            until,
        };
        self.change(set, uid, |known| drop(known.failures.insert(object, failure)));
    }

    /// Something was done.
    pub(crate) fn succeeded(&self, set: &Key, uid: &str, object: Object) {
        self.change(set, uid, |known| drop(known.failures.remove(&object)));
        self.backoff.succeeded(&(uid.to_owned(), object));
    }

    /// The name of a revision is taken, so often by now.
    pub(crate) fn collided(&self, set: &Key, uid: &str, collisions: i32) {
        self.change(set, uid, |known| known.collisions = collisions);
    }

    /// The set is gone.
    pub(crate) fn forget(&self, set: &Key) {
        let known = self.lock().remove(set);
        for (object, _) in known.iter().flat_map(|known| &known.failures) {
            let uid = known.as_ref().map(|known| known.uid.clone()).unwrap_or_default();
            self.backoff.succeeded(&(uid, object.clone()));
        }
    }

    fn change(&self, set: &Key, uid: &str, change: impl FnOnce(&mut Remembered)) {
        let mut sets = self.lock();
        let known = sets.entry(set.clone()).or_default();
        if known.uid != uid {
            *known = Remembered {
                uid: uid.to_owned(),
                ..Remembered::default()
            };
        }
        change(known);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Remembered>> {
        self.sets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
