//! The uplink against tonic servers over in-memory connections, with the clock paused: what would take minutes
//! takes none, and nothing depends on how fast this machine is.

use std::{collections::BTreeMap, time::Duration};

use proto::usage::v1::{
    DeciderMessage, Heartbeat, Levels, Snapshot, VolumeLevels, agent_message::Body, decider_message,
};
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};

use crate::{
    sweeper::Failure,
    testing::{GIB, observed, stuck},
};

mod bench;
mod breaks;

use super::session::ACCEPT_TIMEOUT;
use bench::{Bench, PACE, PATIENCE, take};

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
    let a = volumes[0].reading.unwrap();
    assert_eq!(
        (a.capacity, a.inodes_total, a.inodes_free),
        (Some(10 * GIB), Some(1000), Some(900))
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
    let a = changes.readings[0];
    assert_eq!((a.capacity, a.inodes_total, a.inodes_free), (None, None, None));

    let silent = Instant::now();
    assert!(matches!(
        stream.next().await,
        Body::Heartbeat(Heartbeat { after_ms: 1000 })
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

/// Until a replica has taken the stream an agent does not know how much it may say at once.
#[tokio::test(start_paused = true)]
async fn no_more_than_hello_is_said_before_the_stream_is_taken() {
    let mut bench = Bench::start();
    bench.tick(1, vec![observed("a", 1, 1)]);
    let (accept, accepting) = watch::channel(false);
    let mut replica = bench.listen_hesitating(1, accepting);
    let mut stream = take(&mut replica).await;
    stream.hello().await;
    let more = timeout(ACCEPT_TIMEOUT / 2, stream.from_agent.message()).await;
    assert!(more.is_err(), "{more:?}");
    accept.send_replace(true);
    assert_eq!(stream.snapshot().await.volumes.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_replica_that_stops_reading_gets_the_latest_of_every_volume() {
    const TICKS: i64 = 3000;
    let mut bench = Bench::start();
    let names: Vec<String> = (0..100).map(|n| format!("pv-{n:03}")).collect();
    let all = |second: i64| {
        // The last is far from all before, so that it is always news.
        let used = match second {
            TICKS => 5 * GIB,
            _ => GIB + u64::try_from(second).unwrap() * (20 << 20) % GIB,
        };
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
        sent_meanwhile < 600,
        "{sent_meanwhile} messages for {TICKS} ticks of seven each: something queues"
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
    let noted = BTreeMap::from([("a".to_owned(), vec![150])]);
    assert_eq!(bench.board.take_levels(), noted, "for the sweeper");
    bench.tick(1, vec![observed("a", 1, 151)]);
    assert_eq!(stream.changes().await.readings[0].used, 151);
}
