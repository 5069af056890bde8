//! An agent as the decider sees one: a stream that reports every volume's reading several times a second.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use proto::usage::v1::{
    AgentMessage, Changes, Hello, Reading, Snapshot, Volume, agent_message::Body, usage_client::UsageClient,
};
use runtime::clock::{Clock, SystemClock};
use tokio::{sync::mpsc, task::JoinSet};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;

/// Between two reports.
const PERIOD: Duration = Duration::from_millis(100);

/// Readings by PersistentVolume, reported until the agent is dropped.
pub(crate) struct Agent {
    readings: Arc<Mutex<BTreeMap<String, Reading>>>,
    tasks: JoinSet<()>,
}

impl Agent {
    /// An agent of `node-1` that reports nothing yet.
    pub(crate) fn new() -> Self {
        Self {
            readings: Arc::default(),
            tasks: JoinSet::new(),
        }
    }

    /// Reports to this decider from now on.
    pub(crate) fn report_to(&mut self, decider: SocketAddr) {
        let readings = Arc::clone(&self.readings);
        self.tasks.spawn(async move { report(decider, &readings).await });
    }

    /// Ends all streams: the node is gone.
    pub(crate) async fn die(&mut self) {
        self.tasks.shutdown().await;
    }

    /// The filesystem of a volume, in bytes.
    pub(crate) fn measures(&self, pv: &str, capacity: u64, used: u64) {
        let available = capacity.saturating_sub(used);
        self.says(
            pv,
            Reading {
                capacity,
                available,
                used,
                ..Reading::default()
            },
        );
    }

    /// Any reading, believable or not.
    pub(crate) fn says(&self, pv: &str, reading: Reading) {
        self.readings.lock().unwrap().insert(pv.to_owned(), reading);
    }
}

async fn report(decider: SocketAddr, readings: &Mutex<BTreeMap<String, Reading>>) {
    let mut client = UsageClient::connect(format!("http://{decider}")).await.unwrap();
    let (send, receive) = mpsc::channel(4);
    let now = || SystemClock.now().as_millisecond();
    let hello = Hello {
        node: "node-1".into(),
        clock_ms: now(),
        ..Hello::default()
    };
    send.send(AgentMessage {
        body: Some(Body::Hello(hello)),
    })
    .await
    .unwrap();
    let snapshot = Snapshot {
        as_of_ms: now(),
        first: true,
        last: true,
        ..Snapshot::default()
    };
    send.send(AgentMessage {
        body: Some(Body::Snapshot(snapshot)),
    })
    .await
    .unwrap();
    let mut answers = client
        .report(ReceiverStream::new(receive))
        .await
        .unwrap()
        .into_inner();
    let mut indices: BTreeMap<String, u32> = BTreeMap::new();
    let mut ticks = tokio::time::interval(PERIOD);
    loop {
        tokio::select! {
            answer = answers.message() => match answer {
                Ok(answer) => assert!(answer.is_some(), "the decider ended the stream without a word"),
                // It shuts down; an agent would dial again, a test has ended.
                Err(status) => return assert_eq!(status.code(), Code::Unavailable, "{status}"),
            },
            _ = ticks.tick() => {
                let message = changes(&readings.lock().unwrap(), &mut indices, now());
                send.send(AgentMessage { body: Some(Body::Changes(message)) }).await.unwrap();
            }
        }
    }
}

/// Everything there is, the unknown introduced first.
fn changes(
    readings: &BTreeMap<String, Reading>,
    indices: &mut BTreeMap<String, u32>,
    as_of_ms: i64,
) -> Changes {
    let mut changes = Changes {
        as_of_ms,
        ..Changes::default()
    };
    for (pv, reading) in readings {
        let next = u32::try_from(indices.len()).unwrap() + 1;
        match indices.get(pv) {
            Some(index) => changes.readings.push(Reading {
                index: *index,
                ..*reading
            }),
            None => {
                indices.insert(pv.clone(), next);
                changes.added.push(Volume {
                    index: next,
                    pv: pv.clone(),
                    pod_uid: format!("pod-of-{pv}"),
                    device: "8:0".into(),
                    fs_type: "xfs".into(),
                    reading: Some(Reading {
                        index: next,
                        ..*reading
                    }),
                });
            }
        }
    }
    changes
}
