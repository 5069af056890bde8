//! Those that are sold as a service.

use super::*;

#[test]
fn rds_waits_for_five_minutes() {
    let name = "Amazon RDS";
    short_from(name, 90 * GIB);
    assert_eq!(grown(name, 20 * GIB, 0), 30 * GIB);
    assert_eq!(grown(name, 200 * GIB, 0), 220 * GIB);
    assert_eq!(grown(name, 200 * GIB, 4 * GIB), 228 * GIB);
    // 16 a second: 92,160 at 5760 s, seen at once and for five minutes at 6060, there at 6120 of 6400.
    decides(name, 16, 0.0, 6_060.0);
    assert_eq!(full(name, 16, 0.0), None);
    // 2880 s, five minutes at 3180, there at 3240.
    assert_eq!(full(name, 32, 0.0), Some(3201.0));
}

#[test]
fn rds_grows_by_seven_hours_of_the_last_one() {
    // Seen for five minutes at 6060 s, 57,600 more than an hour before: there are 403,200 more at 6120.
    let uses_at_last = |mib: u64| {
        let mut timeline = fill(16, 99);
        timeline.push((6_400.0, mib * MIB));
        played("Amazon RDS", &timeline, 0.0)
    };
    assert_eq!(uses_at_last(505_600), None);
    assert_eq!(uses_at_last(505_601), Some(6_400.0));
}

#[test]
fn rds_rests_for_six_hours() {
    // 92,160 from the begin: five minutes of looks from 60 s on end at 360, and as nothing grew there are 10 GiB more at
    // 420. 90 % of 112,640 are used at 1000, seen for five minutes long before the six hours are over at 21,960: there are
    // 10 % more at 22,020, and not before.
    let used_all_at = |second: f64| {
        let used = [(0.0, 92_160), (1_000.0, 101_376), (second, 112_641)];
        let timeline = used.map(|(at, mib)| (at, mib * MIB));
        played("Amazon RDS", &timeline, 0.0)
    };
    assert_eq!(used_all_at(22_020.0), None);
    assert_eq!(used_all_at(22_019.0), Some(22_019.0));
}

#[test]
fn cloud_sql_looks_every_thirty_seconds() {
    let name = "Google Cloud SQL";
    short_from(name, 91 * GIB + 1);
    for (capacity, step) in [(49, 6), (50, 7), (100, 9), (250, 15), (500, 25), (1000, 25)] {
        assert_eq!(grown(name, capacity * GIB, 0), (capacity + step) * GIB);
    }
    // More than 93,184 after 1456 s: seen at 15 + 30n = 1485, there at 1545.
    decides(name, 64, 0.5, 1_485.0);
    assert_eq!(full(name, 64, 0.5), None);
    // 160 a second: after 582.4 s, seen at 585, there at 645, but full after 640.
    assert_eq!(full(name, 160, 0.5), Some(641.0));
}
