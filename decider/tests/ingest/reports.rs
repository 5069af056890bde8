//! What a well-meant agent gets recorded.

use std::time::Duration;

use decider_core::Usage;
use proto::usage::v1::{
    Changes, Heartbeat, Hello, History, Point, Reading, Snapshot, Volume, VolumeHistory, agent_message::Body,
    decider_message,
};
use runtime::clock::Clock;

use crate::bed::{Bed, STALE, reading, volume};

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
    agent.say(Body::Heartbeat(Heartbeat { after_ms: 61_000 })).await;
    assert_eq!(agent.ack().await, bed.now_ms());
    let Usage::Seen(seen) = bed.store.usage("pv-a", bed.clock.now(), STALE, |_| true) else {
        panic!("not seen")
    };
    assert_eq!(seen.as_of, bed.clock.now(), "nothing moved, and that is news");
    // The node's clock was set back: what was vouched for stays.
    agent.say(Body::Heartbeat(Heartbeat { after_ms: -1000 })).await;
    assert_eq!(agent.ack().await, bed.now_ms() - 62_000);
    assert_eq!(bed.used("pv-a"), Some(150));
}

/// What a change leaves out is as it was sent before, also where that was refused or never measured.
#[tokio::test]
async fn a_change_without_some_numbers_has_those_before() {
    let bed = Bed::new().await;
    let mut agent = bed.agent().await;
    let first = Reading {
        inodes_total: Some(10),
        inodes_free: Some(4),
        ..reading(1, 100)
    };
    let unknown = Reading {
        unknown: true,
        capacity: Some(0),
        ..reading(2, 0)
    };
    let volume = |index, pv, reading| Volume {
        reading: Some(reading),
        ..volume(index, pv, 0)
    };
    agent
        .say(bed.snapshot(vec![volume(1, "pv-a", first), volume(2, "pv-b", unknown)]))
        .await;
    agent.ack().await;
    let change = |index, capacity, used, inodes_free| Reading {
        capacity,
        inodes_total: None,
        inodes_free,
        ..reading(index, used)
    };
    // Of each: the change, and what is then known of capacity, use and free inodes.
    let cases = [
        (change(1, None, 150, None), "pv-a", Some((1000, 150, 4))),
        (change(1, None, 160, Some(3)), "pv-a", Some((1000, 160, 3))),
        (change(1, None, 170, None), "pv-a", Some((1000, 170, 3))),
        // More available than there is.
        (change(1, Some(500), 200, None), "pv-a", Some((1000, 170, 3))),
        (change(1, None, 500, None), "pv-a", Some((500, 500, 3))),
        (change(2, None, 0, None), "pv-b", None),
        (change(2, Some(1000), 1, None), "pv-b", Some((1000, 1, 0))),
    ];
    for (n, (change, pv, known)) in cases.into_iter().enumerate() {
        bed.clock.advance(Duration::from_secs(1));
        let changes = Changes {
            as_of_ms: bed.now_ms(),
            readings: vec![change],
            ..Changes::default()
        };
        agent.say(Body::Changes(changes)).await;
        agent.ack().await;
        let sample = match bed.store.usage(pv, bed.clock.now(), STALE, |_| true) {
            Usage::Seen(seen) => Some(seen.sample),
            Usage::Never | Usage::Refused { .. } => None,
        };
        let numbers = sample.map(|s| (s.usage.capacity.get(), s.usage.used.get(), s.inodes_free));
        assert_eq!(numbers, known, "change {n}");
    }
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
    // A part is not acknowledged; what follows it is.
    agent.say(Body::Heartbeat(Heartbeat { after_ms: 0 })).await;
    agent.ack().await;
    assert_eq!(bed.used("pv-c"), Some(3), "not gone before the last part");
    agent.say(part(vec![volume(2, "pv-b", 20)], false, true)).await;
    agent.ack().await;
    assert_eq!(
        (bed.used("pv-a"), bed.used("pv-b"), bed.used("pv-c")),
        (Some(10), Some(20), None)
    );
}

/// As agents are: they need no more than to know that everything was taken in once.
#[tokio::test]
async fn who_does_not_ask_gets_whole_snapshots_acknowledged_and_nothing_else() {
    let bed = Bed::new().await;
    let mut agent = bed.connect().await;
    let Body::Hello(hello) = bed.hello("node-1") else {
        panic!("no Hello")
    };
    let acknowledge = false;
    agent.say(Body::Hello(Hello { acknowledge, ..hello })).await;
    agent.say(bed.snapshot(vec![volume(1, "pv", 100)])).await;
    let first = agent.ack().await;
    assert_eq!(first, bed.now_ms());
    agent
        .say(Body::Changes(Changes {
            as_of_ms: first + 1,
            readings: vec![reading(1, 200)],
            ..Changes::default()
        }))
        .await;
    agent.say(Body::Heartbeat(Heartbeat { after_ms: 2 })).await;
    bed.clock.advance(Duration::from_secs(1));
    agent.say(bed.snapshot(vec![volume(1, "pv", 300)])).await;
    assert_eq!(agent.ack().await, first + 1000, "of the second snapshot");
    assert_eq!(bed.used("pv"), Some(300));
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
    agent.say(Body::Heartbeat(Heartbeat { after_ms: 0 })).await;
    agent.ack().await;
    let trend = bed
        .store
        .window("pv", |_| true)
        .expect("a window")
        .trend(bed.clock.now());
    assert!(trend.rate.is_some(), "known from the past: {trend:?}");
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
