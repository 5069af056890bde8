//! A receiver of the wire's messages that must never be misled, however slowly it takes them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use proptest::prelude::*;
use proto::usage::v1::{self, AgentMessage, Changes, Heartbeat, Snapshot, agent_message::Body};

use super::{Bench, STEP};
use crate::{
    report::{Reading, Report},
    sampler::step::{self, STEP_BYTES, step},
    statfs::Usage,
    sweeper::{Failure, Measurement, Observation},
    testing::{GIB, observed, seconds, stuck, usage, volume},
    uplink::wire,
    volumes::Volume,
};

/// What a decider makes of the messages.
#[derive(Default)]
struct Receiver {
    /// With readings that leave nothing out.
    volumes: BTreeMap<u32, (String, v1::Reading)>,
    used_indices: BTreeSet<u32>,
    parts: BTreeSet<u32>,
    snapshot_ms: Option<i64>,
    as_of_ms: i64,
}

impl Receiver {
    fn take(&mut self, message: AgentMessage) {
        match message.body.expect("a body") {
            Body::Snapshot(snapshot) => self.snapshot(snapshot),
            Body::Changes(changes) => self.changes(changes),
            Body::Heartbeat(Heartbeat { after_ms }) => {
                self.as_of_ms = self.snapshot_ms.expect("a snapshot before") + after_ms;
            }
            Body::History(past) => {
                assert!(past.volumes.iter().all(|v| self.volumes.contains_key(&v.index)));
            }
            Body::Hello(_) => panic!("no report"),
        }
    }

    fn snapshot(&mut self, snapshot: Snapshot) {
        if snapshot.first {
            self.parts.clear();
        }
        self.parts.extend(snapshot.volumes.iter().map(|v| v.index));
        snapshot.volumes.into_iter().for_each(|v| self.insert(v));
        self.as_of_ms = snapshot.as_of_ms;
        if snapshot.last {
            self.volumes.retain(|index, _| self.parts.contains(index));
            self.snapshot_ms = Some(snapshot.as_of_ms);
        }
    }

    fn changes(&mut self, changes: Changes) {
        self.as_of_ms = changes.as_of_ms;
        for index in changes.gone {
            assert!(self.volumes.remove(&index).is_some(), "gone before it was there");
        }
        for volume in changes.added {
            assert!(!self.used_indices.contains(&volume.index), "an index used again");
            self.insert(volume);
        }
        for change in changes.readings {
            let (_, mine) = self.volumes.get_mut(&change.index).expect("a reading of nothing");
            *mine = v1::Reading {
                capacity: change.capacity.or(mine.capacity),
                inodes_total: change.inodes_total.or(mine.inodes_total),
                inodes_free: change.inodes_free.or(mine.inodes_free),
                ..change
            };
        }
    }

    fn insert(&mut self, volume: v1::Volume) {
        self.used_indices.insert(volume.index);
        let reading = volume.reading.expect("a reading");
        self.volumes.insert(volume.index, (volume.pv, reading));
    }

    /// Panics where it has not what `report` tells, which leaves nothing out.
    fn check_told(&self, report: &Report) {
        let told: Vec<Reading> = match report {
            Report::Snapshot { volumes, .. } => volumes.iter().map(|named| named.reading).collect(),
            Report::Changes { readings, added, .. } => {
                let moved = readings.iter().map(|moved| moved.reading);
                moved.chain(added.iter().map(|named| named.reading)).collect()
            }
            Report::Heartbeat { as_of, .. } => {
                assert_eq!(self.as_of_ms, as_of.as_millisecond());
                return;
            }
            Report::History(_) => return,
        };
        for reading in told {
            assert_eq!(numbers(&self.volumes[&reading.index].1), reading.usage);
        }
    }

    /// Panics where it was misled about `truth`.
    fn check(&self, truth: &[Observation]) {
        let mine: BTreeMap<&str, &v1::Reading> = self
            .volumes
            .values()
            .map(|(pv, reading)| (pv.as_str(), reading))
            .collect();
        assert_eq!(mine.len(), self.volumes.len(), "a volume under two indices");
        assert_eq!(
            mine.keys().copied().collect::<Vec<_>>(),
            truth.iter().map(|s| s.volume.pv.as_str()).collect::<Vec<_>>()
        );
        for seen in truth {
            let mine = mine[seen.volume.pv.as_str()];
            assert_eq!(
                (mine.stuck, mine.unknown),
                (seen.failure.is_some(), seen.last.is_none())
            );
            let (mine, real) = (numbers(mine), step::usage(seen));
            assert_eq!(mine.capacity, real.capacity);
            let (bytes, inodes) = (step(real.capacity, STEP_BYTES), step(real.inodes_total, u64::MAX));
            assert!(mine.used.abs_diff(real.used) < bytes);
            assert!(mine.available.abs_diff(real.available) < bytes);
            assert!(mine.inodes_total.abs_diff(real.inodes_total) < inodes);
            assert!(mine.inodes_free.abs_diff(real.inodes_free) < inodes);
        }
    }
}

/// The numbers of a reading that leaves nothing out.
fn numbers(whole: &v1::Reading) -> Usage {
    Usage {
        capacity: whole.capacity.expect("the capacity"),
        available: whole.available,
        used: whole.used,
        inodes_total: whole.inodes_total.expect("inodes"),
        inodes_free: whole.inodes_free.expect("free inodes"),
        read_only: whole.read_only,
    }
}

/// A volume at one tick: its numbers if it was ever measured, whether that fails, whether another pod has it.
type Shown = (Option<Usage>, bool, bool);
/// One tick: which volumes there are, how many messages the stream can take after it, and how many seconds pass.
type Tick = (BTreeMap<String, Shown>, usize, u64);

fn ticks() -> impl Strategy<Value = Vec<Tick>> {
    // Small moves around one base, so that many are under a step, and a few leaps.
    let used = prop_oneof![4 => GIB..GIB + 3 * STEP, 1 => 0..9 * GIB];
    // A few values each, so that they are often as they were before.
    let grown = prop_oneof![4 => Just(0), 1 => Just(GIB)];
    let inodes = (prop_oneof![4 => Just(1000_u64), 1 => Just(0)], 0..3_u64);
    let usage = (used, grown, inodes).prop_map(|(used, grown, (inodes_total, fewer))| Usage {
        capacity: 10 * GIB + grown,
        inodes_total,
        inodes_free: inodes_total.saturating_sub(fewer),
        ..usage(used)
    });
    let volumes = proptest::collection::btree_map(
        "[a-f]",
        (
            proptest::option::weighted(0.9, usage),
            any::<bool>(),
            proptest::bool::weighted(0.1),
        ),
        0..6,
    );
    // At times the next snapshot is due.
    let pause = prop_oneof![9 => Just(1), 1 => Just(600)];
    proptest::collection::vec((volumes, 0_usize..3, pause), 1..60)
}

fn observation(pv: &str, at: i64, (usage, fails, other_pod): Shown) -> Observation {
    let mut seen = observed(pv, at, 0);
    seen.last = usage.map(|usage| Measurement {
        at: seconds(at),
        took: Duration::ZERO,
        usage,
    });
    if other_pod {
        seen.volume = Arc::new(Volume {
            pod_uid: "other".to_owned(),
            ..volume(pv, "xfs")
        });
    }
    if fails { stuck(seen, Failure::Late) } else { seen }
}

proptest! {
    #[test]
    fn nothing_is_lost_however_slowly_the_stream_takes_it(ticks in ticks()) {
        let mut bench = Bench::new(vec![]);
        let mut receiver = Receiver::default();
        let mut take = |report: Report| {
            receiver.take(wire::message(report.clone()));
            receiver.check_told(&report);
        };
        let mut truth = vec![];
        for (at, (volumes, takes, pause)) in (0..).zip(ticks) {
            truth = volumes.into_iter().map(|(pv, shown)| observation(&pv, at, shown)).collect();
            bench.board.put(truth.clone(), seconds(at));
            bench.now += Duration::from_secs(pause);
            for _ in 0..takes {
                bench.next().into_iter().for_each(&mut take);
            }
        }
        while let Some(report) = bench.next() {
            take(report);
        }
        receiver.check(&truth);
    }
}
