//! Keeps a stream to every decider replica: resolves, dials, streams, backs off.
//!
//! What a stream carries is the [`crate::sampler`]'s. [`session`] is one stream, [`dial`] the connections,
//! [`wire`] the messages.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context;
use runtime::{clock::Clock, readiness::Gate, report::Chain};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    board::{Board, Latest},
    metrics::Metrics,
};

pub mod dial;
mod pause;
mod session;
pub(crate) mod wire;

use dial::{Connect, Resolve};
use pause::pause;
pub use wire::Identity;

/// A stream that lasted so long was a good one: the next pause is the first again.
const GOOD_STREAM: Duration = Duration::from_secs(10);
/// A name server that does not answer is asked again.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(5);

/// The times that govern the streams.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Longest silence on a stream.
    pub heartbeat: Duration,
    /// Everything is sent again after this.
    pub snapshot_every: Duration,
    /// Pause between two resolutions of the deciders' name.
    pub resolve_every: Duration,
}

/// All that a stream needs.
pub struct Uplink {
    /// Said at the beginning of each stream.
    pub identity: Identity,
    /// `host:port` by which the replicas know themselves.
    pub authority: String,
    /// What is reported.
    pub board: Arc<Board>,
    /// Finds the replicas.
    pub resolver: Arc<dyn Resolve>,
    /// Reaches them.
    pub connector: Arc<dyn Connect>,
    /// The node's time.
    pub clock: Arc<dyn Clock>,
    /// Open while a stream is.
    pub connected: Connected,
    /// Its times.
    pub pace: Pace,
    /// What it tells of itself.
    pub metrics: Metrics,
}

/// Counts the streams for readiness.
#[derive(Debug)]
pub struct Connected {
    gate: Gate,
    streams: Mutex<usize>,
}

impl Uplink {
    /// Streams to every replica until `token` is cancelled.
    ///
    /// # Errors
    /// If a task of it panics; a replica that is away is tried again for ever.
    pub async fn run(self, token: CancellationToken) -> anyhow::Result<()> {
        let uplink = Arc::new(self);
        let wanted = watch::Sender::new(BTreeSet::new());
        tokio::select! {
            () = uplink.resolve(&wanted) => Ok(()),
            ended = Arc::clone(&uplink).keep_streams(wanted.subscribe(), &token) => ended,
        }
    }

    /// Keeps `wanted` up to date, for ever. An address that is no longer resolved is not dialled again, but an
    /// open stream to it goes on: a name server that forgets for a moment ends nothing.
    async fn resolve(&self, wanted: &watch::Sender<BTreeSet<SocketAddr>>) {
        let mut next = Instant::now();
        let mut told = String::new();
        loop {
            sleep_until(next).await;
            next = Instant::now() + self.pace.resolve_every;
            let answer = timeout(RESOLVE_TIMEOUT, self.resolver.resolve()).await;
            match answer.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
                Ok(found) => {
                    told.clear();
                    let found = BTreeSet::from_iter(found);
                    if found.is_empty() {
                        self.connected.missing("the deciders' name has no address");
                    }
                    wanted.send_if_modified(|now| std::mem::replace(now, found.clone()) != found);
                }
                Err(error) => {
                    let cause = format!("cannot resolve {}: {error}", self.authority);
                    if cause != told {
                        tracing::warn!(cause, "no new deciders will be found");
                    }
                    self.connected.missing(&cause);
                    told = cause;
                }
            }
        }
    }

    /// One task for each address, until it is no longer wanted and its stream has ended.
    async fn keep_streams(
        self: Arc<Self>,
        mut wanted: watch::Receiver<BTreeSet<SocketAddr>>,
        token: &CancellationToken,
    ) -> anyhow::Result<()> {
        let mut peers = JoinSet::new();
        let mut running = BTreeMap::new();
        while !token.is_cancelled() {
            let addresses = wanted.borrow_and_update().clone();
            for address in addresses {
                running.entry(address).or_insert_with(|| {
                    let peer = Arc::clone(&self).keep_stream(address, wanted.clone(), token.clone());
                    peers.spawn(peer).id()
                });
            }
            tokio::select! {
                () = token.cancelled() => {}
                // The sender lives as long as the caller of this.
                _ = wanted.changed() => {}
                Some(ended) = peers.join_next_with_id() => {
                    let (id, ()) = ended.context("the task of a stream failed")?;
                    running.retain(|_, running| *running != id);
                }
            }
        }
        while peers.join_next().await.is_some() {}
        Ok(())
    }

    /// Streams to one address again and again.
    async fn keep_stream(
        self: Arc<Self>,
        address: SocketAddr,
        mut wanted: watch::Receiver<BTreeSet<SocketAddr>>,
        token: CancellationToken,
    ) {
        let (mut failures, mut told) = (0, String::new());
        while !token.is_cancelled() && wanted.borrow_and_update().contains(&address) {
            let (lasted, ended) = self.stream(address, &token).await;
            if token.is_cancelled() {
                return;
            }
            if lasted >= GOOD_STREAM {
                (failures, told) = (0, String::new());
            }
            failures += 1;
            let hot = self.board.read(Latest::hot) > 0;
            let pause = pause(failures, hot, lasted >= GOOD_STREAM, rand::random());
            self.metrics.disconnects.inc();
            let cause = match ended {
                Ok(()) => "ended by the decider".to_owned(),
                Err(error) => Chain(&error).to_string(),
            };
            if cause == told {
                tracing::debug!(%address, cause, ?pause, "stream to a decider ended again");
            } else {
                tracing::warn!(%address, cause, ?pause, "stream to a decider ended");
            }
            self.connected.missing(&cause);
            told = cause;
            tokio::select! {
                () = token.cancelled() => {}
                () = sleep(pause) => {}
                () = self.board.until_hot(), if !hot => {}
            }
        }
    }

    /// One stream from dial to end, and how long it was open.
    async fn stream(
        &self,
        address: SocketAddr,
        token: &CancellationToken,
    ) -> (Duration, Result<(), session::Error>) {
        let mut open: Option<Open<'_>> = None;
        let connect = || session::channel(&self.authority, address, Arc::clone(&self.connector));
        let stream = async {
            let taken = session::open(self, async || connect().await, token).await?;
            tracing::info!(%address, "stream to a decider is open");
            self.metrics.connects.inc();
            open = Some(Open::new(self));
            taken.listen(&self.board, token).await
        };
        let ended = tokio::select! {
            ended = stream => ended,
            // Not at once: an open stream takes its leave.
            () = async { token.cancelled().await; sleep(session::FAREWELL * 2).await } => Ok(()),
        };
        (open.map_or(Duration::ZERO, |open| open.since.elapsed()), ended)
    }
}

/// An open stream, counted while it lives.
struct Open<'a> {
    uplink: &'a Uplink,
    since: Instant,
}

impl<'a> Open<'a> {
    fn new(uplink: &'a Uplink) -> Self {
        uplink.metrics.streams.inc();
        uplink.connected.add();
        Self {
            uplink,
            since: Instant::now(),
        }
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.uplink.metrics.streams.dec();
        self.uplink.connected.remove();
    }
}

impl fmt::Debug for Uplink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Uplink")
            .field("authority", &self.authority)
            .finish_non_exhaustive()
    }
}

impl Connected {
    /// Opens `gate` while at least one stream is open.
    #[must_use]
    pub fn new(gate: Gate) -> Self {
        gate.close("no decider found yet");
        Self {
            gate,
            streams: Mutex::new(0),
        }
    }

    fn add(&self) {
        *self.streams.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.gate.open();
    }

    fn remove(&self) {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        *streams -= 1;
        if *streams == 0 {
            self.gate.close("the stream ended");
        }
    }

    /// Says why there is no stream, if there is none.
    fn missing(&self, why: &str) {
        let streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        if *streams == 0 {
            self.gate.close(why);
        }
    }
}

#[cfg(test)]
mod tests;
