//! Tables of what counts as a change.

use std::sync::Arc;

use super::{Bench, STEP, readings};
use crate::{
    report::Report,
    statfs::Usage,
    sweeper::{Failure, Observation},
    testing::{GIB, observed, stuck, volume},
    volumes::Volume,
};

fn with(seen: Observation, change: impl FnOnce(&mut Usage)) -> Observation {
    let mut last = seen.last.unwrap();
    change(&mut last.usage);
    Observation {
        last: Some(last),
        ..seen
    }
}

#[test]
fn what_counts_as_a_change() {
    let base = || observed("a", 1, GIB);
    let cases: Vec<(&str, Observation, bool)> = vec![
        ("nothing", base(), false),
        ("a later measurement", observed("a", 2, GIB), false),
        ("used, less than a step", observed("a", 2, GIB + STEP - 1), false),
        ("used, a step up", with(base(), |u| u.used += STEP), true),
        ("used, a step down", with(base(), |u| u.used -= STEP), true),
        ("available, a step", with(base(), |u| u.available -= STEP), true),
        ("capacity, one byte", with(base(), |u| u.capacity += 1), true),
        ("inodes, a thousandth", with(base(), |u| u.inodes_free -= 1), true),
        ("inodes in all", with(base(), |u| u.inodes_total += 1), true),
        ("read-only by statfs", with(base(), |u| u.read_only = true), true),
        ("stuck", stuck(base(), Failure::Late), true),
        ("fails", stuck(base(), Failure::Errno(5)), true),
    ];
    for (what, seen, moved) in cases {
        let mut bench = Bench::told(vec![base()]);
        assert_eq!(bench.tick(vec![seen]).is_some(), moved, "{what}");
    }
    let mut bench = Bench::told(vec![base()]);
    let read_only = Arc::new(Volume {
        read_only: true,
        ..volume("a", "xfs")
    });
    let sent = readings(bench.tick(vec![Observation {
        volume: read_only,
        ..base()
    }]));
    assert!(sent[0].usage.read_only, "read-only by mountinfo");
}

#[test]
fn drift_adds_up_because_it_is_counted_from_what_was_sent() {
    let mut bench = Bench::told(vec![observed("a", 0, 0)]);
    let mut sent = Vec::new();
    for n in 1..=40 {
        let report = bench.tick(vec![observed("a", n, STEP / 4 * n.unsigned_abs())]);
        sent.extend(
            report
                .filter(|r| !matches!(r, Report::Heartbeat { .. }))
                .map(|r| readings(Some(r))[0].usage.used),
        );
    }
    // STEP is not a multiple of four: it takes a fifth quarter.
    assert_eq!(sent, (1..=8).map(|n| STEP / 4 * 5 * n).collect::<Vec<_>>());
}

#[test]
fn a_level_is_told_when_crossed_either_way() {
    let mut bench = Bench::told(vec![observed("a", 0, 100), observed("b", 0, 100)]);
    bench.sampler.set_levels([(0, vec![200, 150]), (7, vec![1])]);
    assert_eq!(
        bench.tick(vec![observed("a", 1, 149), observed("b", 1, 151)]),
        None
    );
    assert_eq!(
        readings(bench.tick(vec![observed("a", 2, 150), observed("b", 1, 151)]))[0]
            .usage
            .used,
        150
    );
    assert_eq!(
        readings(bench.tick(vec![observed("a", 3, 149), observed("b", 1, 151)]))[0].index,
        0
    );
    bench.sampler.set_levels([(0, vec![])]);
    assert_eq!(
        bench.tick(vec![observed("a", 4, 250), observed("b", 1, 151)]),
        None
    );
}

#[test]
fn levels_of_an_index_end_with_it() {
    let mut bench = Bench::told(vec![observed("a", 0, 100)]);
    bench.sampler.set_levels([(0, vec![150])]);
    assert!(bench.tick(vec![]).is_some());
    assert!(bench.sampler.levels.is_empty());
}
