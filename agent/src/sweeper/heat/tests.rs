//! What makes a volume hot, in tables.

use jiff::Timestamp;

use super::Heat;
use crate::{
    statfs::Usage,
    testing::{GIB, usage},
};

const MIB: u64 = 1 << 20;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(1_800_000_000_000 + millis).unwrap()
}

/// Takes `used` each second from zero on; whether the last made it hot.
fn after(levels: &[u64], used: &[u64]) -> bool {
    let mut heat = Heat::default();
    heat.set_levels(levels.to_vec());
    for (second, used) in (0..).zip(used) {
        heat.take(at(1000 * second), &usage(*used));
    }
    heat.is_hot()
}

#[test]
fn what_makes_a_volume_hot() {
    // The capacity is 10 GiB: a hundredth is 102 MiB, and what fills in a minute does so at 171 MiB a second from empty.
    let cases: [(&str, &[u64], &[u64], bool); 12] = [
        ("nothing is known of its rate", &[], &[9 * GIB], false),
        ("it stands still", &[], &[9 * GIB, 9 * GIB, 9 * GIB], false),
        ("full in 59 s", &[], &[0, 0, 171 * MIB, 342 * MIB], true),
        ("full in 120 s", &[], &[0, 84 * MIB, 168 * MIB], false),
        ("it empties", &[], &[9 * GIB, 8 * GIB, 7 * GIB], false),
        (
            "it was fast and has stopped",
            &[],
            &[0, GIB, 2 * GIB, 2 * GIB, 2 * GIB],
            false,
        ),
        ("full already", &[], &[9 * GIB, 10 * GIB], false),
        ("just below a level", &[8 * GIB], &[8 * GIB - 100 * MIB], true),
        ("far below a level", &[8 * GIB], &[8 * GIB - 110 * MIB], false),
        (
            "there in 49 s",
            &[8 * GIB],
            &[7 * GIB, 7 * GIB + 20 * MIB, 7 * GIB + 40 * MIB],
            false,
        ),
        ("across", &[8 * GIB], &[8 * GIB, 8 * GIB], false),
        (
            "below the second of two",
            &[8 * GIB, 9 * GIB],
            &[9 * GIB - MIB, 9 * GIB - MIB],
            true,
        ),
    ];
    for (what, levels, used, hot) in cases {
        assert_eq!(after(levels, used), hot, "{what}");
    }
    let steps: Vec<u64> = (0..=3).map(|n| 8 * GIB - 300 * MIB + n * 20 * MIB).collect();
    assert!(!after(&[8 * GIB], &steps[..2]), "there in 14 s");
    assert!(!after(&[8 * GIB], &steps[..3]), "there in 13 s");
    let steps: Vec<u64> = (0..=5).map(|n| 8 * GIB - 300 * MIB + n * 20 * MIB).collect();
    assert!(after(&[8 * GIB], &steps), "there in 10 s");
}

#[test]
fn the_rate_is_that_of_the_last_two_seconds_at_any_pace() {
    for pace in [100, 1000, 1001, 2500] {
        let mut heat = Heat::default();
        let mut now = 0;
        let mut fill = |heat: &mut Heat, until: i64, rate: u64, mut used: u64| {
            while now < until {
                now += pace;
                used += rate * pace.unsigned_abs() / 1000;
                heat.take(at(now), &usage(used));
            }
            used
        };
        let used = fill(&mut heat, 10_000, MIB, 0);
        assert!(!heat.is_hot(), "{pace} ms: slow");
        let used = fill(&mut heat, 16_000, 300 * MIB, used);
        assert!(heat.is_hot(), "{pace} ms: fast");
        fill(&mut heat, 22_000, MIB, used);
        assert!(!heat.is_hot(), "{pace} ms: slow again");
    }
}

#[test]
fn numbers_of_any_size_and_clocks_of_any_kind_are_borne() {
    let mut heat = Heat::default();
    heat.set_levels(vec![0, u64::MAX]);
    let most = Usage {
        capacity: u64::MAX,
        available: 1,
        used: u64::MAX,
        ..Usage::default()
    };
    for (millis, usage) in [
        (0, Usage::default()),
        (0, most),
        (5000, most),
        (-9000, Usage::default()),
        (-8000, most),
    ] {
        heat.take(at(millis), &usage);
    }
    assert!(
        heat.is_hot(),
        "after a clock set back by 14 s it rose within the last"
    );
}
