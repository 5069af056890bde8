//! What is told of a change, and in which messages.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use super::Sampler;
use crate::{
    board::Board,
    report::{BYTES_A_MESSAGE, READING_BYTES, Reading, Report, bytes},
    sweeper::Observation,
    testing::{GIB, observed, seconds, volume},
    volumes::Volume,
};

mod receiver;
mod steps;

const HEARTBEAT: Duration = Duration::from_secs(2);
const SNAPSHOT_EVERY: Duration = Duration::from_secs(600);
/// A thousandth of the 10 GiB of [`observed`].
const STEP: u64 = 10 * GIB / 1000;

/// A board and one stream from it.
struct Bench {
    board: Board,
    sampler: Sampler,
    now: Instant,
    second: i64,
}

impl Bench {
    fn new(volumes: Vec<Observation>) -> Self {
        let bench = Self {
            board: Board::default(),
            sampler: Sampler::new(HEARTBEAT, SNAPSHOT_EVERY),
            now: Instant::now(),
            second: 0,
        };
        bench.board.put(volumes, seconds(0));
        bench
    }

    /// A stream that has been told of `volumes`.
    fn told(volumes: Vec<Observation>) -> Self {
        let mut bench = Self::new(volumes);
        while !matches!(bench.next(), None | Some(Report::Heartbeat { .. })) {}
        bench
    }

    fn next(&mut self) -> Option<Report> {
        self.board.read(|latest| self.sampler.tick(latest, self.now))
    }

    /// A second later.
    fn tick(&mut self, volumes: Vec<Observation>) -> Option<Report> {
        self.second += 1;
        self.now += Duration::from_secs(1);
        self.board.put(volumes, seconds(self.second));
        self.next()
    }
}

fn readings(report: Option<Report>) -> Vec<Reading> {
    match report {
        Some(Report::Changes {
            readings,
            added,
            gone,
            ..
        }) => {
            assert!(added.is_empty() && gone.is_empty());
            readings.into_iter().map(|moved| moved.reading).collect()
        }
        other => panic!("no changes but {other:?}"),
    }
}

#[test]
fn begins_with_a_snapshot_even_of_nothing() {
    let mut bench = Bench::new(vec![]);
    let empty = Report::Snapshot {
        as_of: seconds(0),
        volumes: vec![],
        first: true,
        last: true,
    };
    assert_eq!(bench.next(), Some(empty));
    assert_eq!(bench.next(), None);
}

#[test]
fn a_heartbeat_only_when_nothing_else_went_out() {
    let mut bench = Bench::told(vec![observed("a", 0, 0)]);
    assert_eq!(bench.tick(vec![observed("a", 1, 0)]), None);
    assert_eq!(
        bench.tick(vec![observed("a", 2, 0)]),
        Some(Report::Heartbeat {
            as_of: seconds(2),
            snapshot: seconds(0)
        })
    );
    assert_eq!(bench.tick(vec![observed("a", 3, 0)]), None);
    assert!(matches!(
        bench.tick(vec![observed("a", 4, GIB)]),
        Some(Report::Changes { .. })
    ));
    assert_eq!(bench.tick(vec![observed("a", 5, GIB)]), None);
    assert_eq!(
        bench.sampler.heartbeat_due(bench.now),
        bench.now + Duration::from_secs(1)
    );
}

#[test]
fn another_pod_is_another_index() {
    let mut bench = Bench::told(vec![observed("a", 0, 0), observed("b", 0, 0)]);
    let moved = Arc::new(Volume {
        pod_uid: "other".to_owned(),
        ..volume("a", "xfs")
    });
    let other = Observation {
        volume: Arc::clone(&moved),
        ..observed("a", 1, 0)
    };
    let Some(Report::Changes {
        added,
        gone,
        readings,
        ..
    }) = bench.tick(vec![other.clone()])
    else {
        panic!("no changes");
    };
    assert_eq!((gone, readings.len()), (vec![1, 0], 0));
    assert_eq!(
        (added[0].reading.index, &added[0].volume.pod_uid),
        (2, &"other".to_owned())
    );
    let Some(Report::Changes { added, .. }) = bench.tick(vec![other, observed("b", 2, 0)]) else {
        panic!("no changes");
    };
    assert_eq!(added[0].reading.index, 3);
}

#[test]
fn everything_again_after_ten_minutes_under_the_same_indices() {
    let mut bench = Bench::told(vec![observed("a", 0, 0), observed("b", 0, 5)]);
    bench.tick(vec![observed("b", 0, 5)]);
    bench.now += SNAPSHOT_EVERY;
    let Some(Report::Snapshot {
        volumes,
        first: true,
        last: true,
        ..
    }) = bench.tick(vec![observed("b", 1, 6), observed("c", 1, 7)])
    else {
        panic!("no snapshot");
    };
    let seen: Vec<_> = volumes
        .iter()
        .map(|v| (v.reading.index, v.volume.pv.as_str(), v.reading.usage.used))
        .collect();
    assert_eq!(seen, [(1, "b", 6), (2, "c", 7)]);
    assert_eq!(bench.next(), None, "the past is told only once");
}

#[test]
fn the_past_follows_the_first_snapshot() {
    let mut bench = Bench::new(vec![observed("a", 0, 0), observed("b", 0, 0)]);
    bench
        .board
        .put(vec![observed("a", 5, GIB), observed("b", 0, 0)], seconds(5));
    assert!(matches!(bench.next(), Some(Report::Snapshot { .. })));
    let Some(Report::History(past)) = bench.next() else {
        panic!("no history");
    };
    let points: Vec<_> = past
        .iter()
        .map(|(i, points)| (*i, points.iter().map(|p| p.at).collect::<Vec<_>>()))
        .collect();
    assert_eq!(
        points,
        [(0, vec![seconds(0)])],
        "what the snapshot tells is not told twice"
    );
}

/// So many readings fill a message.
fn a_message() -> usize {
    let last = bytes(&observed("pv-00000", 0, 0).volume);
    (BYTES_A_MESSAGE - last) / READING_BYTES + 1
}

#[test]
fn more_than_fits_one_message_is_told_in_turn() {
    let a_message = a_message();
    let names: Vec<String> = (0..2 * a_message).map(|n| format!("pv-{n:05}")).collect();
    let all = |at: i64, used: u64| names.iter().map(|pv| observed(pv, at, used)).collect::<Vec<_>>();
    let mut bench = Bench::told(all(0, 0));
    let first = bench.tick(all(1, GIB));
    assert!(
        matches!(first, Some(Report::Changes { as_of, .. }) if as_of == seconds(0)),
        "not all is told yet"
    );
    let first = readings(first);
    assert_eq!(first.len(), a_message);
    // The first half has moved again, but the second is told before.
    let second = readings(bench.tick(all(2, 2 * GIB)));
    let told: BTreeSet<u32> = first.iter().chain(&second).map(|reading| reading.index).collect();
    assert_eq!(told.len(), names.len());
}

#[test]
fn many_new_volumes_come_in_several_messages() {
    let mut bench = Bench::told(vec![]);
    let all: Vec<_> = (0..1000).map(|n| observed(&format!("pv-{n:05}"), 1, 0)).collect();
    let mut added = Vec::new();
    let mut report = bench.tick(all);
    while let Some(Report::Changes { added: some, .. }) = report {
        added.push(some.len());
        report = bench.next();
    }
    assert_eq!(added.iter().sum::<usize>(), 1000);
    assert!(added.len() > 1, "{added:?}");
}

/// Otherwise nobody would vouch for the last one while just so many others move.
#[test]
fn what_a_full_message_left_is_vouched_for() {
    let all = |at: i64, used: u64| {
        let movers = (0..a_message()).map(|n| observed(&format!("pv-{n:05}"), at, used));
        movers.chain([observed("still", at, 0)]).collect::<Vec<_>>()
    };
    let mut bench = Bench::told(all(0, 0));
    for second in 1..=3 {
        let moved = readings(bench.tick(all(second, second.cast_unsigned() * GIB)));
        assert_eq!(moved.len(), a_message());
        let (as_of, snapshot) = (seconds(second), seconds(0));
        assert_eq!(bench.next(), Some(Report::Heartbeat { as_of, snapshot }));
        assert_eq!(bench.next(), None);
    }
}

#[test]
fn many_that_are_gone_are_told_once_each_before_anybody_vouches() {
    for left in [vec![], vec![observed("pv-00000", 1, 0)]] {
        let all = (0..1000).map(|n| observed(&format!("pv-{n:05}"), 0, 0)).collect();
        let mut bench = Bench::told(all);
        let mut told = Vec::new();
        let mut report = bench.tick(left.clone());
        while let Some(Report::Changes { as_of, gone, .. }) = report {
            told.extend(gone);
            let is_last = told.len() == 1000 - left.len();
            assert_eq!(as_of == seconds(1), is_last, "{} told", told.len());
            report = bench.next();
        }
        told.sort_unstable();
        let first = u32::try_from(left.len()).unwrap();
        assert_eq!(told, (first..1000).collect::<Vec<u32>>());
    }
}
