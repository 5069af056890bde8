//! A decider's ingest over a real gRPC connection, and an agent's end of it.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use decider::{
    ingest::{AsSaid, Ingest},
    metrics::Metrics,
    store::Store,
};
use decider_core::Usage;
use prometheus_client::registry::Registry;
use proto::usage::v1::{
    AgentMessage, DeciderMessage, Hello, Reading, Snapshot, Volume, agent_message::Body, decider_message,
    usage_client::UsageClient,
};
use runtime::clock::{Clock, ManualClock};
use tokio::{net::TcpListener, sync::mpsc, task::JoinSet, time::timeout};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming};

/// Age from which a sample is stale.
pub(crate) const STALE: Duration = Duration::from_secs(10);
/// A condition that does not come about in this time is a failure.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// A decider's ingest on a free port, and the clock it goes by.
pub(crate) struct Bed {
    pub(crate) store: Arc<Store>,
    pub(crate) metrics: Metrics,
    pub(crate) clock: ManualClock,
    pub(crate) address: SocketAddr,
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: JoinSet<()>,
}

/// An agent's end of a stream.
pub(crate) struct Agent {
    pub(crate) send: mpsc::Sender<AgentMessage>,
    pub(crate) answers: Streaming<DeciderMessage>,
}

impl Bed {
    pub(crate) async fn new() -> Self {
        let store = Arc::new(Store::default());
        let metrics = Metrics::register(&mut Registry::default());
        let clock = ManualClock::new("2026-11-21T12:00:00Z".parse().unwrap());
        let stop = CancellationToken::new();
        let ingest = Ingest::new(
            Arc::clone(&store),
            AsSaid,
            Arc::new(clock.clone()),
            metrics.clone(),
            stop.clone(),
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { ingest.serve(listener).await.unwrap() });
        Self {
            store,
            metrics,
            clock,
            address,
            stop,
            tasks,
        }
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.clock.now().as_millisecond()
    }

    pub(crate) async fn connect(&self) -> Agent {
        let mut client = UsageClient::connect(format!("http://{}", self.address))
            .await
            .unwrap();
        let (send, receive) = mpsc::channel(16);
        let answers = client
            .report(ReceiverStream::new(receive))
            .await
            .unwrap()
            .into_inner();
        Agent { send, answers }
    }

    /// An agent that has said Hello for `node-1`.
    pub(crate) async fn agent(&self) -> Agent {
        let agent = self.connect().await;
        agent.say(self.hello("node-1")).await;
        agent
    }

    pub(crate) fn hello(&self, node: &str) -> Body {
        Body::Hello(Hello {
            node: node.into(),
            version: "0.1.0".into(),
            boot_id: "b".into(),
            clock_ms: self.now_ms(),
            acknowledge: true,
        })
    }

    pub(crate) fn snapshot(&self, volumes: Vec<Volume>) -> Body {
        Body::Snapshot(Snapshot {
            volumes,
            as_of_ms: self.now_ms(),
            first: true,
            last: true,
        })
    }

    pub(crate) fn used(&self, pv: &str) -> Option<u64> {
        match self.store.usage(pv, self.clock.now(), STALE, |_| true) {
            Usage::Seen(seen) => Some(seen.sample.usage.used.get()),
            Usage::Never | Usage::Refused { .. } => None,
        }
    }
}

impl Agent {
    pub(crate) async fn say(&self, body: Body) {
        self.send.send(AgentMessage { body: Some(body) }).await.unwrap();
    }

    /// The next acknowledgement.
    pub(crate) async fn ack(&mut self) -> i64 {
        match self.answer().await.expect("an answer").expect("still open").body {
            Some(decider_message::Body::Ack(ack)) => ack.as_of_ms,
            other => panic!("no acknowledgement: {other:?}"),
        }
    }

    pub(crate) async fn answer(&mut self) -> Result<Option<DeciderMessage>, Status> {
        timeout(PATIENCE, self.answers.message())
            .await
            .expect("an answer in time")
    }

    /// The code with which the stream ends.
    pub(crate) async fn end(&mut self) -> Status {
        loop {
            match self.answer().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("ended without a code"),
                Err(status) => return status,
            }
        }
    }
}

pub(crate) fn reading(index: u32, used: u64) -> Reading {
    Reading {
        index,
        capacity: Some(1000),
        available: 1000 - used,
        used,
        inodes_total: Some(0),
        inodes_free: Some(0),
        ..Reading::default()
    }
}

pub(crate) fn volume(index: u32, pv: &str, used: u64) -> Volume {
    Volume {
        index,
        pv: pv.into(),
        pod_uid: format!("pod-of-{pv}"),
        device: format!("8:{index}"),
        fs_type: "xfs".into(),
        reading: Some(reading(index, used)),
    }
}
