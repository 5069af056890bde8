//! Calls that do not return in time: who takes over, and what becomes of the volume.

use super::{Bench, DEADLINE, ms};
use crate::{
    sweeper::{
        Failure,
        schedule::{HAND_OVER, Lane, Step},
    },
    testing::volume,
    volumes::Volume,
};

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
