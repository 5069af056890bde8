//! What an agent says, on the wire's types.

use prost::Message;
use proto::usage::v1::{
    AgentMessage, Changes, Heartbeat, Hello, History, Point, Reading, Snapshot, Volume, VolumeHistory,
    agent_message::Body,
};

use super::{
    super::fleet::{self, CAPACITY, uid},
    node::{self, Node},
};

/// The largest message of a replay, in bytes, as agents have it.
const LARGEST: usize = 1_400;
/// Inodes of each volume.
const INODES: u64 = 6_553_600;

pub(super) fn hello(index: u32, acknowledge: bool, now_ms: i64) -> AgentMessage {
    wrap(Body::Hello(Hello {
        node: fleet::node(index),
        version: runtime::build::VERSION.to_owned(),
        boot_id: uid('b', index),
        clock_ms: now_ms,
        acknowledge,
    }))
}

/// All volumes, in messages that are not too large.
pub(super) fn snapshots(node: &Node, now_ms: i64) -> Vec<AgentMessage> {
    let volumes = node.volumes.iter().enumerate().map(|(place, volume)| Volume {
        index: index(place),
        pv: fleet::pv(volume.number),
        pod_uid: uid('p', volume.number),
        device: format!("259:{place}"),
        fs_type: "ext4".to_owned(),
        reading: Some(reading(place, volume)),
    });
    let parts = split(volumes);
    let last = parts.len() - 1;
    let parts = parts.into_iter().enumerate().map(|(part, volumes)| {
        wrap(Body::Snapshot(Snapshot {
            volumes,
            as_of_ms: now_ms,
            first: part == 0,
            last: part == last,
        }))
    });
    parts.collect()
}

pub(super) fn changes(node: &Node, moved: &[usize], now_ms: i64) -> AgentMessage {
    // Of a volume only its use moves: the decider has the rest from the snapshot.
    let change = |place: &usize| {
        Some(Reading {
            capacity: None,
            inodes_total: None,
            inodes_free: None,
            ..reading(*place, node.volumes.get(*place)?)
        })
    };
    let readings = moved.iter().filter_map(change);
    wrap(Body::Changes(Changes {
        as_of_ms: now_ms,
        readings: readings.collect(),
        added: Vec::new(),
        gone: Vec::new(),
    }))
}

/// Nothing moved, as of so long after the latest snapshot.
pub(super) fn heartbeat(after_ms: i64) -> AgentMessage {
    wrap(Body::Heartbeat(Heartbeat { after_ms }))
}

/// The past of all volumes, in messages that are not too large.
pub(super) fn histories(node: &Node, now_ms: i64) -> Vec<AgentMessage> {
    let volumes = node.volumes.iter().enumerate();
    let parts = split(volumes.map(|(place, volume)| history(place, *volume, now_ms)));
    let history = |volumes| wrap(Body::History(History { volumes }));
    parts.into_iter().map(history).collect()
}

/// What goes into a message each; one at least.
fn split<M: Message>(volumes: impl Iterator<Item = M>) -> Vec<Vec<M>> {
    let (mut parts, mut part, mut size) = (Vec::new(), Vec::new(), 0);
    for volume in volumes {
        let more = volume.encoded_len() + 8;
        if size + more > LARGEST {
            parts.push(std::mem::take(&mut part));
            size = 0;
        }
        size += more;
        part.push(volume);
    }
    parts.push(part);
    parts
}

fn history(place: usize, volume: node::Volume, now_ms: i64) -> VolumeHistory {
    let points = volume.past(now_ms).map(|(at_ms, used)| Point {
        at_ms,
        capacity: CAPACITY,
        available: CAPACITY - used,
        used,
    });
    VolumeHistory {
        index: index(place),
        points: points.collect(),
    }
}

fn reading(place: usize, volume: &node::Volume) -> Reading {
    Reading {
        index: index(place),
        capacity: Some(CAPACITY),
        available: CAPACITY - volume.used,
        used: volume.used,
        inodes_total: Some(INODES),
        inodes_free: Some(INODES - 4_000),
        read_only: false,
        stuck: false,
        age_ms: 0,
        unknown: false,
        errno: 0,
    }
}

fn index(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

fn wrap(body: Body) -> AgentMessage {
    AgentMessage { body: Some(body) }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::SmallRng};

    use super::*;
    use crate::decider::fleet::Fleet;

    #[test]
    fn long_messages_are_in_parts() {
        let node = Node::new(Fleet::of(1), 0, true, &mut SmallRng::seed_from_u64(1));
        let now = 1_800_000_000_000;
        let messages = [snapshots(&node, now), histories(&node, now)].concat();
        assert!(messages.iter().all(|m| m.encoded_len() <= LARGEST));
        let volumes = messages.iter().map(|m| match &m.body {
            Some(Body::History(history)) => history.volumes.len(),
            Some(Body::Snapshot(snapshot)) => snapshot.volumes.len(),
            _ => 0,
        });
        assert_eq!(volumes.sum::<usize>(), 2 * 30);
    }
}
