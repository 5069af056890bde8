//! Reports as messages of usage/v1. The only place that knows both.

use jiff::Timestamp;
use proto::usage::v1::{
    AgentMessage, Changes, Heartbeat, Hello, History, Point, Reading, Snapshot, Volume, VolumeHistory,
    agent_message::Body,
};

use crate::{
    report::{self, Moved, Named, Report},
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
    wrap(Body::Hello(Hello {
        node,
        version,
        boot_id,
        clock_ms: now.as_millisecond(),
        acknowledge: false,
    }))
}

pub(crate) fn message(report: Report) -> AgentMessage {
    wrap(match report {
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
            readings: readings.iter().map(|moved| change(moved, as_of)).collect(),
            added: added.into_iter().map(|named| volume(named, as_of)).collect(),
            gone,
        }),
        Report::Heartbeat { as_of, snapshot } => Body::Heartbeat(Heartbeat {
            after_ms: as_of.as_millisecond() - snapshot.as_millisecond(),
        }),
    })
}

fn wrap(body: Body) -> AgentMessage {
    AgentMessage { body: Some(body) }
}

fn volume(named: Named, as_of: Timestamp) -> Volume {
    Volume {
        index: named.reading.index,
        pv: named.volume.pv.clone(),
        pod_uid: named.volume.pod_uid.clone(),
        device: named.volume.device.to_string(),
        fs_type: word(&named.volume.fs_type),
        reading: Some(reading(&named.reading, as_of)),
    }
}

/// A FUSE server may call itself anything; a decider takes printable words of this length.
fn word(text: &str) -> String {
    text.chars().filter(char::is_ascii_graphic).take(128).collect()
}

/// A reading without those of its seldom changing numbers that the decider has from the one before.
fn change(moved: &Moved, as_of: Timestamp) -> Reading {
    let Moved { reading: new, before } = moved;
    let news = |new: u64, before: u64| (new != before).then_some(new);
    Reading {
        capacity: news(new.usage.capacity, before.capacity),
        inodes_total: news(new.usage.inodes_total, before.inodes_total),
        inodes_free: news(new.usage.inodes_free, before.inodes_free),
        ..reading(new, as_of)
    }
}

/// A whole reading.
fn reading(reading: &report::Reading, as_of: Timestamp) -> Reading {
    let report::Reading {
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
        capacity: Some(usage.capacity),
        available: usage.available,
        used: usage.used,
        inodes_total: Some(usage.inodes_total),
        inodes_free: Some(usage.inodes_free),
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
    use std::{
        collections::BTreeMap,
        time::{Duration, Instant},
    };

    use jiff::Timestamp;
    use prost::Message;

    use crate::{
        board::Board,
        report::{BYTES_A_MESSAGE, Moved, Reading, Report},
        sampler::Sampler,
        statfs::Usage,
        sweeper::{Failure, Observation},
        testing::{GIB, observed, seconds, stuck, usage},
    };

    /// The longest past of one volume, which is not parted.
    const LONGEST_PAST: usize = 5_500;

    /// Volumes whose names and numbers take as much as they can, all different at each tick.
    fn widest(count: u64, tick: u64) -> Vec<Observation> {
        let widest = |n: u64| {
            let mut seen = stuck(observed(&format!("{n:0253}"), 0, 0), Failure::Errno(i32::MAX));
            if let Some(last) = &mut seen.last {
                last.at = at(tick);
                let nearly = u64::MAX - (tick << 40);
                let (capacity, available, used) = (nearly, nearly, nearly);
                let (inodes_total, inodes_free, read_only) = (nearly, nearly, true);
                last.usage = Usage {
                    capacity,
                    available,
                    used,
                    inodes_total,
                    inodes_free,
                    read_only,
                };
            }
            seen
        };
        (0..count).map(widest).collect()
    }

    fn at(tick: u64) -> Timestamp {
        seconds(2_000_000_000 + 5 * tick.cast_signed())
    }

    /// Sends all there is to send; the number of messages of each kind.
    fn send(sampler: &mut Sampler, board: &Board) -> BTreeMap<&'static str, usize> {
        let mut kinds = BTreeMap::new();
        while let Some(message) = board.read(|latest| sampler.tick(latest, Instant::now())) {
            let kind = match message {
                Report::Snapshot { .. } => "snapshot",
                Report::History(_) => "history",
                Report::Changes { .. } => "changes",
                Report::Heartbeat { .. } => "heartbeat",
            };
            *kinds.entry(kind).or_default() += 1;
            let length = super::message(message).encoded_len();
            let limit = match kind {
                "history" => LONGEST_PAST,
                _ => BYTES_A_MESSAGE,
            };
            assert!(length <= limit, "{kind} of {length}");
        }
        kinds
    }

    #[test]
    fn the_longest_messages_stay_under_the_limit() {
        let board = Board::default();
        let stream = || Sampler::new(Duration::from_secs(3600), Duration::from_secs(3600));
        let mut early = stream();
        board.put(widest(1000, 0), at(0));
        assert!(send(&mut early, &board)["snapshot"] > 1);
        for tick in 1..=121 {
            board.put(widest(300, tick), at(tick));
        }
        assert!(send(&mut early, &board)["changes"] > 1);
        assert!(send(&mut stream(), &board)["history"] > 1);
        // Of the present, ten such volumes still go into one.
        let board = Board::default();
        let mut few = stream();
        board.put(widest(10, 0), at(0));
        send(&mut few, &board);
        board.put(widest(10, 1), at(1));
        assert_eq!(send(&mut few, &board), BTreeMap::from([("changes", 1)]));
    }

    #[test]
    fn a_change_leaves_out_what_was_sent_before() {
        let before = usage(GIB);
        let told = |before: Usage, usage: Usage| {
            let reading = Reading {
                index: 3,
                at: Some(at(0)),
                usage,
                failure: None,
            };
            let change = super::change(&Moved { reading, before }, at(0));
            assert_eq!((change.available, change.used), (usage.available, usage.used));
            [change.capacity, change.inodes_total, change.inodes_free]
        };
        assert_eq!(told(before, before), [None; 3]);
        assert_eq!(told(before, usage(2 * GIB)), [None; 3]);
        let grown = Usage {
            capacity: 20 * GIB,
            inodes_free: 0,
            ..before
        };
        assert_eq!(told(before, grown), [Some(20 * GIB), None, Some(0)]);
        let never = Usage::default();
        assert_eq!(told(never, before), [Some(10 * GIB), Some(1000), Some(900)]);
        assert_eq!(told(before, never), [Some(0); 3]);
    }

    #[test]
    fn the_name_of_a_filesystem_is_a_word() {
        assert_eq!(super::word("fuse.a b\n\u{fe}"), "fuse.ab");
        assert_eq!(super::word(&"x".repeat(500)).len(), 128);
    }
}
