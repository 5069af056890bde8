//! The uplink against tonic servers over in-memory connections, with the clock paused: what would take minutes
//! takes none, and nothing depends on how fast this machine is.

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::{Stream, StreamExt, future::BoxFuture};
use proto::usage::v1::{
    AgentMessage, Changes, DeciderMessage, Heartbeat, Hello, Levels, Snapshot, VolumeLevels,
    agent_message::Body,
    decider_message,
    usage_server::{Usage, UsageServer},
};
use runtime::{clock::ManualClock, readiness::Readiness};
use tokio::{
    io::DuplexStream,
    sync::mpsc,
    task::JoinSet,
    time::{Instant, timeout},
};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming, transport::Server};

use super::{
    Connected, FIRST_PAUSE, Identity, LONGEST_PAUSE, Pace, Uplink,
    dial::{Connect, Connection, Resolve},
    pause,
};
use crate::{
    board::Board,
    metrics::Metrics,
    sweeper::{Failure, Observation},
    testing::{GIB, observed, seconds, stuck},
};

const PACE: Pace = Pace {
    heartbeat: Duration::from_secs(2),
    snapshot_every: Duration::from_secs(600),
    resolve_every: Duration::from_secs(5),
};

/// What a replica takes in without reading it; the windows of HTTP/2 begin at this size.
const WINDOW: u32 = 64 << 10;

/// A stream that a replica has taken; the test reads from it when it likes.
struct Taken {
    from_agent: Streaming<AgentMessage>,
    to_agent: mpsc::Sender<Result<DeciderMessage, Status>>,
}

/// A decider that hands its streams to the test.
struct Replica(mpsc::Sender<Taken>);

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
        self.0
            .send(taken)
            .await
            .map_err(|_| Status::unavailable("the test is over"))?;
        Ok(Response::new(Box::pin(ReceiverStream::new(answers))))
    }
}

/// Who listens where.
#[derive(Debug, Default)]
struct Network {
    listening: Mutex<BTreeMap<SocketAddr, mpsc::Sender<io::Result<DuplexStream>>>>,
    resolved: Mutex<Vec<SocketAddr>>,
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
struct Bench {
    tasks: JoinSet<()>,
    network: Arc<Network>,
    board: Arc<Board>,
    readiness: Readiness,
    metrics: Metrics,
    token: CancellationToken,
}

fn address(n: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, n], 7400))
}

impl Bench {
    fn start() -> Self {
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
    fn listen(&mut self, n: u8) -> mpsc::Receiver<Taken> {
        let (connections, incoming) = mpsc::channel(8);
        let (streams, taken) = mpsc::channel(8);
        self.network
            .listening
            .lock()
            .unwrap()
            .insert(address(n), connections);
        self.network.resolved.lock().unwrap().push(address(n));
        let server = Server::builder()
            .initial_stream_window_size(WINDOW)
            .add_service(UsageServer::new(Replica(streams)));
        self.tasks.spawn(async {
            server
                .serve_with_incoming(ReceiverStream::new(incoming))
                .await
                .unwrap()
        });
        taken
    }

    fn tick(&self, second: i64, volumes: Vec<Observation>) {
        self.board.tick(volumes, seconds(second));
    }
}

/// Longer than any pause of the uplink; passes at once when nothing else is to be done.
const PATIENCE: Duration = Duration::from_secs(30);

async fn take(replica: &mut mpsc::Receiver<Taken>) -> Taken {
    timeout(PATIENCE, replica.recv())
        .await
        .expect("no stream")
        .expect("the server ended")
}

impl Taken {
    async fn next(&mut self) -> Body {
        let message = timeout(PATIENCE, self.from_agent.message())
            .await
            .expect("silence");
        message
            .expect("an error")
            .expect("the end of the stream")
            .body
            .expect("an empty message")
    }

    async fn hello(&mut self) -> Hello {
        match self.next().await {
            Body::Hello(hello) => hello,
            other => panic!("no hello but {other:?}"),
        }
    }

    async fn snapshot(&mut self) -> Snapshot {
        match self.next().await {
            Body::Snapshot(snapshot) => snapshot,
            other => panic!("no snapshot but {other:?}"),
        }
    }

    /// The next changes; heartbeats are passed over.
    async fn changes(&mut self) -> Changes {
        loop {
            match self.next().await {
                Body::Changes(changes) => return changes,
                Body::Heartbeat(_) => {}
                other => panic!("no changes but {other:?}"),
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn hello_then_everything_then_what_moved_then_heartbeats() {
    let mut bench = Bench::start();
    let mut replica = bench.listen(1);
    bench.tick(
        10,
        vec![
            observed("a", 9, GIB),
            stuck(observed("b", 3, 7), Failure::Errno(5)),
        ],
    );
    let mut stream = take(&mut replica).await;
    let hello = stream.hello().await;
    assert_eq!(
        (hello.node.as_str(), hello.boot_id.as_str(), hello.clock_ms),
        ("node-1", "boot", 1_000_000)
    );
    let Snapshot {
        volumes,
        as_of_ms,
        first,
        last,
    } = stream.snapshot().await;
    assert_eq!((as_of_ms, first, last, volumes.len()), (9000, true, true, 2));
    assert_eq!(
        (volumes[0].pv.as_str(), volumes[0].pod_uid.as_str()),
        ("a", "pod-of-a")
    );
    let b = volumes[1].reading.unwrap();
    assert_eq!(
        (b.index, b.used, b.stuck, b.errno, b.age_ms, b.unknown),
        (1, 7, true, 5, 6000, false)
    );

    bench.tick(
        11,
        vec![
            observed("a", 10, 2 * GIB),
            stuck(observed("b", 3, 7), Failure::Errno(5)),
        ],
    );
    let changes = stream.changes().await;
    assert_eq!((changes.as_of_ms, changes.readings.len()), (10_000, 1));
    assert_eq!(
        (changes.readings[0].used, changes.readings[0].age_ms),
        (2 * GIB, 0)
    );

    let silent = Instant::now();
    assert!(matches!(
        stream.next().await,
        Body::Heartbeat(Heartbeat { as_of_ms: 10_000 })
    ));
    assert!(
        silent.elapsed() >= PACE.heartbeat && silent.elapsed() < PACE.heartbeat + Duration::from_millis(50)
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_is_said_of_volumes_before_the_first_sweep() {
    let mut bench = Bench::start();
    let mut replica = bench.listen(1);
    let mut stream = take(&mut replica).await;
    stream.hello().await;
    assert!(
        timeout(PATIENCE, stream.from_agent.message()).await.is_err(),
        "a message before the first sweep"
    );
    bench.tick(1, vec![observed("a", 1, 1)]);
    assert_eq!(stream.snapshot().await.volumes.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn after_a_break_everything_is_told_again_and_the_past_too() {
    let mut bench = Bench::start();
    let mut replica = bench.listen(1);
    bench.tick(0, vec![observed("a", 0, 0)]);
    let mut stream = take(&mut replica).await;
    stream.hello().await;
    stream.snapshot().await;
    drop(stream);
    for second in 1..=20 {
        bench.tick(
            second,
            vec![observed("a", second, GIB * second.unsigned_abs() / 10)],
        );
    }
    let mut stream = take(&mut replica).await;
    stream.hello().await;
    let snapshot = stream.snapshot().await;
    assert_eq!(snapshot.volumes[0].reading.unwrap().used, 2 * GIB);
    let Body::History(history) = stream.next().await else {
        panic!("no history");
    };
    let past: Vec<(i64, u64)> = history.volumes[0]
        .points
        .iter()
        .map(|p| (p.at_ms, p.used))
        .collect();
    let fullest = [4_i64, 9, 14, 19].map(|s| (s * 1000, GIB * s.unsigned_abs() / 10));
    assert_eq!(past, fullest);
    assert_eq!(bench.metrics.connects.get(), 2);
    assert_eq!(bench.metrics.streams.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn every_replica_has_a_stream_also_one_that_comes_later() {
    let mut bench = Bench::start();
    bench.tick(0, vec![observed("a", 0, 0)]);
    let mut one = bench.listen(1);
    let mut one = take(&mut one).await;
    let mut two = bench.listen(2);
    let later = Instant::now();
    let mut two = take(&mut two).await;
    assert!(later.elapsed() <= PACE.resolve_every);
    for stream in [&mut one, &mut two] {
        stream.hello().await;
        assert_eq!(stream.snapshot().await.volumes.len(), 1);
    }
    bench.tick(1, vec![observed("a", 1, GIB)]);
    for stream in [&mut one, &mut two] {
        assert_eq!(stream.changes().await.readings[0].used, GIB);
    }
    // One that goes takes nothing from the other, and is not dialled again once its name has gone.
    bench
        .network
        .resolved
        .lock()
        .unwrap()
        .retain(|found| *found == address(2));
    bench.network.listening.lock().unwrap().remove(&address(1));
    drop(one);
    bench.tick(2, vec![observed("a", 2, 3 * GIB)]);
    assert_eq!(two.changes().await.readings[0].used, 3 * GIB);
}

#[tokio::test(start_paused = true)]
async fn an_open_stream_outlives_a_name_server_that_fails() {
    let mut bench = Bench::start();
    bench.tick(0, vec![observed("a", 0, 0)]);
    let mut replica = bench.listen(1);
    let mut stream = take(&mut replica).await;
    bench.network.resolved.lock().unwrap().clear();
    tokio::time::sleep(PACE.resolve_every * 3).await;
    bench.tick(1, vec![observed("a", 1, GIB)]);
    stream.hello().await;
    stream.snapshot().await;
    assert_eq!(stream.changes().await.readings[0].used, GIB);
}

#[tokio::test(start_paused = true)]
async fn a_replica_that_stops_reading_gets_the_latest_of_every_volume() {
    const TICKS: i64 = 3000;
    let mut bench = Bench::start();
    let names: Vec<String> = (0..100).map(|n| format!("pv-{n:03}")).collect();
    let all = |second: i64| {
        let used = GIB + u64::try_from(second).unwrap() * (20 << 20) % GIB;
        names
            .iter()
            .map(|pv| observed(pv, second, used))
            .collect::<Vec<_>>()
    };
    bench.tick(0, all(0));
    let mut replica = bench.listen(1);
    let mut stream = take(&mut replica).await;
    for second in 1..=TICKS {
        bench.tick(second, all(second));
        // Lets the stream send what it can; it soon can no more.
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let sent_meanwhile = bench.metrics.messages.get();
    assert!(
        sent_meanwhile < 100,
        "{sent_meanwhile} messages for {TICKS} ticks: something queues"
    );

    let mut used = BTreeMap::new();
    let truth = all(TICKS)[0].last.unwrap().usage.used;
    stream.hello().await;
    while used.len() < names.len() || used.values().any(|used| *used != truth) {
        match stream.next().await {
            Body::Snapshot(snapshot) => {
                used.extend(
                    snapshot
                        .volumes
                        .iter()
                        .map(|volume| (volume.index, volume.reading.unwrap().used)),
                );
            }
            Body::Changes(changes) => used.extend(
                changes
                    .readings
                    .iter()
                    .map(|reading| (reading.index, reading.used)),
            ),
            Body::Heartbeat(_) => panic!("silence with news untold: {used:?}"),
            Body::Hello(_) | Body::History(_) => {}
        }
    }
}

#[tokio::test(start_paused = true)]
async fn levels_take_effect_at_once() {
    let mut bench = Bench::start();
    bench.tick(0, vec![observed("a", 0, 100)]);
    let mut replica = bench.listen(1);
    let mut stream = take(&mut replica).await;
    stream.hello().await;
    stream.snapshot().await;
    let levels = Levels {
        volumes: vec![VolumeLevels {
            index: 0,
            used: vec![150],
        }],
    };
    let message = DeciderMessage {
        body: Some(decider_message::Body::Levels(levels)),
    };
    stream.to_agent.send(Ok(message)).await.unwrap();
    assert!(matches!(stream.next().await, Body::Heartbeat(_)));
    bench.tick(1, vec![observed("a", 1, 151)]);
    assert_eq!(stream.changes().await.readings[0].used, 151);
}

#[tokio::test(start_paused = true)]
async fn readiness_says_why_there_is_no_decider() {
    let mut bench = Bench::start();
    let waits = |bench: &Bench| bench.readiness.missing().join("\n");
    assert_eq!(waits(&bench), "decider: no decider found yet");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(
        waits(&bench).contains("cannot resolve deciders:7400"),
        "{}",
        waits(&bench)
    );
    bench.network.resolved.lock().unwrap().push(address(9));
    tokio::time::sleep(PACE.resolve_every).await;
    assert!(waits(&bench).contains("connection refused"), "{}", waits(&bench));
    let mut replica = bench.listen(1);
    let stream = take(&mut replica).await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(waits(&bench), "");
    bench.network.listening.lock().unwrap().clear();
    stream
        .to_agent
        .send(Err(Status::permission_denied("not this node")))
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert!(waits(&bench).contains("not this node"), "{}", waits(&bench));
}

#[tokio::test(start_paused = true)]
async fn the_end_is_quick_and_told_to_the_replica() {
    let mut bench = Bench::start();
    bench.tick(0, vec![observed("a", 0, 0)]);
    let mut polite = bench.listen(1);
    let mut deaf = bench.listen(2);
    let mut polite = take(&mut polite).await;
    let _deaf = take(&mut deaf).await;
    polite.hello().await;
    polite.snapshot().await;
    let began = Instant::now();
    bench.token.cancel();
    assert!(
        timeout(PATIENCE, polite.from_agent.next())
            .await
            .expect("silence")
            .is_none()
    );
    drop(polite);
    bench.tasks.join_next().await.unwrap().unwrap();
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

#[test]
fn pauses_double_up_to_a_limit_and_are_spread() {
    assert_eq!(pause(1, 0.0), FIRST_PAUSE);
    assert_eq!(pause(1, 1.0), FIRST_PAUSE / 2);
    assert_eq!(pause(3, 0.0), FIRST_PAUSE * 4);
    for failures in [0, 6, 40, u32::MAX] {
        assert!(pause(failures, 0.0) <= LONGEST_PAUSE);
        assert!(pause(failures, 0.999) >= FIRST_PAUSE / 2);
    }
    assert_eq!(pause(u32::MAX, 0.0), LONGEST_PAUSE);
}
