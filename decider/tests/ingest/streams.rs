//! Streams: who may open one, and what ends it.

use std::time::Duration;

use proto::usage::v1::{AgentMessage, Heartbeat, agent_message::Body};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};
use tonic::Code;

use crate::bed::{Bed, PATIENCE, volume};

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

/// Neither of those that say nothing is waited for long: the one that never spoke HTTP/2 held the end up until the process's time
/// for it was over.
#[tokio::test]
async fn a_shutdown_does_not_wait_for_the_mute() {
    let mut bed = Bed::new().await;
    let _mute = tokio::net::TcpStream::connect(bed.address).await.unwrap();
    let _idle = bed.connect().await;
    let mut agent = bed.agent().await;
    agent.say(bed.snapshot(vec![])).await;
    agent.ack().await;
    bed.stop.cancel();
    assert_eq!(agent.end().await.code(), Code::Unavailable);
    assert!(bed.tasks.try_join_next().is_none(), "left before its time");
    timeout(PATIENCE, bed.tasks.join_next())
        .await
        .expect("ended")
        .unwrap()
        .unwrap();
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

#[tokio::test]
async fn a_stream_lasts_as_long_as_messages_come() {
    let later = async |seconds| {
        for _ in 0..seconds {
            tokio::time::pause();
            tokio::time::advance(Duration::from_secs(1)).await;
            tokio::time::resume();
        }
    };
    let bed = Bed::new().await;
    let mut agent = bed.agent().await;
    agent.say(bed.snapshot(vec![volume(1, "pv", 1)])).await;
    agent.ack().await;
    for _ in 0..3 {
        later(29).await;
        agent.say(Body::Heartbeat(Heartbeat { after_ms: 1 })).await;
        agent.ack().await;
    }
    later(41).await;
    assert_eq!(agent.end().await.code(), Code::DeadlineExceeded);
}
