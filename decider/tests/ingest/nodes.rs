//! Several nodes: what one of them does is its own affair.

use std::time::Duration;

use decider_core::Usage;
use proto::usage::v1::{Heartbeat, Reading, agent_message::Body};
use runtime::clock::Clock;
use units::Reason;

use crate::bed::{Agent, Bed, STALE, reading, volume};

/// An agent that has said Hello for a node, and that its one volume has this reading.
async fn node(bed: &Bed, name: &str, reading: Reading) -> Agent {
    let mut agent = bed.connect().await;
    agent.say(bed.hello(name)).await;
    let mut first = volume(1, &format!("pv-{name}"), 1);
    first.reading = Some(reading);
    agent.say(bed.snapshot(vec![first])).await;
    agent.ack().await;
    agent
}

/// Nodes that say nothing, break the protocol, send what cannot be, vanish, hang: the measurements of all others come in
/// as if they were alone.
#[tokio::test]
async fn trap_02_one_bad_node_does_not_stop_the_cluster() {
    let bed = Bed::new().await;
    let mut good = node(&bed, "good", reading(1, 1)).await;
    let _mute = bed.connect().await;
    let mut broken = node(&bed, "broken", reading(1, 1)).await;
    let before_a_snapshot = bed.connect().await;
    before_a_snapshot.say(bed.hello("early")).await;
    before_a_snapshot
        .say(Body::Heartbeat(Heartbeat { after_ms: 1 }))
        .await;
    broken.say(bed.hello("broken")).await;
    broken.end().await;
    let absurd = Reading {
        used: 1001,
        ..reading(1, 0)
    };
    let _absurd = node(&bed, "absurd", absurd).await;
    let stuck = Reading {
        stuck: true,
        ..reading(1, 1)
    };
    let _hung = node(&bed, "hung", stuck).await;
    drop(node(&bed, "gone", reading(1, 1)).await);
    bed.clock.advance(STALE + Duration::from_secs(1));
    for used in 2..12 {
        good.say(bed.snapshot(vec![volume(1, "pv-good", used)])).await;
        good.ack().await;
        assert_eq!(bed.used("pv-good"), Some(used));
    }
    let now = bed.clock.now();
    let stale = |pv: &str| match bed.store.usage(pv, now, STALE, |_| true) {
        Usage::Seen(seen) => Some(seen.is_stale(now, STALE)),
        Usage::Never | Usage::Refused { .. } => None,
    };
    assert_eq!(stale("pv-good"), Some(false));
    assert_eq!(stale("pv-gone"), Some(true), "known, and known to be old");
    assert_eq!(stale("pv-absurd"), None);
    assert_eq!(bed.metrics.refusals(Reason::AbsurdSample), 1);
}
