//! An uplink and the deciders it finds, all in one process without a network.

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::{Stream, future::BoxFuture};
use proto::usage::v1::{
    AgentMessage, Changes, DeciderMessage, Hello, Snapshot,
    agent_message::Body,
    usage_server::{Usage, UsageServer},
};
use runtime::{clock::ManualClock, readiness::Readiness};
use tokio::{
    io::DuplexStream,
    sync::{mpsc, watch},
    task::JoinSet,
    time::timeout,
};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming, transport::Server};

use crate::{
    board::Board,
    metrics::Metrics,
    sweeper::Observation,
    testing::seconds,
    uplink::{
        Connected, Identity, Pace, Uplink,
        dial::{Connect, Connection, Resolve},
    },
};

pub(super) const PACE: Pace = Pace {
    heartbeat: Duration::from_secs(2),
    snapshot_every: Duration::from_secs(600),
    resolve_every: Duration::from_secs(5),
};

/// A stream that a replica has taken; the test reads from it when it likes.
pub(super) struct Taken {
    pub(super) from_agent: Streaming<AgentMessage>,
    pub(super) to_agent: mpsc::Sender<Result<DeciderMessage, Status>>,
}

/// A decider that hands its streams to the test, and answers them once it is accepting.
pub(super) struct Replica {
    streams: mpsc::Sender<Taken>,
    accepting: watch::Receiver<bool>,
}

#[tonic::async_trait]
impl Usage for Replica {
    type ReportStream = Pin<Box<dyn Stream<Item = Result<DeciderMessage, Status>> + Send>>;

    async fn report(
        &self,
        request: Request<Streaming<AgentMessage>>,
    ) -> Result<Response<Self::ReportStream>, Status> {
        let (to_agent, answers) = mpsc::channel(8);
        let taken = Taken {
            from_agent: request.into_inner(),
            to_agent,
        };
        let over = || Status::unavailable("the test is over");
        self.streams.send(taken).await.map_err(|_| over())?;
        let mut accepting = self.accepting.clone();
        accepting.wait_for(|yes| *yes).await.map_err(|_| over())?;
        Ok(Response::new(Box::pin(ReceiverStream::new(answers))))
    }
}

/// Who listens where.
#[derive(Debug, Default)]
pub(super) struct Network {
    pub(super) listening: Mutex<BTreeMap<SocketAddr, mpsc::Sender<io::Result<DuplexStream>>>>,
    pub(super) resolved: Mutex<Vec<SocketAddr>>,
}

impl Resolve for Network {
    fn resolve(&self) -> BoxFuture<'_, io::Result<Vec<SocketAddr>>> {
        let found = self.resolved.lock().unwrap().clone();
        Box::pin(async {
            if found.is_empty() {
                Err(io::ErrorKind::NotFound.into())
            } else {
                Ok(found)
            }
        })
    }
}

impl Connect for Network {
    fn connect(&self, address: SocketAddr) -> BoxFuture<'static, io::Result<Box<dyn Connection>>> {
        let listener = self.listening.lock().unwrap().get(&address).cloned();
        Box::pin(async move {
            let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
            let (ours, theirs) = tokio::io::duplex(64 << 10);
            listener
                .ok_or_else(refused)?
                .send(Ok(theirs))
                .await
                .map_err(|_| refused())?;
            Ok(Box::new(ours) as Box<dyn Connection>)
        })
    }
}

/// An agent's uplink and the deciders it finds.
pub(super) struct Bench {
    pub(super) tasks: JoinSet<()>,
    pub(super) network: Arc<Network>,
    pub(super) board: Arc<Board>,
    pub(super) readiness: Readiness,
    pub(super) metrics: Metrics,
    pub(super) token: CancellationToken,
}

pub(super) fn address(n: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, n], 7400))
}

impl Bench {
    pub(super) fn start() -> Self {
        let token = CancellationToken::new();
        let readiness = Readiness::new(CancellationToken::new());
        let mut bench = Self {
            tasks: JoinSet::new(),
            network: Arc::default(),
            board: Arc::default(),
            metrics: Metrics::register(&mut prometheus_client::registry::Registry::default()),
            readiness,
            token,
        };
        let uplink = Uplink {
            identity: Identity {
                node: "node-1".into(),
                version: "0.0.0".into(),
                boot_id: "boot".into(),
            },
            authority: "deciders:7400".into(),
            board: Arc::clone(&bench.board),
            resolver: Arc::clone(&bench.network) as Arc<dyn Resolve>,
            connector: Arc::clone(&bench.network) as Arc<dyn Connect>,
            clock: Arc::new(ManualClock::new(seconds(1000))),
            connected: Connected::new(bench.readiness.gate("decider")),
            pace: PACE,
            metrics: bench.metrics.clone(),
        };
        let run = uplink.run(bench.token.clone());
        bench.tasks.spawn(async { run.await.unwrap() });
        bench
    }

    /// A replica that listens at `address(n)`, and is found there.
    pub(super) fn listen(&mut self, n: u8) -> mpsc::Receiver<Taken> {
        self.listen_hesitating(n, watch::channel(true).1)
    }

    /// The same of one that has streams wait until it is accepting.
    pub(super) fn listen_hesitating(
        &mut self,
        n: u8,
        accepting: watch::Receiver<bool>,
    ) -> mpsc::Receiver<Taken> {
        let incoming = self.listen_without_serving(n);
        self.serve(incoming, accepting)
    }

    /// A replica behind these connections.
    pub(super) fn serve(
        &mut self,
        incoming: mpsc::Receiver<io::Result<DuplexStream>>,
        accepting: watch::Receiver<bool>,
    ) -> mpsc::Receiver<Taken> {
        let (streams, taken) = mpsc::channel(8);
        let server = Server::builder()
            .initial_stream_window_size(proto::STREAM_WINDOW)
            .add_service(UsageServer::new(Replica { streams, accepting }));
        self.tasks.spawn(async {
            server
                .serve_with_incoming(ReceiverStream::new(incoming))
                .await
                .unwrap()
        });
        taken
    }

    /// The connections to `address(n)`, which is found, for the test to do with as it likes.
    pub(super) fn listen_without_serving(&mut self, n: u8) -> mpsc::Receiver<io::Result<DuplexStream>> {
        let (connections, incoming) = mpsc::channel(8);
        self.network
            .listening
            .lock()
            .unwrap()
            .insert(address(n), connections);
        self.network.resolved.lock().unwrap().push(address(n));
        incoming
    }

    pub(super) fn tick(&self, second: i64, volumes: Vec<Observation>) {
        self.board.put(volumes, seconds(second));
    }
}

/// Longer than any pause of the uplink; passes at once when nothing else is to be done.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

pub(super) async fn take(replica: &mut mpsc::Receiver<Taken>) -> Taken {
    timeout(PATIENCE, replica.recv())
        .await
        .expect("no stream")
        .expect("the server ended")
}

impl Taken {
    pub(super) async fn next(&mut self) -> Body {
        let message = timeout(PATIENCE, self.from_agent.message())
            .await
            .expect("silence");
        message
            .expect("an error")
            .expect("the end of the stream")
            .body
            .expect("an empty message")
    }

    pub(super) async fn hello(&mut self) -> Hello {
        match self.next().await {
            Body::Hello(hello) => hello,
            other => panic!("no hello but {other:?}"),
        }
    }

    pub(super) async fn snapshot(&mut self) -> Snapshot {
        match self.next().await {
            Body::Snapshot(snapshot) => snapshot,
            other => panic!("no snapshot but {other:?}"),
        }
    }

    /// The next changes; heartbeats are passed over.
    pub(super) async fn changes(&mut self) -> Changes {
        loop {
            match self.next().await {
                Body::Changes(changes) => return changes,
                Body::Heartbeat(_) => {}
                other => panic!("no changes but {other:?}"),
            }
        }
    }
}
