//! The schedule by itself, and in a simulation of workers whose calls return at once or never.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use proptest::prelude::*;

use super::{HAND_OVER, Lane, RETRIES, STRANDED, STRANDED_DOUBTFUL, Schedule, Step, WorkerId};
use crate::{
    sweeper::{Failure, Measurement},
    testing::{usage, volume},
    volumes::Volume,
};

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

    fn doubtful(&self) -> WorkerId {
        self.schedule.on_duty[1]
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
        bench.schedule.finish(worker, measured(), bench.start + to)
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
fn a_worker_that_is_held_up_is_replaced_and_its_result_still_counts() {
    let mut bench = Bench::new(&[("a", "xfs"), ("b", "xfs")]);
    let old = bench.trusted();
    assert_eq!(bench.begin(old, ms(0)).as_deref(), Some("a"));
    let early = bench.schedule.overdue(bench.at(HAND_OVER - ms(1)));
    assert_eq!((early.start.len(), early.next), (0, Some(bench.at(HAND_OVER))));
    let late = bench.schedule.overdue(bench.at(HAND_OVER));
    let new = bench.trusted();
    assert_eq!(late.start, [(new, Lane::Trusted)]);
    assert_eq!(bench.begin(new, HAND_OVER).as_deref(), Some("b"));
    assert_eq!(bench.schedule.stranded(), 1);
    // The call outlives its deadline and returns after all.
    bench.end(new, HAND_OVER);
    assert_eq!(bench.failures(ms(3001))["a"], Some(Failure::Late));
    bench.end(old, ms(3100));
    assert_eq!(bench.schedule.next(old, bench.at(ms(3100))), Step::Retire);
    assert_eq!(bench.schedule.stranded(), 0);
    // Its measurement began at 0, so it is current only for the next one.
    let doubtful = bench.doubtful();
    assert_eq!(bench.begin(doubtful, ms(4000)).as_deref(), Some("a"));
    bench.end(doubtful, ms(4001));
    assert_eq!(bench.failures(ms(4001))["a"], None);
    // One that is prompt again is trusted again.
    assert_eq!(bench.begin(doubtful, ms(5000)), None);
    assert_eq!(bench.begin(new, ms(5000)).as_deref(), Some("b"));
    bench.end(new, ms(5000));
    assert_eq!(bench.begin(new, ms(5000)).as_deref(), Some("a"));
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

#[test]
fn a_new_mount_of_a_device_that_hangs_is_doubtful() {
    let mut bench = Bench::new(&[("a", "xfs")]);
    let worker = bench.trusted();
    bench.begin(worker, ms(0));
    bench.schedule.overdue(bench.at(HAND_OVER));
    let again = Volume {
        mount_id: 2,
        ..volume("a", "xfs")
    };
    bench.schedule.replace(vec![again], bench.at(ms(100)));
    let trusted = bench.trusted();
    assert_eq!(bench.begin(trusted, ms(100)), None);
}

#[test]
fn doubtful_calls_are_aborted_once_at_their_deadline_and_tried_again_later() {
    let mut bench = Bench::new(&[("a", "nfs")]);
    let worker = bench.doubtful();
    bench.begin(worker, ms(0));
    assert_eq!(
        bench.schedule.overdue(bench.at(HAND_OVER)).next,
        Some(bench.at(DEADLINE))
    );
    let overdue = bench.schedule.overdue(bench.at(DEADLINE));
    assert_eq!((overdue.abort, overdue.next), (vec![worker], None));
    assert!(
        bench
            .schedule
            .overdue(bench.at(DEADLINE + ms(1)))
            .abort
            .is_empty()
    );
    bench
        .schedule
        .finish(worker, Err(Failure::Aborted), bench.at(DEADLINE + ms(5)));
    let next = bench.doubtful();
    assert_eq!(
        bench.schedule.next(next, bench.at(DEADLINE + ms(5))),
        Step::Wait(Some(bench.at(2 * DEADLINE + ms(5))))
    );
}

/// Volumes whose servers answer at once or not at all.
struct Simulation {
    bench: Bench,
    hung: BTreeSet<String>,
    /// Whether a call that hangs can be aborted.
    killable: bool,
    workers: BTreeMap<WorkerId, Option<String>>,
    starts: BTreeMap<String, Vec<Duration>>,
    most_blocked: usize,
}

impl Simulation {
    fn new(volumes: &[(String, &str)], hung: BTreeSet<String>, killable: bool) -> Self {
        let volumes: Vec<(&str, &str)> = volumes.iter().map(|(pv, fs)| (pv.as_str(), *fs)).collect();
        let bench = Bench::new(&volumes);
        let workers = bench
            .schedule
            .first_workers()
            .map(|(worker, _)| (worker, None))
            .into();
        Self {
            bench,
            hung,
            killable,
            workers,
            starts: BTreeMap::new(),
            most_blocked: 0,
        }
    }

    /// Runs in steps of a millisecond.
    fn run(&mut self, from: u64, to: u64) {
        for now in from..to {
            self.work(ms(now));
            let overdue = self.bench.schedule.overdue(self.bench.at(ms(now)));
            self.workers
                .extend(overdue.start.into_iter().map(|(worker, _)| (worker, None)));
            for worker in overdue.abort.into_iter().filter(|_| self.killable) {
                let now = self.bench.at(ms(now));
                self.bench.schedule.finish(worker, Err(Failure::Aborted), now);
                self.workers.insert(worker, None);
            }
            self.most_blocked = self.most_blocked.max(self.workers.values().flatten().count());
        }
    }

    fn work(&mut self, now: Duration) {
        let mut idle: Vec<WorkerId> = self
            .workers
            .iter()
            .filter(|(_, call)| call.is_none())
            .map(|(w, _)| *w)
            .collect();
        while let Some(worker) = idle.pop() {
            match self.bench.schedule.next(worker, self.bench.start + now) {
                Step::Wait(_) => {}
                Step::Retire => {
                    self.workers.remove(&worker);
                }
                Step::Measure(volume) if self.hung.contains(&volume.pv) => {
                    self.workers.insert(worker, Some(volume.pv.clone()));
                }
                Step::Measure(volume) => {
                    self.starts.entry(volume.pv.clone()).or_default().push(now);
                    self.bench.end(worker, now);
                    idle.push(worker);
                }
            }
        }
    }

    fn recover(&mut self, now: u64) {
        self.hung.clear();
        let blocked: Vec<_> = self
            .workers
            .iter()
            .filter(|(_, call)| call.is_some())
            .map(|(w, _)| *w)
            .collect();
        for worker in blocked {
            self.bench.end(worker, ms(now));
            self.workers.insert(worker, None);
        }
    }

    fn largest_gap(&self, fs: impl Fn(&str) -> bool, until: Duration) -> Duration {
        let of = |starts: &Vec<Duration>| {
            let ends = starts.iter().skip(1).copied().chain([until]);
            starts.iter().zip(ends).map(|(from, to)| to - *from).max()
        };
        self.starts
            .iter()
            .filter(|(pv, _)| fs(pv))
            .filter_map(|(_, starts)| of(starts))
            .max()
            .unwrap_or_default()
    }
}

fn fleet(trusted: usize, doubtful: usize) -> Vec<(String, &'static str)> {
    let trusted = (0..trusted).map(|n| (format!("t{n}"), "xfs"));
    trusted
        .chain((0..doubtful).map(|n| (format!("d{n}"), "fuse")))
        .collect()
}

#[test]
fn twenty_hung_servers_do_not_slow_a_hundred_volumes() {
    for killable in [true, false] {
        let mut sim = Simulation::new(&fleet(100, 20), BTreeSet::new(), killable);
        sim.run(0, 1500);
        sim.hung = (0..20).map(|n| format!("d{n}")).collect();
        sim.run(1500, 61_500);
        assert!(
            sim.largest_gap(|pv| pv.starts_with('t'), ms(61_500)) <= PERIOD,
            "killable: {killable}"
        );
        assert!(sim.most_blocked <= STRANDED_DOUBTFUL + 1, "{}", sim.most_blocked);
        let failures = sim.bench.failures(ms(61_500));
        assert!(
            failures
                .iter()
                .all(|(pv, failure)| failure.is_some() == pv.starts_with('d')),
            "{failures:?}"
        );
        // All come back within the pause after an abort.
        sim.recover(61_500);
        sim.run(61_500, 64_600);
        assert!(sim.bench.failures(ms(64_600)).values().all(Option::is_none));
        assert_eq!(sim.bench.schedule.stranded(), 0);
        assert_eq!(sim.workers.len(), 2);
    }
}

#[test]
fn servers_that_answer_keep_their_pace_beside_those_that_hang() {
    let hung: BTreeSet<String> = (0..20).map(|n| format!("d{n}")).collect();
    let mut sim = Simulation::new(&fleet(0, 120), hung.clone(), true);
    sim.run(0, 60_000);
    // Each of the hung has been found out by then, and they share the calls that are left for them.
    let settled = |starts: &Vec<Duration>| {
        starts
            .windows(2)
            .filter(|w| w[0] > ms(20_000))
            .map(|w| w[1] - w[0])
            .max()
    };
    let healthy = sim.starts.iter().filter(|(pv, _)| !hung.contains(*pv));
    assert_eq!(healthy.clone().count(), 100);
    assert!(healthy.filter_map(|(_, starts)| settled(starts)).max().unwrap() <= PERIOD + HAND_OVER);
    const { assert!(RETRIES < STRANDED_DOUBTFUL) };
}

#[test]
fn trusted_devices_that_begin_to_hang_cost_a_hand_over_each() {
    for hung in 0..=STRANDED {
        let mut sim = Simulation::new(&fleet(100, 0), BTreeSet::new(), false);
        sim.run(0, 1500);
        sim.hung = (0..hung).map(|n| format!("t{}", n * 10)).collect();
        sim.run(1500, 20_000);
        let hangs = sim.hung.clone();
        let gap = sim.largest_gap(|pv| !hangs.contains(pv), ms(20_000));
        // Each hand-over is seen at the next millisecond of the simulation.
        let bound = PERIOD + (HAND_OVER + ms(1)) * u32::try_from(hung).unwrap();
        assert!(gap <= bound && bound <= ms(1500), "{hung}: {gap:?}");
        assert_eq!(sim.bench.schedule.stranded(), hung);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn whatever_hangs_trusted_volumes_keep_their_pace_and_all_recover(
        doubtful in 0_usize..30, hung in proptest::collection::btree_set(0_usize..30, 0..30),
        trusted_hung in 0_usize..3, killable: bool, at in 1000_u64..3000)
    {
        let mut sim = Simulation::new(&fleet(20, doubtful), BTreeSet::new(), killable);
        sim.run(0, at);
        sim.hung = hung.iter().map(|n| format!("d{n}")).chain((0..trusted_hung).map(|n| format!("t{n}"))).collect();
        sim.run(at, at + 9000);
        let hangs = sim.hung.clone();
        let gap = sim.largest_gap(|pv| pv.starts_with('t') && !hangs.contains(pv), ms(at + 9000));
        prop_assert!(gap <= PERIOD + (HAND_OVER + ms(1)) * 3, "{:?}", gap);
        prop_assert!(sim.bench.schedule.stranded() <= STRANDED);
        sim.recover(at + 9000);
        sim.run(at + 9000, at + 12_100);
        prop_assert!(sim.bench.failures(ms(at + 12_100)).values().all(Option::is_none));
        prop_assert_eq!(sim.workers.len(), 2);
    }

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
