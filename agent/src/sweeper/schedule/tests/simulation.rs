//! Workers whose calls return at once or never, in steps of a millisecond: the gaps that the schedule promises.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use proptest::prelude::*;

use super::{Bench, PERIOD, ms};
use crate::sweeper::{
    Failure,
    schedule::{HAND_OVER, RETRIES, STRANDED, STRANDED_DOUBTFUL, Step, WorkerId},
};

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
fn trap_13_twenty_hung_servers_do_not_slow_a_hundred_volumes() {
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
        assert_eq!(sim.workers.len(), 3);
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
        prop_assert_eq!(sim.workers.len(), 3);
    }
}
