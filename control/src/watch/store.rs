//! What a watch keeps, and who is told when it changes.
//!
//! A subscriber is told which keys changed, with what it knew before and what is there now. Changes of a key that
//! it has not yet taken merge into one, so that nothing is lost and no more is kept than there are objects.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak},
};

use arcstr::ArcStr;
use tokio::sync::{Notify, watch};

use super::key::Key;

/// The objects of a watch; clones share them.
#[derive(Debug)]
pub struct Store<T>(Arc<Shared<T>>);

#[derive(Debug)]
struct Shared<T> {
    state: RwLock<State<T>>,
    synced: watch::Sender<bool>,
}

#[derive(Debug)]
struct State<T> {
    objects: HashMap<Key, Arc<T>>,
    malformed: HashMap<Key, ArcStr>,
    subscribers: Vec<Weak<Pending<T>>>,
}

/// The untold changes of one subscriber: for each changed key, what the subscriber knows of it. Ordered, because taking
/// any entry of a hash map scans what was emptied before: seconds for 150,000 objects, with the store locked.
#[derive(Debug)]
struct Pending<T> {
    known: Mutex<BTreeMap<Key, Option<Arc<T>>>>,
    added: Notify,
}

/// A subscription to the changes of a store.
#[derive(Debug)]
pub struct Changes<T> {
    store: Store<T>,
    pending: Arc<Pending<T>>,
}

/// What became of an object since its subscriber was last told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change<T> {
    /// The object.
    pub key: Key,
    /// What the subscriber was told last; none if nothing.
    pub old: Option<Arc<T>>,
    /// What there is now; none if it is gone, or cannot be read.
    pub new: Option<Arc<T>>,
}

impl<T> Clone for Store<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: PartialEq> Default for Store<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: PartialEq> Store<T> {
    /// An empty store, not synced. Without a watch behind it, a test fills it.
    #[must_use]
    pub fn new() -> Self {
        let state = State {
            objects: HashMap::new(),
            malformed: HashMap::new(),
            subscribers: Vec::new(),
        };
        Self(Arc::new(Shared {
            state: RwLock::new(state),
            synced: watch::Sender::new(false),
        }))
    }

    /// The object of a key.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<Arc<T>> {
        self.read().objects.get(key).cloned()
    }

    /// All objects, in no order.
    #[must_use]
    pub fn all(&self) -> Vec<(Key, Arc<T>)> {
        self.read()
            .objects
            .iter()
            .map(|(key, object)| (key.clone(), Arc::clone(object)))
            .collect()
    }

    /// The objects that pass `test`, in no order. The store is locked for reading meanwhile.
    pub fn matching(&self, mut test: impl FnMut(&Key, &T) -> bool) -> Vec<(Key, Arc<T>)> {
        let state = self.read();
        let passing = state.objects.iter().filter(|(key, object)| test(key, object));
        passing
            .map(|(key, object)| (key.clone(), Arc::clone(object)))
            .collect()
    }

    /// Number of objects.
    #[must_use]
    pub fn len(&self) -> usize {
        self.read().objects.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Why the object of this key cannot be read; none if it can, or is not there.
    #[must_use]
    pub fn malformed(&self, key: &Key) -> Option<ArcStr> {
        self.read().malformed.get(key).cloned()
    }

    /// Number of objects that are there and cannot be read.
    #[must_use]
    pub fn malformed_len(&self) -> usize {
        self.read().malformed.len()
    }

    /// Whether the first full list is in.
    #[must_use]
    pub fn is_synced(&self) -> bool {
        *self.0.synced.borrow()
    }

    /// Waits for the first full list.
    pub async fn synced(&self) {
        let mut synced = self.0.synced.subscribe();
        // The sender lives as long as this store.
        if synced.wait_for(|synced| *synced).await.is_err() {
            std::future::pending().await
        }
    }

    /// Subscribes to changes, beginning with all objects that are there as new.
    #[must_use]
    pub fn subscribe(&self) -> Changes<T> {
        let mut state = self.write();
        let known = state.objects.keys().map(|key| (key.clone(), None)).collect();
        let pending = Arc::new(Pending {
            known: Mutex::new(known),
            added: Notify::new(),
        });
        state.subscribers.push(Arc::downgrade(&pending));
        Changes {
            store: self.clone(),
            pending,
        }
    }

    /// Puts an object, in place of an older or malformed one. For watches, and for tests that play one.
    pub fn put(&self, key: Key, object: T) {
        let mut state = self.write();
        state.malformed.remove(&key);
        if state.objects.get(&key).is_some_and(|old| **old == object) {
            return;
        }
        let old = state.objects.insert(key.clone(), Arc::new(object));
        state.tell(&key, old);
    }

    /// Removes an object. For watches, and for tests that play one.
    pub fn remove(&self, key: &Key) {
        let mut state = self.write();
        state.malformed.remove(key);
        if let Some(old) = state.objects.remove(key) {
            state.tell(key, Some(old));
        }
    }

    /// Notes that an object is there and cannot be read; what was known of it is out of date and goes.
    pub fn put_malformed(&self, key: Key, why: &str) {
        let mut state = self.write();
        state.malformed.insert(key.clone(), why.into());
        let old = state.objects.remove(&key);
        state.tell(&key, old);
    }

    /// Removes all objects, malformed ones too, whose key does not pass `test`.
    pub fn keep(&self, test: impl Fn(&Key) -> bool) {
        let state = self.read();
        let all = state.objects.keys().chain(state.malformed.keys());
        let gone: Vec<_> = all.filter(|key| !test(key)).cloned().collect();
        drop(state);
        for key in gone {
            self.remove(&key);
        }
    }

    /// Notes that the first full list is in.
    pub fn set_synced(&self) {
        self.0.synced.send_replace(true);
    }

    fn read(&self) -> RwLockReadGuard<'_, State<T>> {
        self.0.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State<T>> {
        self.0.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    fn tell(&mut self, key: &Key, old: Option<Arc<T>>) {
        self.subscribers.retain(|subscriber| {
            let Some(pending) = subscriber.upgrade() else {
                return false;
            };
            let mut known = pending.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.entry(key.clone()).or_insert_with(|| old.clone());
            drop(known);
            pending.added.notify_one();
            true
        });
    }
}

impl<T: PartialEq> Changes<T> {
    /// The next change, as soon as there is one. Cancel-safe. Those that wait come in the order of their keys.
    pub async fn next(&mut self) -> Change<T> {
        loop {
            if let Some(change) = self.try_next() {
                return change;
            }
            // A change that came since then has left a permit here.
            self.pending.added.notified().await;
        }
    }

    /// The next change that is there already.
    pub fn try_next(&mut self) -> Option<Change<T>> {
        // The store's lock first, as everywhere, so that `old` and `new` belong together.
        let state = self.store.read();
        let mut known = self.pending.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (key, old) = known.pop_first()?;
        let new = state.objects.get(&key).cloned();
        Some(Change { key, old, new })
    }
}
