//! A receiver that must never be misled, however slowly it takes the messages.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use proptest::prelude::*;

use super::{Bench, STEP};
use crate::{
    report::{Named, Reading, Report},
    sampler::step::{STEP_BYTES, step},
    sweeper::{Failure, Observation},
    testing::{GIB, observed, seconds, stuck, volume},
    volumes::Volume,
};

/// What a decider makes of the messages.
#[derive(Default)]
struct Receiver {
    volumes: BTreeMap<u32, (String, Reading)>,
    used_indices: BTreeSet<u32>,
    parts: BTreeSet<u32>,
}

impl Receiver {
    fn take(&mut self, report: Report) {
        match report {
            Report::Snapshot {
                volumes, first, last, ..
            } => {
                if first {
                    self.parts.clear();
                }
                self.parts.extend(volumes.iter().map(|named| named.reading.index));
                volumes.into_iter().for_each(|named| self.insert(named));
                if last {
                    self.volumes.retain(|index, _| self.parts.contains(index));
                }
            }
            Report::Changes {
                readings,
                added,
                gone,
                ..
            } => {
                for index in gone {
                    assert!(self.volumes.remove(&index).is_some(), "gone before it was there");
                }
                for named in added {
                    assert!(
                        !self.used_indices.contains(&named.reading.index),
                        "an index used again"
                    );
                    self.insert(named);
                }
                for reading in readings {
                    self.volumes
                        .get_mut(&reading.index)
                        .expect("a reading of nothing")
                        .1 = reading;
                }
            }
            Report::History(past) => assert!(past.iter().all(|(index, _)| self.volumes.contains_key(index))),
            Report::Heartbeat { .. } => {}
        }
    }

    fn insert(&mut self, named: Named) {
        self.used_indices.insert(named.reading.index);
        self.volumes
            .insert(named.reading.index, (named.volume.pv.clone(), named.reading));
    }

    /// Panics where it was misled about `truth`.
    fn check(&self, truth: &[Observation]) {
        let mine: BTreeMap<&str, &Reading> = self
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
            let (mine, real) = (mine[seen.volume.pv.as_str()], seen.last.unwrap().usage);
            assert_eq!(mine.failure, seen.failure);
            assert_eq!(mine.usage.capacity, real.capacity);
            assert!(mine.usage.used.abs_diff(real.used) < step(real.capacity, STEP_BYTES));
            assert!(mine.usage.available.abs_diff(real.available) < step(real.capacity, STEP_BYTES));
        }
    }
}

/// One tick: which volumes there are, with what numbers, and how many messages the stream can take after it.
type Tick = (BTreeMap<String, (u64, bool, bool)>, usize);

fn ticks() -> impl Strategy<Value = Vec<Tick>> {
    // Small moves around one base, so that many are under a step, and a few leaps.
    let used = prop_oneof![4 => GIB..GIB + 3 * STEP, 1 => 0..9 * GIB];
    let volumes = proptest::collection::btree_map(
        "[a-f]",
        (used, any::<bool>(), proptest::bool::weighted(0.1)),
        0..6,
    );
    proptest::collection::vec((volumes, 0_usize..3), 1..60)
}

proptest! {
    #[test]
    fn nothing_is_lost_however_slowly_the_stream_takes_it(ticks in ticks()) {
        let mut bench = Bench::new(vec![]);
        let mut receiver = Receiver::default();
        let mut truth = vec![];
        for (at, (volumes, takes)) in ticks.into_iter().enumerate() {
            truth = volumes
                .into_iter()
                .map(|(pv, (used, fails, other_pod))| {
                    let mut seen = observed(&pv, i64::try_from(at).unwrap(), used);
                    if other_pod {
                        seen.volume = Arc::new(Volume { pod_uid: "other".to_owned(), ..volume(&pv, "xfs") });
                    }
                    if fails { stuck(seen, Failure::Late) } else { seen }
                })
                .collect();
            bench.board.put(truth.clone(), seconds(i64::try_from(at).unwrap()));
            bench.now += Duration::from_secs(1);
            for _ in 0..takes {
                bench.next().into_iter().for_each(|report| receiver.take(report));
            }
        }
        while let Some(report) = bench.next() {
            receiver.take(report);
        }
        receiver.check(&truth);
    }
}
