//! Which object is to be looked at next: each key at most once, and never twice at the same time.
//!
//! Level-triggered: a key says "look", not what happened. Adding a key that waits already changes nothing;
//! adding one that is being looked at has it looked at once more afterwards. The number of keys is bounded by
//! the number of objects, so the queue needs no other bound.

use std::{
    collections::{BTreeSet, HashMap, HashSet, VecDeque},
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::{StreamExt, stream::FuturesUnordered};
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

/// A queue of keys; clones share it.
#[derive(Debug)]
pub struct Queue<K>(Arc<Shared<K>>);

/// When to look at the object again, as its worker says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// When something adds its key.
    OnChange,
    /// After this time, or when something adds its key, whichever comes first.
    After(Duration),
}

#[derive(Debug)]
struct Shared<K> {
    state: Mutex<State<K>>,
    changed: Notify,
}

#[derive(Debug)]
struct State<K> {
    /// Keys to be looked at now, in the order of their coming; none of them is in `running`.
    ready: VecDeque<K>,
    /// The members of `ready`, and those of `running` that were added meanwhile.
    dirty: HashSet<K>,
    running: HashSet<K>,
    /// When each delayed key is due, and the same ordered by time.
    due: HashMap<K, Instant>,
    timeline: BTreeSet<(Instant, K)>,
}

impl<K> Clone for Queue<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: Ord + Hash + Clone> Default for Queue<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Ord + Hash + Clone> Queue<K> {
    /// An empty queue.
    #[must_use]
    pub fn new() -> Self {
        let state = State {
            ready: VecDeque::new(),
            dirty: HashSet::new(),
            running: HashSet::new(),
            due: HashMap::new(),
            timeline: BTreeSet::new(),
        };
        Self(Arc::new(Shared {
            state: Mutex::new(state),
            changed: Notify::new(),
        }))
    }

    /// Has a key looked at as soon as possible; an earlier delay of it is void.
    pub fn add(&self, key: K) {
        self.state().make_ready(key);
        self.0.changed.notify_one();
    }

    /// Has a key looked at after `delay`, or earlier if it was to be looked at earlier anyway.
    pub fn add_after(&self, key: K, delay: Duration) {
        self.state().delay(key, Instant::now() + delay);
        self.0.changed.notify_one();
    }

    /// Keys that wait for their turn now: neither delayed nor being looked at.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.state().ready.len()
    }

    /// Looks at keys as they come, at most `at_once` at a time, until `stop` is cancelled; what is being looked
    /// at then is finished first.
    ///
    /// All of it runs in the caller's task: `work` waits for the API server most of its time. A panic in `work`
    /// is the process's end unless `work` catches it.
    pub async fn run<W, F>(&self, at_once: usize, stop: CancellationToken, work: W)
    where
        W: Fn(K) -> F,
        F: Future<Output = Again>,
    {
        let mut running = FuturesUnordered::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                Some((key, again)) = running.next() => self.finish(key, again),
                key = self.next(), if running.len() < at_once.max(1) => {
                    let looked = work(key.clone());
                    running.push(async move { (key, looked.await) });
                }
            }
        }
        while let Some((key, again)) = running.next().await {
            self.finish(key, again);
        }
    }

    /// The next key, as soon as there is one; it counts as being looked at until [`Queue::finish`].
    ///
    /// Cancel-safe: a key is taken only when it is returned.
    async fn next(&self) -> K {
        loop {
            let due = {
                let mut state = self.state();
                state.release_due(Instant::now());
                if let Some(key) = state.take() {
                    return key;
                }
                state.timeline.first().map(|(at, _)| *at)
            };
            let changed = self.0.changed.notified();
            match due {
                None => changed.await,
                Some(at) => tokio::select! {
                    () = changed => (),
                    () = sleep_until(at) => (),
                },
            }
        }
    }

    fn finish(&self, key: K, again: Again) {
        let mut state = self.state();
        state.running.remove(&key);
        if state.dirty.contains(&key) {
            state.ready.push_back(key);
        } else if let Again::After(delay) = again {
            state.delay(key, Instant::now() + delay);
        }
        drop(state);
        self.0.changed.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, State<K>> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Ord + Hash + Clone> State<K> {
    fn make_ready(&mut self, key: K) {
        if let Some(at) = self.due.remove(&key) {
            self.timeline.remove(&(at, key.clone()));
        }
        if self.dirty.insert(key.clone()) && !self.running.contains(&key) {
            self.ready.push_back(key);
        }
    }

    fn delay(&mut self, key: K, at: Instant) {
        if self.dirty.contains(&key) || self.due.get(&key).is_some_and(|earlier| *earlier <= at) {
            return;
        }
        if let Some(later) = self.due.insert(key.clone(), at) {
            self.timeline.remove(&(later, key.clone()));
        }
        self.timeline.insert((at, key));
    }

    fn release_due(&mut self, now: Instant) {
        while let Some((at, key)) = self.timeline.first().cloned() {
            if at > now {
                break;
            }
            self.make_ready(key);
        }
    }

    fn take(&mut self) -> Option<K> {
        let key = self.ready.pop_front()?;
        self.dirty.remove(&key);
        self.running.insert(key.clone());
        Some(key)
    }
}
