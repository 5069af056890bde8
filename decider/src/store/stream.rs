//! One agent's stream as the store knows it: until when it vouches, and what the agent is still to be told.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
};

use arcstr::ArcStr;
use jiff::Timestamp;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Before any message.
const NEVER: i64 = i64::MIN;

/// A stream. Later ones have larger numbers.
#[derive(Debug)]
pub struct Stream {
    node: ArcStr,
    id: u64,
    as_of_ms: AtomicI64,
    ended: AtomicBool,
    replaced: CancellationToken,
    levels: Mutex<BTreeMap<u32, u64>>,
    asked: Notify,
}

/// A stream's place in the store; dropping it ends the stream, on every path.
#[derive(Debug)]
pub struct Registration {
    stream: Arc<Stream>,
}

impl Stream {
    pub(super) fn new(node: ArcStr, id: u64) -> Self {
        Self {
            node,
            id,
            as_of_ms: AtomicI64::new(NEVER),
            ended: AtomicBool::new(false),
            replaced: CancellationToken::new(),
            levels: Mutex::default(),
            asked: Notify::new(),
        }
    }

    pub(super) const fn id(&self) -> u64 {
        self.id
    }

    /// The node it speaks for.
    #[must_use]
    pub const fn node(&self) -> &ArcStr {
        &self.node
    }

    /// Until when everything that is not stuck is known to have held.
    pub(crate) fn as_of(&self) -> Option<Timestamp> {
        match self.as_of_ms.load(Ordering::Relaxed) {
            NEVER => None,
            ms => Timestamp::from_millisecond(ms).ok(),
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    /// A newer stream of the node has come.
    pub(super) fn replace(&self) {
        self.replaced.cancel();
    }

    /// Completes when a newer stream of the node has come.
    pub async fn replaced(&self) {
        self.replaced.cancelled().await;
    }

    /// Has the agent told of a level; a later one for the same volume replaces it.
    pub(super) fn ask(&self, index: u32, level: u64) {
        self.levels
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(index, level);
        self.asked.notify_one();
    }

    /// Waits for levels the agent has not been told of, and takes them. For one waiter; cancel-safe.
    pub async fn levels(&self) -> Vec<(u32, u64)> {
        loop {
            let levels = std::mem::take(&mut *self.levels.lock().unwrap_or_else(PoisonError::into_inner));
            if !levels.is_empty() {
                return levels.into_iter().collect();
            }
            self.asked.notified().await;
        }
    }
}

impl Registration {
    pub(super) const fn new(stream: Arc<Stream>) -> Self {
        Self { stream }
    }

    /// The stream.
    #[must_use]
    pub const fn stream(&self) -> &Arc<Stream> {
        &self.stream
    }

    /// The node it speaks for.
    #[must_use]
    pub fn node(&self) -> &ArcStr {
        self.stream.node()
    }

    /// Everything not stuck held at least until `as_of`; an earlier time changes nothing.
    pub fn confirm(&self, as_of: Timestamp) {
        self.stream
            .as_of_ms
            .fetch_max(as_of.as_millisecond(), Ordering::Relaxed);
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.stream.ended.store(true, Ordering::Relaxed);
        // How many are left is not told here: counting them takes a look at all, and all may end at once.
        tracing::info!(node = &**self.node(), "agent's stream ended");
    }
}
