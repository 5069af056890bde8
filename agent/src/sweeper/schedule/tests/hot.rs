//! Hot volumes: their pace, their worker, and what makes them as the others again.

use std::{collections::BTreeMap, time::Duration};

use super::{Bench, PERIOD, ms};
use crate::{
    sweeper::{
        Failure, Measurement,
        schedule::{HAND_OVER, Lane, Step, WorkerId},
    },
    testing::{GIB, seconds, usage, volume},
    volumes::Volume,
};

/// A level of which the volume is just short at [`NEAR`].
const LEVEL: u64 = 8 * GIB;
const NEAR: u64 = LEVEL - 1;

fn has(used: u64) -> Result<Measurement, Failure> {
    Ok(Measurement {
        at: seconds(0),
        took: Duration::ZERO,
        usage: usage(used),
    })
}

impl Bench {
    /// A volume `a` that is hot since its first measurement, and others that are not.
    fn with_hot(others: &[&str]) -> Self {
        let volumes: Vec<_> = ["a"].iter().chain(others).map(|pv| (*pv, "xfs")).collect();
        let mut bench = Self::new(&volumes);
        bench
            .schedule
            .set_levels(BTreeMap::from([("a".to_owned(), vec![LEVEL])]));
        let worker = bench.trusted();
        while let Some(pv) = bench.begin(worker, ms(0)) {
            let used = if pv == "a" { NEAR } else { 1 };
            let finished = bench.schedule.finish(worker, has(used), bench.start);
            assert_eq!(
                finished.unwrap().wake,
                pv == "a",
                "only for a worker that may be asleep"
            );
        }
        bench
    }

    fn is_hot(&self) -> bool {
        self.schedule.observe(self.start).iter().any(|seen| seen.hot)
    }
}

/// How often each volume is measured in a second whose end is left out, by both workers.
fn paces(bench: &mut Bench, from: Duration) -> BTreeMap<String, u32> {
    let mut paces = BTreeMap::new();
    for at in 0..1000 {
        for worker in [bench.trusted(), bench.hot()] {
            while let Some(pv) = bench.begin(worker, from + ms(at)) {
                let used = if pv == "a" { NEAR } else { 1 };
                *paces.entry(pv).or_default() += 1;
                let now = bench.at(from + ms(at));
                bench.schedule.finish(worker, has(used), now);
            }
        }
    }
    paces
}

#[test]
fn a_hot_volume_is_measured_ten_times_as_often() {
    let mut bench = Bench::with_hot(&["b"]);
    assert!(bench.is_hot());
    let paces = paces(&mut bench, PERIOD);
    assert_eq!(paces, BTreeMap::from([("a".to_owned(), 10), ("b".to_owned(), 1)]));
}

#[test]
fn many_others_that_are_due_do_not_delay_it() {
    let mut bench = Bench::with_hot(&["b"]);
    let (trusted, hot) = (bench.trusted(), bench.hot());
    assert_eq!(bench.begin(trusted, PERIOD).as_deref(), Some("b"));
    assert_eq!(bench.begin(hot, PERIOD).as_deref(), Some("a"));
}

#[test]
fn across_its_level_it_is_as_the_others() {
    let mut bench = Bench::with_hot(&[]);
    let hot = bench.hot();
    assert!(bench.begin(hot, ms(100)).is_some());
    let finished = bench.schedule.finish(hot, has(LEVEL), bench.at(ms(101)));
    assert!(finished.unwrap().wake, "the worker of the others may be asleep");
    assert!(!bench.is_hot());
    assert_eq!(bench.schedule.next(hot, bench.at(ms(101))), Step::Wait(None));
    let next = Step::Wait(Some(bench.at(PERIOD)));
    assert_eq!(bench.schedule.next(bench.trusted(), bench.at(ms(101))), next);
}

#[test]
fn one_that_fails_or_hangs_is_not_hot() {
    let mut bench = Bench::with_hot(&[]);
    let hot = bench.hot();
    assert!(bench.begin(hot, ms(100)).is_some());
    bench
        .schedule
        .finish(hot, Err(Failure::Errno(5)), bench.at(ms(100)));
    assert!(!bench.is_hot());

    let mut bench = Bench::with_hot(&[]);
    let hot = bench.hot();
    assert!(bench.begin(hot, ms(100)).is_some());
    let overdue = bench.schedule.overdue(bench.at(ms(100) + HAND_OVER));
    assert_eq!(overdue.start, [(bench.hot(), Lane::Hot)]);
    assert_ne!(bench.hot(), hot, "another has the lane");
    assert_eq!(
        bench.begin(bench.hot(), ms(900)),
        None,
        "and does not wait for it"
    );
    let late = bench.at(ms(9000));
    assert!(bench.schedule.observe(late).iter().all(|seen| !seen.hot));
}

#[test]
fn a_worker_that_found_the_device_in_use_is_woken() {
    let mut bench = Bench::with_hot(&[]);
    let other = Volume {
        device: volume("a", "xfs").device,
        ..volume("b", "xfs")
    };
    bench
        .schedule
        .replace(vec![volume("a", "xfs"), other], bench.at(ms(99)));
    let (trusted, hot) = (bench.trusted(), bench.hot());
    assert_eq!(bench.begin(trusted, ms(100)).as_deref(), Some("b"));
    assert_eq!(bench.begin(hot, ms(100)), None, "one call for each device");
    let wakes = |bench: &mut Bench, worker: WorkerId, used| {
        let finished = bench.schedule.finish(worker, has(used), bench.at(ms(101)));
        finished.unwrap().wake
    };
    assert!(wakes(&mut bench, trusted, 1));
    assert_eq!(bench.begin(hot, ms(101)).as_deref(), Some("a"));
    assert!(!wakes(&mut bench, hot, NEAR), "nobody waits");
}

#[test]
fn a_volume_mounted_anew_keeps_its_levels() {
    let mut bench = Bench::with_hot(&[]);
    let again = Volume {
        mount_id: 2,
        ..volume("a", "xfs")
    };
    bench.schedule.replace(vec![again], bench.at(ms(50)));
    assert!(!bench.is_hot(), "it was not measured yet");
    let worker = bench.trusted();
    assert!(bench.begin(worker, ms(50)).is_some());
    bench.schedule.finish(worker, has(NEAR), bench.at(ms(50)));
    assert!(bench.is_hot());
}
