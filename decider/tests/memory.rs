//! What a volume costs in memory, by an allocator that counts: names, windows and state of 10,000 volumes of one agent,
//! with ten minutes of history.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use std::{alloc::System, sync::Arc, time::Duration};

use decider::{
    ingest::{AsSaid, Ingest},
    metrics::Metrics,
    store::Store,
};
use prometheus_client::registry::Registry;
use proto::usage::v1::{
    AgentMessage, DeciderMessage, Heartbeat, Hello, History, Point, Reading, Snapshot, Volume, VolumeHistory,
    agent_message::Body, decider_message, usage_client::UsageClient,
};
use runtime::clock::{Clock, ManualClock};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tokio::{net::TcpListener, sync::mpsc, task::JoinSet, time::timeout};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::Streaming;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const VOLUMES: u32 = 10_000;
/// Volumes of one message.
const PART: u32 = 100;
/// A point each fifteen seconds for ten minutes.
const POINTS: i64 = 40;
const CAPACITY: u64 = 100 << 30;
/// Bytes of a volume's identity: its names, and finding it by them. The name of the PersistentVolume is no object's here, with
/// which it would be shared.
const IDENTITY: usize = 300;
/// Bytes of its window and state with ten minutes of history. That no history needs more is asserted by a test of the store.
const WINDOW_AND_STATE: usize = 512;
const PATIENCE: Duration = Duration::from_secs(300);

#[tokio::test]
async fn a_volume_costs_a_bounded_number_of_bytes() {
    let (store, clock) = (Arc::new(Store::default()), clock());
    let mut tasks = JoinSet::new();
    let (send, mut answers) = connect(&store, &clock, &mut tasks).await;
    let say = async |body| send.send(AgentMessage { body: Some(body) }).await.unwrap();
    let now = clock.now().as_millisecond();
    say(Body::Hello(Hello {
        node: "worker-00001.zone-1.internal".into(),
        version: "0.1.0".into(),
        boot_id: "b".into(),
        clock_ms: now,
        acknowledge: true,
    }))
    .await;
    // What the connection itself takes is there before the count begins.
    say(Body::Snapshot(part(0, 0, now))).await;
    acknowledged(&mut answers, now).await;

    let region = Region::new(ALLOCATOR);
    for from in (0..VOLUMES).step_by(PART as usize) {
        say(Body::Snapshot(part(from, PART, now + 1))).await;
    }
    // Read, as an agent does, so that nothing queues.
    acknowledged(&mut answers, now + 1).await;
    drop(store.moved().take().await);
    let new = each(&region);
    for from in (0..VOLUMES).step_by(PART as usize) {
        let volumes = (from..from + PART).map(|index| history(index, now));
        say(Body::History(History {
            volumes: volumes.collect(),
        }))
        .await;
    }
    say(Body::Heartbeat(Heartbeat { after_ms: 1 })).await;
    acknowledged(&mut answers, now + 2).await;
    let with_history = each(&region);
    assert_eq!(store.volumes(), VOLUMES as usize);
    // A volume that has just been told of has no past yet: what is not its state is its identity.
    let (identity, past) = (new - Store::STATE, with_history - new);
    println!("{new} bytes per volume, of which {identity} are its identity; {with_history} with history");
    assert!(identity <= IDENTITY, "{identity} bytes of identity");
    let state = Store::STATE + past;
    assert!(state <= WINDOW_AND_STATE, "{state} bytes of window and state");
    assert!(past > 0, "the history was taken");
}

/// What is kept, by the number of volumes. What a reallocation adds or takes is in both.
fn each(region: &Region<'_, System>) -> usize {
    let change = region.change();
    (change.bytes_allocated - change.bytes_deallocated) / VOLUMES as usize
}

fn clock() -> ManualClock {
    ManualClock::new("2026-11-21T12:00:00Z".parse().unwrap())
}

/// A stream to a new ingest, which is served until the test ends.
async fn connect(
    store: &Arc<Store>,
    clock: &ManualClock,
    tasks: &mut JoinSet<()>,
) -> (mpsc::Sender<AgentMessage>, Streaming<DeciderMessage>) {
    let ingest = Ingest::new(
        Arc::clone(store),
        AsSaid,
        Arc::new(clock.clone()),
        Metrics::register(&mut Registry::default()),
        CancellationToken::new(),
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tasks.spawn(async move { ingest.serve(listener).await.unwrap() });
    let mut client = UsageClient::connect(format!("http://{address}")).await.unwrap();
    let (send, receive) = mpsc::channel(1);
    let answers = client.report(ReceiverStream::new(receive)).await.unwrap();
    (send, answers.into_inner())
}

/// Waits until everything up to then is recorded.
async fn acknowledged(answers: &mut Streaming<DeciderMessage>, as_of: i64) {
    loop {
        let answer = timeout(PATIENCE, answers.message())
            .await
            .expect("an answer in time");
        let answer = answer.expect("still open").expect("still open");
        if matches!(answer.body, Some(decider_message::Body::Ack(ack)) if ack.as_of_ms == as_of) {
            return;
        }
    }
}

/// Volumes of a snapshot, named as provisioners and kubelet do; the last part has the last volume, or none.
fn part(from: u32, count: u32, now: i64) -> Snapshot {
    let volume = |index: u32| Volume {
        index,
        pv: format!("pvc-{index:08x}-0063-4000-8000-{index:012x}"),
        pod_uid: format!("{index:08x}-0070-4000-8000-{index:012x}"),
        device: format!("259:{index}"),
        fs_type: "ext4".into(),
        reading: Some(Reading {
            index,
            capacity: Some(CAPACITY),
            available: CAPACITY / 2,
            used: CAPACITY / 2,
            inodes_total: Some(0),
            inodes_free: Some(0),
            ..Reading::default()
        }),
    };
    Snapshot {
        volumes: (from..from + count).map(volume).collect(),
        as_of_ms: now,
        first: from == 0,
        last: from + count == VOLUMES || count == 0,
    }
}

/// Ten minutes in which it rose by a little each time.
fn history(index: u32, now: i64) -> VolumeHistory {
    let points = (0..POINTS).map(|n| Point {
        at_ms: now - (POINTS - n) * 15_000,
        capacity: CAPACITY,
        available: CAPACITY / 2,
        used: CAPACITY / 2 - (u64::try_from(POINTS - n).unwrap_or(0) << 20),
    });
    VolumeHistory {
        index,
        points: points.collect(),
    }
}
