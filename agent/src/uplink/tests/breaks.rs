//! How streams begin, break and end, and what is tried again when.

use std::{future::pending, time::Duration};

use futures::StreamExt;
use proto::usage::v1::agent_message::Body;
use tokio::{
    io::{copy_bidirectional, duplex},
    sync::{mpsc, watch},
    time::{Instant, timeout},
};
use tonic::Status;

use super::bench::{Bench, PACE, PATIENCE, address, take};
use crate::{
    sweeper::Observation,
    testing::{GIB, observed},
    uplink::{
        GOOD_STREAM,
        pause::{FIRST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE_HOT, SPREAD, pause},
        session::{ACCEPT_TIMEOUT, KEEPALIVE_INTERVAL, KEEPALIVE_TIMEOUT},
    },
};

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
async fn a_replica_that_never_accepts_is_tried_ever_less_often() {
    let mut bench = Bench::start();
    let mut connections = bench.listen_without_serving(1);
    let mut open = Vec::new();
    let mut tries = Vec::new();
    for _ in 0..8 {
        open.push(connections.recv().await.unwrap());
        tries.push(Instant::now());
    }
    let between: Vec<_> = tries.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(between[0] < ACCEPT_TIMEOUT + FIRST_PAUSE * 2, "{between:?}");
    assert!(between[6] > ACCEPT_TIMEOUT + LONGEST_PAUSE / 2, "{between:?}");
}

#[tokio::test(start_paused = true)]
async fn a_replica_that_stands_still_is_left() {
    let mut bench = Bench::start();
    bench.tick(0, vec![observed("a", 0, 0)]);
    let mut connections = bench.listen_without_serving(1);
    let (to_replica, incoming) = mpsc::channel(1);
    let mut replica = bench.serve(incoming, watch::channel(true).1);
    let mut near = connections.recv().await.unwrap().unwrap();
    let (mut far, theirs) = duplex(64 << 10);
    to_replica.send(Ok(theirs)).await.unwrap();
    let stands = bench.token.child_token();
    let still = stands.clone();
    bench.tasks.spawn(async move {
        still
            .run_until_cancelled(copy_bidirectional(&mut near, &mut far))
            .await;
        pending::<()>().await;
    });
    let mut stream = take(&mut replica).await;
    stream.hello().await;
    stream.snapshot().await;
    stands.cancel();
    let still = Instant::now();
    let latest = KEEPALIVE_INTERVAL + KEEPALIVE_TIMEOUT + SPREAD;
    let again = timeout(latest + Duration::from_secs(1), connections.recv()).await;
    again.expect("it is not left").unwrap().unwrap();
    assert!(still.elapsed() > KEEPALIVE_INTERVAL, "{:?}", still.elapsed());
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
    let failed = |failures, random| pause(failures, false, false, random);
    assert_eq!(failed(1, 0.0), FIRST_PAUSE);
    assert_eq!(failed(1, 1.0), FIRST_PAUSE / 2);
    assert_eq!(failed(3, 0.0), FIRST_PAUSE * 4);
    for failures in [0, 6, 40, u32::MAX] {
        assert!(failed(failures, 0.0) <= LONGEST_PAUSE);
        assert!(failed(failures, 0.999) >= FIRST_PAUSE / 2);
    }
    assert_eq!(failed(u32::MAX, 0.0), LONGEST_PAUSE);
}

#[test]
fn after_a_good_stream_who_has_a_hot_volume_comes_back_before_the_others() {
    assert_eq!(pause(1, true, true, 0.0), FIRST_PAUSE);
    assert_eq!(pause(u32::MAX, true, false, 0.0), LONGEST_PAUSE_HOT);
    assert_eq!(pause(1, false, true, 0.0), Duration::ZERO);
    assert_eq!(pause(1, false, true, 0.5), SPREAD / 2);
    assert_eq!(pause(1, false, true, 1.0), SPREAD);
}

#[tokio::test(start_paused = true)]
async fn a_volume_that_gets_hot_ends_the_wait() {
    let mut bench = Bench::start();
    bench.tick(0, vec![observed("a", 0, 0)]);
    let mut replica = bench.listen(1);
    let mut stream = take(&mut replica).await;
    // However short a pause may be by chance, not all of these are.
    for round in 1..=8_u32 {
        tokio::time::sleep(GOOD_STREAM).await;
        drop(stream);
        while bench.metrics.disconnects.get() < u64::from(round) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let hot = Observation {
            hot: true,
            ..observed("a", i64::from(round), 0)
        };
        bench.tick(i64::from(round), vec![hot]);
        let lost = Instant::now();
        stream = take(&mut replica).await;
        assert!(lost.elapsed() < FIRST_PAUSE, "{:?}", lost.elapsed());
        bench.tick(i64::from(round), vec![observed("a", i64::from(round), 0)]);
    }
}
