use proptest::prelude::*;

use super::*;

const MIB: u64 = 1 << 20;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(1_800_000_000_000 + ms).expect("in range")
}

fn point(second: i64, mib: u64) -> Point {
    Point {
        at: at(second * 1_000),
        used: Bytes::new(mib * MIB),
        capacity: Bytes::new(1 << 40),
    }
}

fn window(points: impl IntoIterator<Item = (i64, u64)>) -> Window {
    let mut window = Window::default();
    for (second, mib) in points {
        window.push(point(second, mib));
    }
    window
}

/// MiB per second as of that second: now, and in the long run.
fn trend(window: &Window, second: i64) -> (Option<u64>, Option<u64>) {
    let Trend { rate, sustained } = window.trend(at(second * 1_000));
    let mib = |rate: Rate| rate.get() / MIB;
    (rate.map(mib), sustained.map(mib))
}

#[test]
fn a_copy_shows_at_its_rate_and_ends() {
    let mut copy = window([(0, 100), (1, 100)]);
    (2..30).for_each(|s| copy.push(point(s, 100 + 50 * (s as u64 - 1))));
    assert_eq!(trend(&copy, 29).0, Some(50));
    assert_eq!(trend(&copy, 34).0, Some(25), "half of the last ten seconds");
    assert_eq!(trend(&copy, 39).0, Some(0));
}

#[test]
fn a_rise_below_an_earlier_peak_counts_nothing() {
    let tooth = |s: i64| (s, 1_000 + 20 * (s as u64 % 60));
    let saw = window((0..600).map(tooth));
    for second in 540..600 {
        let mut saw = window((0..=second).map(tooth));
        saw.hold(at(second * 1_000));
        assert_eq!(trend(&saw, second).0, Some(0), "at {second}");
    }
    assert_eq!(trend(&saw, 599).1, Some(0), "nor in the long run");
}

#[test]
fn a_peak_is_remembered_for_an_hour() {
    let again = |gap: i64| {
        let mut window = window([(0, 100), (10, 2_000), (11, 100)]);
        (1..gap / 60).for_each(|minute| window.push(point(minute * 60, 100)));
        (gap..gap + 20).for_each(|s| window.push(point(s, 100 + 50 * (s - gap) as u64)));
        trend(&window, gap + 19).0
    };
    assert_eq!(again(1_800), Some(0));
    assert_eq!(again(3_500), Some(0));
    assert_eq!(again(7_200), Some(50));
}

#[test]
fn with_three_seconds_known_there_is_a_rate() {
    assert_eq!(trend(&window([(0, 0), (1, 50), (2, 100)]), 2), (None, None));
    assert_eq!(
        trend(&window([(0, 0), (1, 50), (2, 100), (3, 150)]), 3).0,
        Some(50)
    );
    assert_eq!(
        trend(&window([(0, 7)]), 60),
        (Some(0), Some(0)),
        "it held for a minute"
    );
    assert_eq!(trend(&Window::default(), 60), (None, None));
}

#[test]
fn the_long_run_is_an_average() {
    // A minute's burst of 100 MiB/s in the second half of an hour.
    let burst = window((0..3_600).map(|s| (s, 100 * (s as u64).saturating_sub(3_000).min(60))));
    let (_, sustained) = trend(&burst, 3_599);
    assert!(
        matches!(sustained, Some(2..=3)),
        "6,000 MiB in half an hour: {sustained:?}"
    );
    let steady = window((0..3_600).map(|s| (s, 5 * s as u64)));
    assert!(
        matches!(trend(&steady, 3_599), (Some(5), Some(4..=5))),
        "{:?}",
        trend(&steady, 3_599)
    );
}

#[test]
fn what_a_filesystem_takes_when_it_grows_is_not_filling() {
    let mut grown = window((0..20).map(|s| (s, 1_000)));
    let bigger = |second, mib| Point {
        capacity: Bytes::new(2 << 40),
        ..point(second, mib)
    };
    grown.push(bigger(20, 1_900));
    assert_eq!(trend(&grown, 20).0, Some(0));
    (21..40).for_each(|s| grown.push(bigger(s, 1_900 + 10 * (s as u64 - 20))));
    assert_eq!(trend(&grown, 39).0, Some(10), "what comes then is");
}

#[test]
fn a_gap_is_crossed_evenly_and_its_replay_corrects_it() {
    let mut gap = window([(0, 0), (1, 0)]);
    gap.push(point(61, 6_000));
    assert_eq!(trend(&gap, 61).0, Some(100), "not 600");
    // It rose in the first ten seconds of the gap and has stood still since.
    gap.replay((2..61).map(|s| point(s, 600 * (s as u64 - 1).min(10))));
    assert_eq!(trend(&gap, 61).0, Some(0));
}

#[test]
fn a_level_that_is_vouched_for_is_no_gap() {
    let mut idle = window([(0, 1_000)]);
    idle.hold(at(3_599_000));
    idle.push(point(3_600, 1_500));
    assert_eq!(trend(&idle, 3_600).0, Some(50));
    idle.push(point(3_601, 400));
    idle.hold(at(7_000_000));
    idle.push(point(7_001, 1_490));
    assert_eq!(
        trend(&idle, 7_001).0,
        Some(0),
        "the peak is less than an hour old"
    );
}

#[test]
fn a_restart_is_made_good_by_the_replay() {
    let tooth = |s: i64| (s, 1_000 + 20 * (s as u64 % 60));
    // What an agent keeps: the fullest of every five seconds. The snapshot comes first.
    let mut after = window([tooth(599)]);
    after.replay((0..119).map(|slot| {
        let (s, mib) = tooth(slot * 5 + 4);
        point(s, mib)
    }));
    (600..660).for_each(|s| {
        after.push(point(s, tooth(s).1));
        assert_eq!(trend(&after, s).0, Some(0), "at {s}");
    });
    let mut unknown = Window::default();
    unknown.replay([point(0, 1), point(5, 1), point(10, 101)]);
    assert_eq!(trend(&unknown, 10).0, Some(10), "also before the first reading");
}

#[test]
fn the_past_never_replaces_the_present() {
    let mut window = window([(10, 5)]);
    window.push(point(3, 900));
    window.push(point(10, 900));
    window.replay([point(11, 900)]);
    assert_eq!(trend(&window, 20).0, Some(0));
}

#[test]
fn a_window_has_its_size() {
    assert_eq!(Window::LARGEST, 376);
    let mut idle = window([(0, 1_000), (1, 1_001)]);
    idle.hold(at(3_599_000));
    idle.push(point(3_600, 1_002));
    assert_eq!(size_of::<Window>() + idle.slots.bytes(), 72);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Ten times a second for over an hour in the worst order: there is room without dropping any by force.
    #[test]
    fn there_is_room_for_any_past(steps in prop::collection::vec((1_i64..60_000, 0_u64..1 << 40), 1..600)) {
        let (mut window, mut ms) = (Window::default(), 0);
        for (step, used) in steps {
            ms += step;
            window.push(Point { at: at(ms), used: Bytes::new(used), capacity: Bytes::new(1 << 41) });
            prop_assert!(window.slots.len() < Slots::MOST, "{}", window.slots.len());
        }
    }

    /// No rate out of nothing: it never says more than the largest rise there was within its time.
    #[test]
    fn never_more_than_there_was(steps in prop::collection::vec(0_u64..100, 20..200), from in 0_usize..200) {
        let points: Vec<_> = steps.iter().enumerate().map(|(s, mib)| (s as i64, *mib)).collect();
        let all = window(points.iter().copied());
        let last = steps.len() - 1;
        let peak = |from: usize, to: usize| steps[from..=to].iter().max().copied().unwrap_or(0);
        let rise = peak(0, last) - peak(0, last - 10);
        let rate = all.trend(at(last as i64 * 1_000)).rate.expect("known").get();
        prop_assert_eq!(rate, rise * MIB / 10);
        // The same in two parts, the first replayed after the second.
        let from = from.min(last);
        let mut parts = window(points[from..].iter().copied());
        parts.replay(points[..from].iter().map(|(s, mib)| point(*s, *mib)));
        prop_assert_eq!(parts.trend(at(last as i64 * 1_000)).rate.expect("known").get(), rate);
    }
}
