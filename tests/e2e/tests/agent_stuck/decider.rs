//! A decider that only listens: it keeps when each volume was measured, and which are stuck.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use futures::{Stream, stream};
use jiff::Timestamp;
use proto::usage::v1::{
    AgentMessage, DeciderMessage, Reading,
    agent_message::Body,
    usage_server::{Usage, UsageServer},
};
use runtime::clock::{Clock, SystemClock};
use tokio::runtime::Runtime;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, Streaming, transport::Server};

/// The decider, and what it has heard.
pub(crate) struct Heard {
    shared: Arc<Shared>,
    address: SocketAddr,
    /// Serves until it is dropped.
    _runtime: Runtime,
}

#[derive(Default)]
struct Shared {
    seen: Mutex<Seen>,
    changed: Condvar,
}

/// What the agent has told.
#[derive(Default)]
pub(crate) struct Seen {
    names: BTreeMap<u32, String>,
    stuck: BTreeMap<u32, bool>,
    /// Starts of the measurements that were told of.
    measured: BTreeMap<u32, Vec<Timestamp>>,
}

impl Seen {
    pub(crate) fn volumes(&self) -> usize {
        self.names.len()
    }

    pub(crate) fn stuck(&self) -> usize {
        self.stuck.values().filter(|stuck| **stuck).count()
    }

    fn take(&mut self, body: Body) {
        match body {
            Body::Hello(_) => *self = Self::default(),
            Body::Snapshot(snapshot) => {
                for volume in snapshot.volumes {
                    self.add(volume, snapshot.as_of_ms);
                }
            }
            Body::Changes(changes) => {
                for index in changes.gone {
                    self.names.remove(&index);
                    self.stuck.remove(&index);
                }
                for volume in changes.added {
                    self.add(volume, changes.as_of_ms);
                }
                for reading in &changes.readings {
                    self.read(reading, changes.as_of_ms);
                }
            }
            Body::Heartbeat(_) | Body::History(_) => {}
        }
    }

    fn add(&mut self, volume: proto::usage::v1::Volume, as_of: i64) {
        self.names.insert(volume.index, volume.pv);
        if let Some(reading) = volume.reading {
            self.read(
                &Reading {
                    index: volume.index,
                    ..reading
                },
                as_of,
            );
        }
    }

    fn read(&mut self, reading: &Reading, as_of: i64) {
        self.stuck.insert(reading.index, reading.stuck);
        if let Ok(at) = Timestamp::from_millisecond(as_of - reading.age_ms) {
            self.measured.entry(reading.index).or_default().push(at);
        }
    }
}

impl Heard {
    /// Listens on a port of its own.
    pub(crate) fn listen() -> anyhow::Result<Self> {
        let runtime = Runtime::new()?;
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        let shared = Arc::<Shared>::default();
        let service = UsageServer::new(Listening(Arc::clone(&shared)));
        runtime.spawn(
            Server::builder()
                .add_service(service)
                .serve_with_incoming(TcpListenerStream::new(listener)),
        );
        Ok(Self {
            shared,
            address,
            _runtime: runtime,
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn with<R>(&self, look: impl FnOnce(&Seen) -> R) -> R {
        look(&self.shared.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until `met`.
    pub(crate) fn wait(&self, patience: Duration, met: impl Fn(&Seen) -> bool) -> anyhow::Result<()> {
        let seen = self.shared.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let (seen, waited) = self
            .shared
            .changed
            .wait_timeout_while(seen, patience, |seen| !met(seen))
            .unwrap_or_else(PoisonError::into_inner);
        ensure!(
            !waited.timed_out(),
            "after {patience:?}: {} volumes, {} of them stuck",
            seen.volumes(),
            seen.stuck()
        );
        Ok(())
    }

    /// The longest time between two measurements of a volume whose name begins with `prefix`, between two moments.
    pub(crate) fn largest_gap(&self, prefix: &str, from: Instant, to: Instant) -> anyhow::Result<Duration> {
        let wall = |at: Instant| SystemClock.now().checked_sub(at.elapsed());
        let (from, to) = (wall(from)?, wall(to)?);
        self.with(|seen| {
            let of_volume = |index: &u32| -> Option<Duration> {
                let inside = seen
                    .measured
                    .get(index)?
                    .iter()
                    .copied()
                    .filter(|at| (from..=to).contains(at));
                let mut moments: Vec<Timestamp> = [from, to].into_iter().chain(inside).collect();
                moments.sort_unstable();
                let gaps = moments.windows(2).map(|pair| pair[1].duration_since(pair[0]));
                gaps.max().and_then(|gap| Duration::try_from(gap).ok())
            };
            let volumes = seen.names.iter().filter(|(_, name)| name.starts_with(prefix));
            volumes
                .filter_map(|(index, _)| of_volume(index))
                .max()
                .context("no such volume")
        })
    }
}

struct Listening(Arc<Shared>);

#[tonic::async_trait]
impl Usage for Listening {
    type ReportStream = Pin<Box<dyn Stream<Item = Result<DeciderMessage, Status>> + Send>>;

    /// Reads the agent's messages within its own answer, which is empty.
    async fn report(
        &self,
        request: Request<Streaming<AgentMessage>>,
    ) -> Result<Response<Self::ReportStream>, Status> {
        let state = (request.into_inner(), Arc::clone(&self.0));
        let answers = stream::unfold(state, |(mut messages, shared)| async move {
            while let Ok(Some(message)) = messages.message().await {
                if let Some(body) = message.body {
                    shared
                        .seen
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .take(body);
                    shared.changed.notify_all();
                }
            }
            None
        });
        Ok(Response::new(Box::pin(answers)))
    }
}
