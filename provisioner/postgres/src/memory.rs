//! What this process remembers of a database between two looks. Losing it costs a repeated question, no more.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use control::watch::Key;
use provisioner_core::postgres::health::Answer;
use serde_json::Value;

use crate::probe::Login;

/// What is remembered of each database.
#[derive(Debug, Default)]
pub(crate) struct Memory(Mutex<HashMap<Key, Remembered>>);

/// What is remembered of one database.
#[derive(Debug, Clone, Default)]
pub(crate) struct Remembered {
    /// Uid of the Postgres; what is remembered of another of its name does not count.
    pub(crate) uid: String,
    /// The superuser, as the last look found it.
    pub(crate) login: Option<Login>,
    /// The last answer that counts.
    pub(crate) answer: Answer,
    /// Standbys that the primary listed at the last check.
    pub(crate) listed: Vec<String>,
    /// Failed checks in a row.
    pub(crate) failures: u32,
    /// How often we changed Patroni's settings: what was read before a change does not count after it.
    pub(crate) changes: u64,
    /// Patroni's dynamic settings as last read.
    pub(crate) settings: Option<Value>,
}

impl Memory {
    pub(crate) fn of(&self, key: &Key, uid: &str) -> Remembered {
        let remembered = self
            .lock()
            .get(key)
            .filter(|remembered| remembered.uid == uid)
            .cloned();
        remembered.unwrap_or_default()
    }

    /// Changes what is remembered; gives what `change` gives.
    pub(crate) fn change<R>(&self, key: &Key, uid: &str, change: impl FnOnce(&mut Remembered) -> R) -> R {
        let mut all = self.lock();
        let remembered = all.entry(key.clone()).or_default();
        if remembered.uid != uid {
            *remembered = Remembered {
                uid: uid.to_owned(),
                ..Remembered::default()
            };
        }
        change(remembered)
    }

    pub(crate) fn forget(&self, key: &Key) {
        self.lock().remove(key);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Remembered>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
