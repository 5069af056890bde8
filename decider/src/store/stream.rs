//! One agent's stream as the store knows it: until when it vouches, and what the agent is still to be told.

use std::{
    collections::BTreeMap,
    future::poll_fn,
    mem::take,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicU8, Ordering},
    },
    task::Poll,
};

use arcstr::ArcStr;
use futures::task::AtomicWaker;
use jiff::Timestamp;

/// Before any message.
const NEVER: i64 = i64::MIN;
/// At this many looks without a message between them a stream is dead: agents send at least every two seconds.
const LOOKS: u8 = 4;

/// A stream. Later ones have larger numbers.
///
/// All that a message touches is in one place: with thousands of agents none of it is in the processor's cache any more.
#[derive(Debug)]
pub struct Stream {
    node: ArcStr,
    id: u64,
    as_of_ms: AtomicI64,
    ended: AtomicBool,
    /// Looks since the latest message.
    silent: AtomicU8,
    news: Mutex<Waiting>,
    listener: AtomicWaker,
}

/// What the one who drives a stream is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// The agent is to tell at once when `used` of the volumes of these indices reaches these levels.
    Levels(Vec<(u32, u64)>),
    /// The stream is to end.
    End(End),
}

/// Why a stream is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// A newer stream of the node has come.
    Replaced,
    /// Nothing was heard for long.
    Silent,
    /// The process ends.
    Stopping,
}

/// News not told yet.
#[derive(Debug, Default)]
struct Waiting {
    end: Option<End>,
    levels: BTreeMap<u32, u64>,
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
            silent: AtomicU8::new(0),
            news: Mutex::default(),
            listener: AtomicWaker::new(),
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

    /// Has the stream end; the first reason counts.
    pub(super) fn end(&self, why: End) {
        self.waiting().end.get_or_insert(why);
        self.listener.wake();
    }

    /// Has the agent told of a level; a later one for the same volume replaces it.
    pub(super) fn ask(&self, index: u32, level: u64) {
        self.waiting().levels.insert(index, level);
        self.listener.wake();
    }

    /// A message has come.
    pub(crate) fn heard(&self) {
        self.silent.store(0, Ordering::Relaxed);
    }

    /// Ends the stream if nothing came for several looks.
    pub(super) fn look(&self) {
        if self.silent.fetch_add(1, Ordering::Relaxed) >= LOOKS - 1 {
            self.end(End::Silent);
        }
    }

    /// Waits for what there is to tell, an end before anything else. For one waiter; cancel-safe.
    pub async fn news(&self) -> News {
        poll_fn(|context| {
            // First, so that what comes after the look wakes.
            self.listener.register(context.waker());
            let mut waiting = self.waiting();
            match waiting.end {
                Some(end) => Poll::Ready(News::End(end)),
                None if waiting.levels.is_empty() => Poll::Pending,
                None => Poll::Ready(News::Levels(take(&mut waiting.levels).into_iter().collect())),
            }
        })
        .await
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
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
