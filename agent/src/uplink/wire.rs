//! Reports as messages of usage/v1. The only place that knows both.

use jiff::Timestamp;
use proto::usage::v1::{
    AgentMessage, Changes, Heartbeat, Hello, History, Point, Reading, Snapshot, Volume, VolumeHistory,
    agent_message::Body,
};

use crate::{
    sampler::{self, Named, Report},
    sweeper::Failure,
};

/// What the agent says of itself.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Name of the node.
    pub node: String,
    /// Version of the agent.
    pub version: String,
    /// The kernel's boot id.
    pub boot_id: String,
}

pub(super) fn hello(identity: &Identity, now: Timestamp) -> AgentMessage {
    let Identity {
        node,
        version,
        boot_id,
    } = identity.clone();
    message(Body::Hello(Hello {
        node,
        version,
        boot_id,
        clock_ms: now.as_millisecond(),
    }))
}

pub(super) fn report(report: Report) -> AgentMessage {
    message(match report {
        Report::Snapshot {
            as_of,
            volumes,
            first,
            last,
        } => Body::Snapshot(Snapshot {
            volumes: volumes.into_iter().map(|named| volume(named, as_of)).collect(),
            as_of_ms: as_of.as_millisecond(),
            last,
            first,
        }),
        Report::History(volumes) => Body::History(History {
            volumes: volumes
                .into_iter()
                .map(|(index, points)| history(index, &points))
                .collect(),
        }),
        Report::Changes {
            as_of,
            readings,
            added,
            gone,
        } => Body::Changes(Changes {
            as_of_ms: as_of.as_millisecond(),
            readings: readings.iter().map(|one| reading(one, as_of)).collect(),
            added: added.into_iter().map(|named| volume(named, as_of)).collect(),
            gone,
        }),
        Report::Heartbeat { as_of } => Body::Heartbeat(Heartbeat {
            as_of_ms: as_of.as_millisecond(),
        }),
    })
}

fn message(body: Body) -> AgentMessage {
    AgentMessage { body: Some(body) }
}

fn volume(named: Named, as_of: Timestamp) -> Volume {
    Volume {
        index: named.reading.index,
        pv: named.volume.pv.clone(),
        pod_uid: named.volume.pod_uid.clone(),
        device: named.volume.device.to_string(),
        fs_type: named.volume.fs_type.clone(),
        reading: Some(reading(&named.reading, as_of)),
    }
}

fn reading(reading: &sampler::Reading, as_of: Timestamp) -> Reading {
    let sampler::Reading {
        index,
        at,
        usage,
        failure,
    } = *reading;
    let errno = match failure {
        Some(Failure::Errno(errno)) => errno,
        None | Some(Failure::Late | Failure::Aborted | Failure::NoSize) => 0,
    };
    Reading {
        index,
        capacity: usage.capacity,
        available: usage.available,
        used: usage.used,
        inodes_total: usage.inodes_total,
        inodes_free: usage.inodes_free,
        read_only: usage.read_only,
        stuck: failure.is_some(),
        age_ms: at.map_or(0, |at| as_of.as_millisecond() - at.as_millisecond()),
        unknown: at.is_none(),
        errno: u32::try_from(errno).unwrap_or(0),
    }
}

fn history(index: u32, points: &[crate::history::Point]) -> VolumeHistory {
    let point = |point: &crate::history::Point| Point {
        at_ms: point.at.as_millisecond(),
        capacity: point.capacity,
        available: point.available,
        used: point.used,
    };
    VolumeHistory {
        index,
        points: points.iter().map(point).collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use prost::Message;

    use super::report;
    use crate::{
        board::Board,
        history::Point,
        sampler::{Named, Reading, Report, Sampler},
        statfs::Usage,
        sweeper::Failure,
        testing::{observed, seconds, volume},
    };

    /// The message limit that both sides keep.
    const LIMIT: usize = 64 << 10;

    fn widest(index: u32) -> Reading {
        let usage = Usage {
            capacity: u64::MAX,
            available: u64::MAX,
            used: u64::MAX,
            inodes_total: u64::MAX,
            inodes_free: u64::MAX,
            read_only: true,
        };
        Reading {
            index,
            at: Some(seconds(0)),
            usage,
            failure: Some(Failure::Errno(i32::MAX)),
        }
    }

    #[test]
    fn the_longest_messages_stay_under_the_limit() {
        let mut long = volume(&"p".repeat(253), "fuse.some-long-filesystem");
        long.pod_uid = "u".repeat(36);
        let named = Named {
            volume: Arc::new(long),
            reading: widest(u32::MAX),
        };
        let as_of = seconds(2_000_000_000);
        let snapshot = Report::Snapshot {
            as_of,
            volumes: vec![named.clone(); 150],
            first: true,
            last: true,
        };
        let changes = Report::Changes {
            as_of,
            readings: vec![widest(u32::MAX); 800],
            added: vec![],
            gone: vec![],
        };
        let point = Point {
            at: as_of,
            capacity: u64::MAX,
            available: u64::MAX,
            used: u64::MAX,
        };
        let history = Report::History(vec![(u32::MAX, vec![point; 120]); 10]);
        for message in [snapshot, changes, history] {
            let length = report(message).encoded_len();
            assert!(length < LIMIT, "{length}");
        }
    }

    #[test]
    fn many_volumes_come_in_parts_under_the_limit() {
        let board = Board::default();
        let volumes = (0..1000)
            .map(|n| observed(&format!("pv-{n:04}-{}", "x".repeat(240)), 1, n))
            .collect();
        board.tick(volumes, seconds(1));
        let mut sampler = Sampler::new(Duration::from_secs(2), Duration::from_secs(600));
        let now = std::time::Instant::now();
        let mut parts = 0;
        while let Some(part) = board.read(|latest| sampler.next(latest, now)) {
            assert!(report(part).encoded_len() < LIMIT);
            parts += 1;
        }
        assert_eq!(parts, 7);
    }
}
