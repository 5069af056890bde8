//! What all agents send and hear, counted together.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

use super::{Reconnect, Traffic};

/// The count.
#[derive(Debug)]
pub(super) struct Heard {
    agents: usize,
    state: Mutex<State>,
    messages: AtomicU64,
    moves: AtomicU64,
    failures: AtomicU64,
    largest: AtomicU64,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    since: Instant,
    answers: Vec<Duration>,
    again: Vec<Again>,
    replayed: Vec<Instant>,
}

/// An agent's snapshot was acknowledged after a cut.
#[derive(Debug, Clone, Copy)]
struct Again {
    hot: bool,
    age: Duration,
    at: Instant,
}

impl Heard {
    pub(super) fn new(agents: u32) -> Self {
        Self {
            agents: usize::try_from(agents).unwrap_or(usize::MAX),
            state: Mutex::new(State {
                since: Instant::now(),
                answers: Vec::new(),
                again: Vec::new(),
                replayed: Vec::new(),
            }),
            messages: AtomicU64::new(0),
            moves: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            largest: AtomicU64::new(0),
            changed: Notify::new(),
        }
    }

    /// A message of so many bytes was sent, with so many moves.
    pub(super) fn sent(&self, bytes: usize, moves: usize) {
        self.messages.fetch_add(1, Ordering::Relaxed);
        let moves = u64::try_from(moves).unwrap_or(0);
        self.moves.fetch_add(moves, Ordering::Relaxed);
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.largest.fetch_max(bytes, Ordering::Relaxed);
    }

    /// An acknowledgement came so long after its message.
    pub(super) fn answered(&self, after: Duration) {
        self.state().answers.push(after);
    }

    /// The first acknowledgement after a cut; what the decider had of this agent was so old just before.
    pub(super) fn again(&self, hot: bool, age: Duration) {
        let at = Instant::now();
        self.state().again.push(Again { hot, age, at });
        self.changed.notify_one();
    }

    /// An agent has sent all of its past.
    pub(super) fn replayed(&self) {
        self.state().replayed.push(Instant::now());
        self.changed.notify_one();
    }

    pub(super) fn failed(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    /// All connections are cut now.
    pub(super) fn cut(&self, now: Instant) {
        let mut state = self.state();
        (state.again, state.replayed, state.since) = (Vec::new(), Vec::new(), now);
        drop(state);
        self.failures.store(0, Ordering::Relaxed);
        self.largest.store(0, Ordering::Relaxed);
    }

    /// Waits until every agent was heard after the cut.
    pub(super) async fn all(&self) {
        loop {
            {
                let state = self.state();
                if state.again.len() >= self.agents && state.replayed.len() >= self.agents {
                    return;
                }
            }
            self.changed.notified().await;
        }
    }

    pub(super) fn reconnect(&self, since: Instant) -> Reconnect {
        let state = self.state();
        let oldest = |hot_alone: bool| {
            let agents = state.again.iter().filter(|again| again.hot || !hot_alone);
            agents
                .map(|again| again.age)
                .max()
                .unwrap_or_default()
                .as_secs_f64()
        };
        let after = |times: &mut dyn Iterator<Item = Instant>| {
            times.max().map_or(0.0, |at| (at - since).as_secs_f64())
        };
        Reconnect {
            hot_age: oldest(true),
            age: oldest(false),
            fresh: after(&mut state.again.iter().map(|again| again.at)),
            replayed: after(&mut state.replayed.iter().copied()),
            failures: self.failures.load(Ordering::Relaxed),
            largest: self.largest.load(Ordering::Relaxed),
        }
    }

    /// What follows is counted anew.
    pub(super) fn begin(&self) {
        self.state().answers.clear();
        self.messages.store(0, Ordering::Relaxed);
        self.moves.store(0, Ordering::Relaxed);
    }

    /// What was counted since [`Heard::begin`].
    pub(super) fn traffic(&self) -> Traffic {
        let mut answers = std::mem::take(&mut self.state().answers);
        answers.sort_unstable();
        let percentile = |percent: usize| {
            let rank = (answers.len() * percent).div_ceil(100).max(1);
            answers.get(rank - 1).map_or(f64::NAN, |d| d.as_secs_f64() * 1e3)
        };
        Traffic {
            messages: self.messages.load(Ordering::Relaxed),
            moves: self.moves.load(Ordering::Relaxed),
            p50: percentile(50),
            p99: percentile(99),
            max: percentile(100),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
