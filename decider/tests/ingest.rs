//! The usage service over a real gRPC connection: what a well-meant agent gets recorded, and what anybody else
//! gets for an answer.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use std::{net::SocketAddr, sync::Arc, time::Duration};

use decider::{
    ingest::{AsSaid, Ingest},
    metrics::Metrics,
    store::Store,
};
use decider_core::Usage;
use jiff::SignedDuration;
use prometheus_client::registry::Registry;
use proto::usage::v1::{
    AgentMessage, Changes, DeciderMessage, Heartbeat, Hello, History, Point, Reading, Snapshot, Volume,
    VolumeHistory, agent_message::Body, decider_message, usage_client::UsageClient,
};
use runtime::clock::{Clock, ManualClock};
use tokio::{
    io::AsyncReadExt, io::AsyncWriteExt, net::TcpListener, sync::mpsc, task::JoinSet, time::timeout,
};
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status, Streaming, transport::Server};
use units::Reason;

const STALE: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(10);

/// A decider's ingest on a free port, and the clock it goes by.
struct Bed {
    store: Arc<Store>,
    metrics: Metrics,
    clock: ManualClock,
    address: SocketAddr,
    stop: CancellationToken,
    _tasks: JoinSet<()>,
}

/// An agent's end of a stream.
struct Agent {
    send: mpsc::Sender<AgentMessage>,
    answers: Streaming<DeciderMessage>,
}

impl Bed {
    async fn new() -> Self {
        let store = Arc::new(Store::default());
        let metrics = Metrics::register(&mut Registry::default());
        let clock = ManualClock::new("2026-11-21T12:00:00Z".parse().unwrap());
        let stop = CancellationToken::new();
        let service = Ingest::new(
            Arc::clone(&store),
            AsSaid,
            Arc::new(clock.clone()),
            metrics.clone(),
            stop.clone(),
        )
        .into_service();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            Server::builder()
                .add_service(service)
                .serve_with_incoming(TcpListenerStream::new(listener))
                .await
                .unwrap();
        });
        Self {
            store,
            metrics,
            clock,
            address,
            stop,
            _tasks: tasks,
        }
    }

    fn now_ms(&self) -> i64 {
        self.clock.now().as_millisecond()
    }

    async fn connect(&self) -> Agent {
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
    async fn agent(&self) -> Agent {
        let agent = self.connect().await;
        agent.say(self.hello("node-1")).await;
        agent
    }

    fn hello(&self, node: &str) -> Body {
        Body::Hello(Hello {
            node: node.into(),
            version: "0.1.0".into(),
            boot_id: "b".into(),
            clock_ms: self.now_ms(),
        })
    }

    fn snapshot(&self, volumes: Vec<Volume>) -> Body {
        Body::Snapshot(Snapshot {
            volumes,
            as_of_ms: self.now_ms(),
            first: true,
            last: true,
        })
    }

    fn used(&self, pv: &str) -> Option<u64> {
        match self.store.usage(pv, self.clock.now(), STALE) {
            Usage::Seen(seen) => Some(seen.sample.usage.used.get()),
            Usage::Never | Usage::Refused { .. } => None,
        }
    }
}

impl Agent {
    async fn say(&self, body: Body) {
        self.send.send(AgentMessage { body: Some(body) }).await.unwrap();
    }

    /// The next acknowledgement.
    async fn ack(&mut self) -> i64 {
        match self.answer().await.expect("an answer").expect("still open").body {
            Some(decider_message::Body::Ack(ack)) => ack.as_of_ms,
            other => panic!("no acknowledgement: {other:?}"),
        }
    }

    async fn answer(&mut self) -> Result<Option<DeciderMessage>, Status> {
        timeout(PATIENCE, self.answers.message())
            .await
            .expect("an answer in time")
    }

    /// The code with which the stream ends.
    async fn end(&mut self) -> Status {
        loop {
            match self.answer().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("ended without a code"),
                Err(status) => return status,
            }
        }
    }
}

fn reading(index: u32, used: u64) -> Reading {
    Reading {
        index,
        capacity: 1000,
        available: 1000 - used,
        used,
        ..Reading::default()
    }
}

fn volume(index: u32, pv: &str, used: u64) -> Volume {
    Volume {
        index,
        pv: pv.into(),
        pod_uid: format!("pod-of-{pv}"),
        device: "8:0".into(),
        fs_type: "xfs".into(),
        reading: Some(reading(index, used)),
    }
}

#[tokio::test]
async fn a_snapshot_then_changes_then_heartbeats() {
    let bed = Bed::new().await;
    let mut agent = bed.agent().await;
    agent
        .say(bed.snapshot(vec![volume(1, "pv-a", 100), volume(2, "pv-b", 200)]))
        .await;
    assert_eq!(agent.ack().await, bed.now_ms());
    assert_eq!((bed.used("pv-a"), bed.used("pv-b")), (Some(100), Some(200)));

    bed.clock.advance(Duration::from_secs(1));
    let changes = Changes {
        as_of_ms: bed.now_ms(),
        readings: vec![reading(1, 150)],
        added: vec![volume(3, "pv-c", 300)],
        gone: vec![2],
    };
    agent.say(Body::Changes(changes)).await;
    agent.ack().await;
    assert_eq!(
        (bed.used("pv-a"), bed.used("pv-b"), bed.used("pv-c")),
        (Some(150), None, Some(300))
    );

    bed.clock.advance(Duration::from_secs(60));
    agent
        .say(Body::Heartbeat(Heartbeat {
            as_of_ms: bed.now_ms(),
        }))
        .await;
    agent.ack().await;
    let Usage::Seen(seen) = bed.store.usage("pv-a", bed.clock.now(), STALE) else {
        panic!("not seen")
    };
    assert_eq!(seen.as_of, bed.clock.now(), "nothing moved, and that is news");
}

#[tokio::test]
async fn a_snapshot_in_parts_and_a_volume_in_none_of_them() {
    let bed = Bed::new().await;
    let mut agent = bed.agent().await;
    agent
        .say(bed.snapshot(vec![
            volume(1, "pv-a", 1),
            volume(2, "pv-b", 2),
            volume(3, "pv-c", 3),
        ]))
        .await;
    agent.ack().await;
    let part = |volumes, first, last| {
        Body::Snapshot(Snapshot {
            volumes,
            as_of_ms: bed.now_ms(),
            first,
            last,
        })
    };
    agent.say(part(vec![volume(1, "pv-a", 10)], true, false)).await;
    agent.ack().await;
    assert_eq!(bed.used("pv-c"), Some(3), "not gone before the last part");
    agent.say(part(vec![volume(2, "pv-b", 20)], false, true)).await;
    agent.ack().await;
    assert_eq!(
        (bed.used("pv-a"), bed.used("pv-b"), bed.used("pv-c")),
        (Some(10), Some(20), None)
    );
}

#[tokio::test]
async fn the_past_is_taken_in() {
    let bed = Bed::new().await;
    let mut agent = bed.agent().await;
    agent.say(bed.snapshot(vec![volume(1, "pv", 100)])).await;
    agent.ack().await;
    let points = (1..=5)
        .rev()
        .map(|i| Point {
            at_ms: bed.now_ms() - i * 10_000,
            capacity: 1000,
            available: 950,
            used: 50,
        })
        .collect();
    agent
        .say(Body::History(History {
            volumes: vec![VolumeHistory { index: 1, points }],
        }))
        .await;
    agent
        .say(Body::Heartbeat(Heartbeat {
            as_of_ms: bed.now_ms(),
        }))
        .await;
    agent.ack().await;
    assert_eq!(bed.store.window("pv").expect("a window").points().count(), 6);
}

#[tokio::test]
async fn levels_are_told() {
    let bed = Bed::new().await;
    let mut agent = bed.agent().await;
    agent.say(bed.snapshot(vec![volume(7, "pv", 100)])).await;
    agent.ack().await;
    bed.store.set_level("pv", 801);
    match agent.answer().await.unwrap().unwrap().body {
        Some(decider_message::Body::Levels(levels)) => {
            assert_eq!(
                (levels.volumes[0].index, levels.volumes[0].used.as_slice()),
                (7, [801].as_slice())
            );
        }
        other => panic!("{other:?}"),
    }
}

/// Absurd numbers are refused one by one, counted, and the stream goes on.
#[tokio::test]
async fn absurd_samples_are_refused_and_counted() {
    let bed = Bed::new().await;
    let mut agent = bed.agent().await;
    let absurd = [
        Reading {
            capacity: 0,
            available: 0,
            used: 0,
            ..reading(1, 0)
        },
        Reading {
            used: 1001,
            ..reading(1, 0)
        },
        Reading {
            available: 1001,
            ..reading(1, 0)
        },
        Reading {
            inodes_total: 10,
            inodes_free: 11,
            ..reading(1, 0)
        },
        Reading {
            capacity: u64::MAX,
            ..reading(1, 0)
        },
    ];
    let count = absurd.len() as u64;
    agent.say(bed.snapshot(vec![volume(1, "pv", 100)])).await;
    agent.ack().await;
    let changes = Changes {
        as_of_ms: bed.now_ms(),
        readings: absurd.to_vec(),
        ..Changes::default()
    };
    agent.say(Body::Changes(changes)).await;
    agent.ack().await;
    assert_eq!(bed.metrics.refusals(Reason::AbsurdSample), count);
    assert_eq!(bed.used("pv"), Some(100), "what was believed stays");
    let future = Reading {
        age_ms: -60_000,
        ..reading(1, 200)
    };
    agent
        .say(Body::Changes(Changes {
            as_of_ms: bed.now_ms(),
            readings: vec![future],
            ..Changes::default()
        }))
        .await;
    agent.ack().await;
    assert_eq!(bed.metrics.refusals(Reason::ClockSkew), 1);
    assert_eq!(bed.used("pv"), Some(100));
}

/// A node whose clock is an hour off is not believed, in either direction, and is once it is right.
#[tokio::test]
async fn a_clock_far_off_is_not_believed() {
    for hours in [-1, 1] {
        let bed = Bed::new().await;
        let off = SignedDuration::from_hours(hours).as_millis() as i64;
        let mut agent = bed.connect().await;
        agent
            .say(Body::Hello(Hello {
                node: "node-1".into(),
                clock_ms: bed.now_ms() + off,
                ..Hello::default()
            }))
            .await;
        let as_of_ms = bed.now_ms() + off;
        agent
            .say(Body::Snapshot(Snapshot {
                volumes: vec![volume(1, "pv", 900)],
                as_of_ms,
                first: true,
                last: true,
            }))
            .await;
        agent.ack().await;
        assert_eq!(bed.used("pv"), None, "{hours} h");
        assert!(bed.metrics.refusals(Reason::ClockSkew) > 0);
        let Usage::Refused { reason, text } = bed.store.usage("pv", bed.clock.now(), STALE) else {
            panic!("known")
        };
        assert_eq!(reason, Reason::ClockSkew);
        assert!(text.contains("node-1"), "{text}");

        agent
            .say(Body::Changes(Changes {
                as_of_ms: bed.now_ms(),
                readings: vec![reading(1, 900)],
                ..Changes::default()
            }))
            .await;
        agent.ack().await;
        assert_eq!(bed.used("pv"), Some(900), "the clock was set right");
    }
}

#[tokio::test]
async fn broken_messages_end_their_stream_with_a_code() {
    let bed = Bed::new().await;
    let twice = |pv: &str| bed.snapshot(vec![volume(1, "pv", 1), volume(1, pv, 1)]);
    let no_reading = Volume {
        reading: None,
        ..volume(1, "pv", 1)
    };
    let far = Body::Heartbeat(Heartbeat { as_of_ms: i64::MAX });
    let later_part = Body::Snapshot(Snapshot {
        volumes: vec![],
        as_of_ms: bed.now_ms(),
        first: false,
        last: true,
    });
    let points = vec![Point::default(); 601];
    let unknown = |readings, gone| {
        Body::Changes(Changes {
            as_of_ms: bed.now_ms(),
            readings,
            gone,
            ..Changes::default()
        })
    };
    let broken = [
        ("an index for two volumes", twice("other")),
        ("a volume without reading", bed.snapshot(vec![no_reading])),
        (
            "a name of no object",
            bed.snapshot(vec![volume(1, "../../etc", 1)]),
        ),
        ("an empty name", bed.snapshot(vec![volume(1, "", 1)])),
        ("an instant that does not exist", far),
        ("a later part first", later_part),
        ("a reading of nothing", unknown(vec![reading(99, 1)], vec![])),
        ("nothing is gone", unknown(vec![], vec![99])),
        ("a second hello", bed.hello("node-1")),
        (
            "too long a past",
            Body::History(History {
                volumes: vec![VolumeHistory { index: 1, points }],
            }),
        ),
    ];
    for (n, (what, body)) in (1..).zip(broken) {
        let mut agent = bed.agent().await;
        agent.say(body).await;
        assert_eq!(agent.end().await.code(), Code::InvalidArgument, "{what}");
        assert_eq!(bed.metrics.refusals(Reason::BadMessage), n, "{what} is counted");
    }
}

#[tokio::test]
async fn an_index_is_never_used_again() {
    let bed = Bed::new().await;
    let mut agent = bed.agent().await;
    agent.say(bed.snapshot(vec![volume(1, "pv-a", 1)])).await;
    agent.ack().await;
    agent.say(bed.snapshot(vec![])).await;
    agent.ack().await;
    agent.say(bed.snapshot(vec![volume(1, "pv-b", 1)])).await;
    assert_eq!(agent.end().await.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_volume_whose_device_changed_stays_known() {
    let bed = Bed::new().await;
    let mut agent = bed.agent().await;
    agent.say(bed.snapshot(vec![volume(1, "pv-a", 1)])).await;
    agent.ack().await;
    let changes = Changes {
        as_of_ms: bed.now_ms(),
        readings: vec![],
        added: vec![volume(2, "pv-a", 2)],
        gone: vec![1],
    };
    agent.say(Body::Changes(changes)).await;
    agent.ack().await;
    assert_eq!(bed.used("pv-a"), Some(2), "told as a change");
    agent.say(bed.snapshot(vec![volume(3, "pv-a", 3)])).await;
    agent.ack().await;
    assert_eq!(bed.used("pv-a"), Some(3), "told by a snapshot");
}

#[tokio::test]
async fn the_first_message_says_who_speaks() {
    let bed = Bed::new().await;
    for body in [bed.snapshot(vec![]), bed.hello("UPPER_CASE"), bed.hello("")] {
        let mut agent = bed.connect().await;
        agent.say(body).await;
        assert_eq!(agent.end().await.code(), Code::InvalidArgument);
    }
    let mut agent = bed.connect().await;
    agent.send.send(AgentMessage { body: None }).await.unwrap();
    assert_eq!(
        agent.end().await.code(),
        Code::InvalidArgument,
        "a newer protocol's message"
    );
}

#[tokio::test]
async fn an_oversize_message_is_refused() {
    let bed = Bed::new().await;
    let mut agent = bed.agent().await;
    let volumes = (0..60_000)
        .map(|i| volume(i, &format!("pv-{i:0>100}"), 1))
        .collect();
    agent.say(bed.snapshot(volumes)).await;
    assert_eq!(agent.end().await.code(), Code::OutOfRange);
    assert_eq!(bed.store.volumes(), 0);
}

#[tokio::test]
async fn a_newer_stream_of_the_node_takes_over() {
    let bed = Bed::new().await;
    let mut old = bed.agent().await;
    old.say(bed.snapshot(vec![volume(1, "pv", 1)])).await;
    old.ack().await;
    let mut new = bed.agent().await;
    new.say(bed.snapshot(vec![volume(1, "pv", 2)])).await;
    new.ack().await;
    assert_eq!(old.end().await.code(), Code::Aborted);
    assert_eq!(bed.used("pv"), Some(2));
    assert_eq!(bed.store.streams(), 1);
}

#[tokio::test]
async fn an_agent_that_vanishes_is_unregistered() {
    let bed = Bed::new().await;
    let mut agent = bed.agent().await;
    agent.say(bed.snapshot(vec![volume(1, "pv", 1)])).await;
    agent.ack().await;
    assert_eq!(bed.store.streams(), 1);
    drop(agent);
    timeout(PATIENCE, async {
        while bed.store.streams() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("unregistered");
    assert_eq!(bed.used("pv"), Some(1), "its numbers grow old instead");
}

#[tokio::test]
async fn a_shutdown_ends_streams() {
    let bed = Bed::new().await;
    let mut agent = bed.agent().await;
    agent.say(bed.snapshot(vec![])).await;
    agent.ack().await;
    bed.stop.cancel();
    assert_eq!(agent.end().await.code(), Code::Unavailable);
}

/// Bytes that are no gRPC at all: the connection is closed, and the next agent is served.
#[tokio::test]
async fn garbage_on_the_port_is_no_harm() {
    let bed = Bed::new().await;
    for garbage in [
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        vec![0xff; 4096],
        (0..=255).cycle().take(100_000).collect(),
    ] {
        let mut socket = tokio::net::TcpStream::connect(bed.address).await.unwrap();
        // The server may close while we still write; that is an answer too.
        let _written = socket.write_all(&garbage).await;
        let mut rest = Vec::new();
        let _read = timeout(PATIENCE, socket.read_to_end(&mut rest))
            .await
            .expect("closed");
    }
    let mut agent = bed.agent().await;
    agent.say(bed.snapshot(vec![volume(1, "pv", 1)])).await;
    agent.ack().await;
    assert_eq!(bed.used("pv"), Some(1));
}
