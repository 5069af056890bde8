//! What is not believed, or ends its stream with a code: numbers, clocks, messages.

use decider_core::Usage;
use jiff::SignedDuration;
use proto::usage::v1::{
    Changes, Heartbeat, Hello, History, Point, Reading, Snapshot, Volume, VolumeHistory, agent_message::Body,
};
use runtime::clock::Clock;
use tonic::Code;
use units::Reason;

use crate::bed::{Bed, STALE, reading, volume};

/// Absurd numbers are refused one by one, counted, and the stream goes on.
#[tokio::test]
async fn absurd_samples_are_refused_and_counted() {
    let bed = Bed::new().await;
    let mut agent = bed.agent().await;
    let absurd = [
        Reading {
            capacity: Some(0),
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
            inodes_total: Some(10),
            inodes_free: Some(11),
            ..reading(1, 0)
        },
        Reading {
            capacity: Some(u64::MAX),
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
                acknowledge: true,
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
        let Usage::Refused { reason, text } = bed.store.usage("pv", bed.clock.now(), STALE, |_| true) else {
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
    let far = |after_ms| Body::Heartbeat(Heartbeat { after_ms });
    let no_instant = Body::Changes(Changes {
        as_of_ms: i64::MAX,
        ..Changes::default()
    });
    let without = |leave_out: fn(&mut Reading)| {
        let mut volume = volume(1, "pv", 1);
        volume.reading.iter_mut().for_each(leave_out);
        volume
    };
    let later_part = Body::Snapshot(Snapshot {
        volumes: vec![],
        as_of_ms: bed.now_ms(),
        first: false,
        last: true,
    });
    let points = vec![Point::default(); 601];
    let changes = |readings, added, gone| {
        Body::Changes(Changes {
            as_of_ms: bed.now_ms(),
            readings,
            added,
            gone,
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
        (
            "a volume without its capacity",
            bed.snapshot(vec![without(|r| r.capacity = None)]),
        ),
        (
            "a volume without its inodes",
            bed.snapshot(vec![without(|r| r.inodes_total = None)]),
        ),
        (
            "a new volume without its free inodes",
            changes(vec![], vec![without(|r| r.inodes_free = None)], vec![]),
        ),
        ("an instant that does not exist", no_instant),
        ("a heartbeat from beyond the end of time", far(i64::MAX)),
        ("a heartbeat from before its beginning", far(i64::MIN)),
        ("a later part first", later_part),
        (
            "a reading of nothing",
            changes(vec![reading(99, 1)], vec![], vec![]),
        ),
        ("nothing is gone", changes(vec![], vec![], vec![99])),
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
        agent.say(bed.snapshot(vec![])).await;
        agent.say(body).await;
        assert_eq!(agent.end().await.code(), Code::InvalidArgument, "{what}");
        assert_eq!(bed.metrics.refusals(Reason::BadMessage), n, "{what} is counted");
    }
}

/// There is nothing to count from: neither before the first snapshot nor while its last part is still to come.
#[tokio::test]
async fn a_heartbeat_before_a_whole_snapshot_ends_its_stream() {
    let bed = Bed::new().await;
    let first_part = Body::Snapshot(Snapshot {
        volumes: vec![volume(1, "pv", 1)],
        as_of_ms: bed.now_ms(),
        first: true,
        last: false,
    });
    for before in [None, Some(first_part)] {
        let mut agent = bed.agent().await;
        if let Some(before) = before {
            agent.say(before).await;
        }
        agent.say(Body::Heartbeat(Heartbeat { after_ms: 1 })).await;
        let end = agent.end().await;
        assert_eq!(end.code(), Code::InvalidArgument);
        assert!(end.message().contains("heartbeat"), "{end}");
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
