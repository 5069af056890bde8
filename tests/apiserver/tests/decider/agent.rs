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

/// Readings by PersistentVolume and uid of the pod, reported until the agent is dropped.
pub(crate) struct Agent {
    node: &'static str,
    pods: Pods,
    readings: Readings,
    tasks: JoinSet<()>,
}

/// Uids of pods, by the PersistentVolume that they mount.
pub(crate) type Pods = Arc<Mutex<BTreeMap<String, String>>>;
type Readings = Arc<Mutex<BTreeMap<(String, String), Reading>>>;

impl Agent {
    /// An agent that reports nothing yet.
    pub(crate) fn new(node: &'static str, pods: Pods) -> Self {
        Self {
            node,
            pods,
            readings: Arc::default(),
            tasks: JoinSet::new(),
        }
    }

    /// Reports to this decider from now on.
    pub(crate) fn report_to(&mut self, decider: SocketAddr) {
        let (node, readings) = (self.node, Arc::clone(&self.readings));
        self.tasks
            .spawn(async move { report(decider, node, &readings).await });
    }

    /// Ends all streams: the node is gone.
    pub(crate) async fn die(&mut self) {
        self.tasks.shutdown().await;
    }

    /// The filesystem of a volume, in bytes.
    pub(crate) fn measures(&self, pv: &str, capacity: u64, used: u64) {
        self.says(pv, reading(capacity, used));
    }

    /// Any reading, believable or not, for the pod that mounts the volume; one that mounted it before is gone.
    pub(crate) fn says(&self, pv: &str, reading: Reading) {
        let pod = self.pods.lock().unwrap().get(pv).cloned();
        let pod = pod.unwrap_or_else(|| "nobody".into());
        let mut readings = self.readings.lock().unwrap();
        readings.retain(|(known, _), _| known != pv);
        readings.insert((pv.to_owned(), pod), reading);
    }
}

/// The reading of a filesystem without a fixed number of inodes.
pub(crate) fn reading(capacity: u64, used: u64) -> Reading {
    Reading {
        capacity: Some(capacity),
        available: capacity.saturating_sub(used),
        used,
        inodes_total: Some(0),
        inodes_free: Some(0),
        ..Reading::default()
    }
}

async fn report(decider: SocketAddr, node: &str, readings: &Mutex<BTreeMap<(String, String), Reading>>) {
    let mut client = UsageClient::connect(format!("http://{decider}")).await.unwrap();
    let (send, receive) = mpsc::channel(4);
    let now = || SystemClock.now().as_millisecond();
    let hello = Hello {
        node: node.into(),
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
    let mut indices = Indices::default();
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

/// The index of each mount that is there, and the number of those that ever were.
#[derive(Default)]
struct Indices {
    present: BTreeMap<(String, String), u32>,
    used: u32,
}

/// Everything there is, the unknown introduced first, and what is gone.
fn changes(readings: &BTreeMap<(String, String), Reading>, indices: &mut Indices, as_of_ms: i64) -> Changes {
    let mut changes = Changes {
        as_of_ms,
        ..Changes::default()
    };
    indices.present.retain(|mount, index| {
        let stays = readings.contains_key(mount);
        if !stays {
            changes.gone.push(*index);
        }
        stays
    });
    for (mount, reading) in readings {
        if let Some(index) = indices.present.get(mount) {
            changes.readings.push(Reading {
                index: *index,
                ..*reading
            });
            continue;
        }
        indices.used += 1;
        indices.present.insert(mount.clone(), indices.used);
        changes.added.push(Volume {
            index: indices.used,
            pv: mount.0.clone(),
            pod_uid: mount.1.clone(),
            device: format!("8:{}", indices.used),
            fs_type: "xfs".into(),
            reading: Some(Reading {
                index: indices.used,
                ..*reading
            }),
        });
    }
    changes
}
