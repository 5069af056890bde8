//! The schedule, step by step.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use proptest::prelude::*;

use super::{HAND_OVER, Schedule, Step, WorkerId};
use crate::{
    sweeper::{Failure, Measurement},
    testing::{usage, volume},
    volumes::Volume,
};

mod held_up;
mod hot;
mod simulation;

const PERIOD: Duration = Duration::from_secs(1);
const DEADLINE: Duration = Duration::from_secs(2);

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn measured() -> Result<Measurement, Failure> {
    Ok(Measurement {
        at: Timestamp::UNIX_EPOCH,
        took: Duration::ZERO,
        usage: usage(1),
    })
}

fn names(volumes: &[Volume]) -> Vec<&str> {
    volumes.iter().map(|volume| volume.pv.as_str()).collect()
}

struct Bench {
    schedule: Schedule,
    start: Instant,
}

impl Bench {
    fn new(volumes: &[(&str, &str)]) -> Self {
        let start = Instant::now();
        let mut schedule = Schedule::new(PERIOD, DEADLINE, start);
        schedule.replace(volumes.iter().map(|(pv, fs)| volume(pv, fs)).collect(), start);
        Self { schedule, start }
    }

    fn trusted(&self) -> WorkerId {
        self.schedule.on_duty[0]
    }

    fn hot(&self) -> WorkerId {
        self.schedule.on_duty[1]
    }

    fn doubtful(&self) -> WorkerId {
        self.schedule.on_duty[2]
    }

    fn at(&self, at: Duration) -> Instant {
        self.start + at
    }

    /// Begins a call; the volume it is for, if there is one.
    fn begin(&mut self, worker: WorkerId, at: Duration) -> Option<String> {
        match self.schedule.next(worker, self.start + at) {
            Step::Measure(volume) => Some(volume.pv.clone()),
            Step::Wait(_) | Step::Retire => None,
        }
    }

    fn end(&mut self, worker: WorkerId, at: Duration) {
        self.schedule.finish(worker, measured(), self.start + at);
    }

    fn failures(&self, at: Duration) -> BTreeMap<String, Option<Failure>> {
        let seen = self.schedule.observe(self.start + at);
        seen.into_iter()
            .map(|seen| (seen.volume.pv.clone(), seen.failure))
            .collect()
    }
}

#[test]
fn volumes_are_measured_at_once_and_then_together() {
    let mut bench = Bench::new(&[("a", "xfs")]);
    let worker = bench.trusted();
    assert_eq!(bench.begin(worker, ms(300)).as_deref(), Some("a"));
    bench.end(worker, ms(300));
    bench
        .schedule
        .replace(vec![volume("a", "xfs"), volume("b", "ext4")], bench.at(ms(700)));
    assert_eq!(bench.begin(worker, ms(700)).as_deref(), Some("b"));
    bench.end(worker, ms(701));
    let next = bench.at(PERIOD);
    assert_eq!(
        bench.schedule.next(worker, bench.at(ms(702))),
        Step::Wait(Some(next))
    );
    for pv in ["a", "b"] {
        assert_eq!(bench.begin(worker, PERIOD).as_deref(), Some(pv));
        bench.end(worker, PERIOD);
    }
    assert_eq!(bench.begin(worker, PERIOD), None);
}

#[test]
fn a_missed_sweep_is_not_made_up_for() {
    let mut bench = Bench::new(&[("a", "xfs")]);
    let worker = bench.trusted();
    bench.begin(worker, Duration::ZERO);
    bench.end(worker, ms(4321));
    assert_eq!(
        bench.schedule.next(worker, bench.at(ms(4321))),
        Step::Wait(Some(bench.at(ms(5000))))
    );
}

#[test]
fn the_gap_is_from_start_to_start() {
    let mut bench = Bench::new(&[("a", "xfs")]);
    let worker = bench.trusted();
    let mut finish = |from, to| {
        assert!(bench.begin(worker, from).is_some());
        let finished = bench.schedule.finish(worker, measured(), bench.start + to);
        finished.and_then(|finished| finished.gap)
    };
    assert_eq!(finish(ms(0), ms(3)), None);
    assert_eq!(finish(ms(1000), ms(1040)), Some(ms(1000)));
}

#[test]
fn nothing_is_told_of_a_volume_before_its_first_measurement() {
    let mut bench = Bench::new(&[("a", "xfs")]);
    assert!(bench.failures(ms(5)).is_empty());
    assert!(!bench.schedule.is_complete(bench.at(ms(5))));
    let worker = bench.trusted();
    bench.begin(worker, ms(5));
    bench.end(worker, ms(5));
    assert_eq!(bench.failures(ms(6)), BTreeMap::from([("a".to_owned(), None)]));
    assert!(bench.schedule.is_complete(bench.at(ms(6))));
}

#[test]
fn one_call_for_each_device() {
    let mut bench = Bench::new(&[]);
    let shared = |pv: &str| Volume {
        device: volume("nfs", "nfs4").device,
        ..volume(pv, "nfs4")
    };
    bench
        .schedule
        .replace(vec![shared("a"), shared("b"), volume("c", "nfs4")], bench.start);
    let first = bench.doubtful();
    assert_eq!(bench.begin(first, ms(0)).as_deref(), Some("a"));
    bench.schedule.overdue(bench.at(HAND_OVER));
    let second = bench.doubtful();
    assert_eq!(bench.begin(second, HAND_OVER).as_deref(), Some("c"));
    bench.end(second, HAND_OVER);
    assert_eq!(bench.begin(second, ms(500)), None);
    bench.end(first, ms(600));
    assert_eq!(bench.begin(second, ms(600)).as_deref(), Some("b"));
}

#[test]
fn a_failing_volume_says_why_and_is_tried_each_period() {
    let mut bench = Bench::new(&[("a", "xfs")]);
    let worker = bench.trusted();
    for failure in [Failure::Errno(5), Failure::NoSize] {
        assert!(bench.begin(worker, ms(0)).is_some());
        bench.schedule.finish(worker, Err(failure), bench.start);
        assert_eq!(bench.failures(ms(1))["a"], Some(failure));
        bench.start += PERIOD;
    }
    assert!(bench.begin(worker, ms(0)).is_some());
    bench.end(worker, ms(1));
    assert_eq!(bench.failures(ms(1))["a"], None);
}

#[test]
fn what_was_measured_belongs_to_the_mount() {
    let mut bench = Bench::new(&[("a", "xfs"), ("b", "xfs")]);
    let worker = bench.trusted();
    for _ in 0..2 {
        bench.begin(worker, ms(0));
        bench.end(worker, ms(0));
    }
    let read_only = Volume {
        read_only: true,
        ..volume("a", "xfs")
    };
    let remounted = Volume {
        mount_id: 99,
        ..volume("b", "xfs")
    };
    bench
        .schedule
        .replace(vec![read_only, remounted], bench.at(ms(100)));
    assert_eq!(bench.failures(ms(100)).keys().collect::<Vec<_>>(), ["a"]);
    assert!(bench.schedule.observe(bench.at(ms(100)))[0].volume.read_only);
    assert_eq!(bench.begin(worker, ms(100)).as_deref(), Some("b"));
}

#[test]
fn a_call_for_what_has_gone_says_nothing() {
    let mut bench = Bench::new(&[("a", "xfs")]);
    let worker = bench.trusted();
    bench.begin(worker, ms(0));
    bench.schedule.replace(
        vec![Volume {
            mount_id: 2,
            ..volume("a", "xfs")
        }],
        bench.at(ms(10)),
    );
    bench.end(worker, ms(20));
    assert!(bench.failures(ms(20)).is_empty());
    assert_eq!(bench.begin(worker, ms(20)).as_deref(), Some("a"));
    bench.schedule.replace(vec![], bench.at(ms(30)));
    bench.end(worker, ms(40));
    assert_eq!(bench.schedule.next(worker, bench.at(ms(40))), Step::Wait(None));
}

proptest! {
    #[test]
    fn any_volumes_may_replace_any_others(rounds in proptest::collection::vec(
        proptest::collection::btree_map("[a-e]", 0_u64..3, 0..5), 1..6))
    {
        let mut bench = Bench::new(&[]);
        for mounts in rounds {
            let volumes: Vec<Volume> =
                mounts.iter().map(|(pv, id)| Volume { mount_id: *id, ..volume(pv, "xfs") }).collect();
            let expected = names(&volumes).join(",");
            bench.schedule.replace(volumes.clone(), bench.start);
            let worker = bench.trusted();
            while bench.begin(worker, ms(0)).is_some() {
                bench.end(worker, ms(0));
            }
            let seen: Vec<Arc<Volume>> = bench.schedule.observe(bench.start).into_iter().map(|s| s.volume).collect();
            prop_assert_eq!(seen.iter().map(|v| v.pv.as_str()).collect::<Vec<_>>().join(","), expected);
            prop_assert!(seen.iter().zip(&volumes).all(|(seen, mounted)| **seen == *mounted));
        }
    }
}
