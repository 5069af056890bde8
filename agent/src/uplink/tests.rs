//! The uplink against tonic servers over in-memory connections, with the clock paused: what would take minutes
//! takes none, and nothing depends on how fast this machine is.

use std::{collections::BTreeMap, time::Duration};

use futures::StreamExt;
use proto::usage::v1::{
    DeciderMessage, Heartbeat, Levels, Snapshot, VolumeLevels, agent_message::Body, decider_message,
};
use tokio::time::{Instant, timeout};
use tonic::Status;

use super::{FIRST_PAUSE, LONGEST_PAUSE, pause};
use crate::{
    sweeper::Failure,
    testing::{GIB, observed, stuck},
};

mod bench;

use bench::{Bench, PACE, PATIENCE, address, take};

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
