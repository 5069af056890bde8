//! How large: tiers, margins, granularity and caps, as tables.

use decider_core::{Resize, Room};
use units::{Bytes, Reason};

use crate::scene::{GIB, MIB, Scene, first_seen, full, rules, sample, volume};

fn gib(n: u64) -> Bytes {
    Bytes::new(n * GIB)
}

fn filled(size: u64, percent: u64) -> Scene {
    let mut scene = full();
    scene.db.volumes = vec![volume(0, size, size / 100 * percent)];
    scene
}

#[test]
fn half_as_much_again_by_default() {
    assert_eq!(full().to(), Bytes::new(GIB * 3 / 2));
}

#[test]
fn the_first_tier_that_reaches_the_size_applies() {
    let pairs = [("", "10Gi"), ("10Gi", "50pc"), ("100Gi", "20%")];
    for (size, wanted) in [(gib(10), gib(15)), (gib(20), gib(24)), (gib(200), gib(220))] {
        let mut scene = filled(size.get(), 81);
        scene.spec.rules = rules(&pairs);
        // 200Gi + 10Gi leaves 77 %, above the margin's 75 %: a second step.
        assert_eq!(scene.to(), wanted, "{}", scene.text());
    }
}

#[test]
fn steps_are_repeated_until_five_points_under_the_threshold() {
    let mut scene = filled(10 * GIB, 99);
    scene.spec.rules = rules(&[("", "1Gi")]);
    // 9.9 GiB are 75 % of 13.2 GiB: four steps.
    assert_eq!(scene.to(), gib(14));
    assert!(scene.text().contains("x4"), "{}", scene.text());
}

#[test]
fn tiers_are_walked_not_only_looked_up_once() {
    let mut scene = filled(10 * GIB, 99);
    scene.spec.rules = rules(&[("10Gi", "1Gi"), ("", "100pc")]);
    assert_eq!(scene.to(), gib(22), "one step of 1Gi, then doubled");
}

#[test]
fn a_rule_of_tiny_steps_goes_straight_to_what_is_needed() {
    let mut scene = filled(1024 * GIB, 99);
    scene.spec.rules = rules(&[("", "1Mi")]);
    let to = scene.to();
    assert!(
        to >= gib(1024 * 99 / 75) && to <= gib(1024 * 99 / 75 + 10),
        "{to}"
    );
}

#[test]
fn without_a_matching_tier_scaling_threshold_applies_and_it_is_said() {
    let mut scene = filled(20 * GIB, 81);
    scene.spec.rules = rules(&[("10Gi", "20pc")]);
    scene.spec.scaling_threshold = Some(30);
    assert_eq!(scene.to(), gib(26));
    assert!(
        scene
            .decide()
            .record()
            .notes
            .iter()
            .any(|n| n.reason == Reason::RuleFallback)
    );
}

#[test]
fn the_reserve_of_a_filesystem_is_kept_in_mind() {
    let mut scene = filled(10 * GIB, 85);
    scene.spec.rules = rules(&[("", "10pc")]);
    let usage = &mut first_seen(&mut scene).sample.usage;
    // 5 % reserved: 8.5 of 9.5 is 89 %; 75 % needs 11.93 GiB, two steps of 10 %.
    usage.available = Bytes::new(GIB);
    assert_eq!(scene.decide().record().sizing.as_ref().map(|s| s.steps), Some(2));
    assert_eq!(
        scene.to(),
        Bytes::new(12_391 * MIB),
        "12.1 GiB, rounded up to MiB"
    );
}

#[test]
fn rounded_up_to_the_drivers_unit() {
    let mut scene = full();
    scene.profile.granularity = gib(1);
    assert_eq!(scene.to(), gib(2));
}

#[test]
fn a_device_the_driver_rounded_up_is_where_growth_starts() {
    let mut scene = full();
    scene.spec.scaling_threshold = Some(20);
    scene.db.volumes[0].claim.device = gib(2);
    assert_eq!(
        scene.to(),
        Bytes::new(2458 * MIB),
        "2Gi and 20 %, not 1.2Gi, which the volume has already"
    );
}

#[test]
fn growth_starts_from_the_largest_of_what_is_there() {
    let mut scene = full();
    scene.db.volumes[0].claim.request = gib(4);
    assert_eq!(scene.to(), gib(6), "the claim will get 4Gi");
    for resize in [Resize::Infeasible, Resize::Abandoned] {
        scene.db.volumes[0].resize = resize.clone();
        scene.db.volumes[0].claim.device = gib(4);
        assert_eq!(
            scene.to(),
            Bytes::new(GIB * 3 / 2),
            "{resize:?}: 4Gi may never come"
        );
    }
    scene.db.volumes[0].claim.capacity = gib(2);
    assert_eq!(scene.to(), gib(3));
}

#[test]
fn one_size_for_all_members_above_the_largest() {
    let mut scene = full();
    scene.db.volumes.push(volume(1, 4 * GIB, GIB / 10));
    assert_eq!(scene.to(), gib(6));
}

#[test]
fn a_small_member_that_needs_more_than_the_largest_has_gets_it() {
    let mut scene = full();
    scene.spec.rules = rules(&[("", "10pc")]);
    scene.db.volumes = vec![volume(0, 10 * GIB, 99 * GIB / 10), volume(1, 11 * GIB, GIB)];
    assert_eq!(
        scene.decide().record().sizing.as_ref().map(|s| s.steps),
        Some(2),
        "11Gi, 12.1Gi, 13.3Gi"
    );
}

#[test]
fn upper_bound_caps_and_it_is_said() {
    let mut scene = full();
    scene.spec.upper_bound = Some("1200Mi".into());
    assert_eq!(scene.to(), Bytes::new(1200 * MIB));
    let sizing = scene.decide().record().sizing.clone().expect("sized");
    assert!(!sizing.falls_short(), "85 % of 1Gi is 72 % of 1200Mi");
    assert!(
        scene.text().contains("capped by upperBound 1.2Gi"),
        "{}",
        scene.text()
    );
}

#[test]
fn a_cap_that_leaves_less_than_needed_is_grown_to_and_said() {
    let mut scene = filled(GIB, 99);
    scene.spec.upper_bound = Some("1100Mi".into());
    assert_eq!(scene.to(), Bytes::new(1100 * MIB));
    assert!(scene.text().contains("less than needed"), "{}", scene.text());
}

#[test]
fn a_cap_between_two_units_of_the_driver_is_the_lower_one() {
    let mut scene = full();
    scene.profile.granularity = gib(1);
    scene.spec.upper_bound = Some("2500Mi".into());
    assert_eq!(scene.to(), gib(2));
    scene.spec.upper_bound = Some("1500Mi".into());
    assert_eq!(
        scene.reason(),
        Reason::AtUpperBound,
        "the driver would make it 2Gi"
    );
}

#[test]
fn the_quota_is_for_the_sum_over_all_claims() {
    let mut scene = full();
    scene.db.volumes.push(volume(1, GIB, GIB / 10));
    scene.db.volumes.push(volume(2, GIB, GIB / 10));
    let room = |left| {
        vec![Room::Sum {
            what: "ResourceQuota demo/q".into(),
            left: Bytes::new(left),
        }]
    };
    scene.db.rooms = room(3 * 256 * MIB);
    assert_eq!(scene.to(), Bytes::new(GIB + 256 * MIB));
    assert!(scene.text().contains("ResourceQuota demo/q"), "{}", scene.text());
    scene.db.rooms = room(3 * 512 * MIB);
    assert_eq!(scene.to(), Bytes::new(GIB * 3 / 2));
    scene.db.rooms = room(2 * MIB);
    assert_eq!(scene.reason(), Reason::QuotaExceeded);
}

#[test]
fn the_tightest_of_all_limits_caps() {
    let mut scene = full();
    scene.spec.upper_bound = Some("1400Mi".into());
    scene.profile.maximum_size = Some(Bytes::new(1300 * MIB));
    scene.db.rooms = vec![Room::Each {
        what: "LimitRange demo/l".into(),
        max: Bytes::new(1200 * MIB),
    }];
    assert_eq!(scene.to(), Bytes::new(1200 * MIB));
    scene.db.rooms.clear();
    assert_eq!(scene.to(), Bytes::new(1300 * MIB));
    assert_eq!(
        scene.decide().record().sizing.as_ref().map(|s| s.caps.len()),
        Some(2)
    );
}

#[test]
fn a_size_that_no_number_holds_is_no_growth() {
    let largest = i64::MAX as u64;
    let mut scene = full();
    scene.db.volumes = vec![volume(0, largest, largest)];
    scene.spec.scaling_threshold = Some(1000);
    assert_eq!(scene.reason(), Reason::NoGrowth);
}

#[test]
fn a_filesystem_smaller_than_its_claim_is_judged_by_its_own_numbers() {
    let mut scene = full();
    first_seen(&mut scene).sample = sample(GIB * 95 / 100, GIB * 80 / 100);
    assert_eq!(
        scene.reason(),
        Reason::ThresholdExceeded,
        "84 % of the filesystem"
    );
    assert_eq!(scene.to(), Bytes::new(GIB * 3 / 2), "grown from the claim's size");
}
