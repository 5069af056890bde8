//! What steps cost: a provider's modifications, and money.

use decider_core::{Decision, Policy, Rate, Trend, decide};
use jiff::SignedDuration;
use units::Bytes;

use crate::{
    rates::BUDGET,
    scene::{self, GIB, MIB, STALE_AFTER, Scene, first_seen, full},
};

const HOUR: i64 = 3_600;

/// A volume of 100 GiB that fills by 7 GiB an hour for two days, under Amazon's four modifications a day: when it grew,
/// in hours, and whether it was ever full. A growth takes no time: what is asked here is how many there are.
fn two_days(mut scene: Scene) -> (Vec<i64>, bool) {
    const RATE: u64 = 2 * MIB;
    scene.profile.modifications = Some(BUDGET);
    let (mut size, mut used, mut grew, mut full) = (100 * GIB, 50 * GIB, Vec::new(), false);
    for minute in 0..48 * 60 {
        let now = scene::now() + SignedDuration::from_mins(minute);
        used += RATE * 60;
        full |= used >= size;
        used = used.min(size);
        scene.db.volumes = vec![scene::volume(0, size, used)];
        let seen = first_seen(&mut scene);
        (seen.sample.sampled_at, seen.as_of) = (now, now);
        let rate = Some(Rate::new(RATE));
        seen.trend = Trend {
            rate,
            sustained: rate,
        };
        let policy = Policy::read(&scene.spec, STALE_AFTER);
        if let Decision::Expand { to, .. } = decide(&scene.db, &policy, &scene.profile, now) {
            size = to.get();
            scene.db.modified.at.push(now);
            grew.push(minute * 60 / HOUR);
        }
    }
    (grew, full)
}

#[test]
fn trap_10_small_steps_do_not_burn_the_budget() {
    let mut scene = full();
    scene.spec.rules = scene::rules(&[("", "2Gi")]);
    scene.spec.upper_bound = Some("10Ti".into());
    let (grew, full) = two_days(scene);
    assert!(!full, "{grew:?}");
    let most = usize::try_from(BUDGET.count - BUDGET.reserve).expect("small");
    for first in &grew {
        let in_a_day = grew.iter().filter(|at| (0..24).contains(&(**at - first))).count();
        assert!(in_a_day <= most, "the reserve is left alone: {grew:?}");
    }
}

/// Half of five terabytes is a lot of money: the tiers of scalingRules are for that, and neither the margin under the
/// threshold nor the time until the next modification makes more of a step than is needed.
#[test]
fn trap_10_a_large_percentage_ends_where_its_tier_ends() {
    let mut scene = full();
    scene.db.volumes = vec![scene::volume(0, 5_120 * GIB, 5_120 * GIB * 81 / 100)];
    assert_eq!(scene.to(), Bytes::new(7_680 * GIB), "half, without tiers");
    scene.spec.rules = scene::rules(&[("100Gi", "50pc"), ("1Ti", "20pc"), ("", "100Gi")]);
    scene.profile.modifications = Some(BUDGET);
    let to = scene.to();
    // 81 % of 5 TiB are 75 % of 5.4 TiB: five steps.
    assert_eq!(to, Bytes::new(5_620 * GIB), "{}", scene.text());
}
