//! What follows from how fast a volume fills: the trigger, its emergencies, sizes, the budget.

use std::time::Duration;

use decider_core::{Modifications, Modified, Rate, Trend};
use units::{Bytes, Reason};

use crate::scene::{self, GIB, MIB, Scene, first_seen, full, seconds_ago};

/// A 100 GiB volume, 50 % used, filling at so many MiB/s, of which it has done so many in the long run.
pub(crate) fn filling(rate: u64, sustained: u64) -> Scene {
    let mut scene = full();
    scene.db.volumes[0] = scene::volume(0, 100 * GIB, 50 * GIB);
    first_seen(&mut scene).trend = Trend {
        rate: Some(Rate::new(rate * MIB)),
        sustained: Some(Rate::new(sustained * MIB)),
    };
    scene
}

/// Amazon's: four in a day, one of them kept.
pub(crate) const BUDGET: Modifications = Modifications {
    count: 4,
    window: Duration::from_secs(86_400),
    reserve: 1,
    minimum_interval: Duration::ZERO,
};

fn spent(scene: &mut Scene, hours_ago: &[i64]) {
    scene.profile.modifications = Some(BUDGET);
    scene.db.modified.at = hours_ago.iter().map(|h| seconds_ago(h * 3_600)).collect();
}

#[test]
fn it_fires_when_less_is_left_than_a_growth_needs() {
    // Age 1 s, reaction 2 s, expansion 60 s, margin 5 s, half as much again: 102 s. 50 GiB last for 102 s at 501.96.
    assert_eq!(filling(501, 0).reason(), Reason::BelowThreshold);
    let scene = filling(502, 0);
    assert_eq!(scene.reason(), Reason::TimeToFull);
    let text = scene.text();
    assert!(
        text.contains("data-pg-0 is 50% used (50Gi of 100Gi) and fills at 502Mi/s: full in 101s, a growth is reckoned to need 102s"),
        "{text}"
    );
    let record = scene.decide().record().clone();
    let volume = &record.volumes[0];
    assert_eq!(volume.trend.rate, Some(Rate::new(502 * MIB)));
    assert_eq!(volume.full_in.map(|t| t.as_secs()), Some(100), "from now");
    assert_eq!(volume.lead, Some(Duration::from_secs(102)));
    assert_eq!(volume.sample_age, Some(Duration::from_secs(1)));
}

#[test]
fn an_old_measurement_costs_reaction_time() {
    let mut scene = filling(501, 0);
    first_seen(&mut scene).as_of = seconds_ago(2);
    assert_eq!(scene.reason(), Reason::TimeToFull);
}

#[test]
fn faster_storage_waits_longer() {
    let mut scene = filling(502, 0);
    scene.profile.duration = Duration::from_secs(2);
    assert_eq!(scene.reason(), Reason::BelowThreshold);
}

#[test]
fn an_unknown_rate_and_none_at_all_fire_nothing() {
    let mut scene = filling(0, 0);
    assert_eq!(scene.reason(), Reason::BelowThreshold);
    let seen = first_seen(&mut scene);
    seen.sample.usage.available = Bytes::ZERO;
    seen.sample.usage.used = Bytes::new(GIB);
    seen.trend = Trend::default();
    scene.spec.usage_threshold = Some(99);
    assert_eq!(scene.reason(), Reason::ThresholdExceeded, "by what is left alone");
}

#[test]
fn off_acts_on_the_thresholds_alone() {
    let mut scene = filling(2_000, 2_000);
    scene.spec.time_to_full = Some("Off".into());
    assert_eq!(scene.reason(), Reason::BelowThreshold);
    first_seen(&mut scene).sample = scene::sample(100 * GIB, 81 * GIB);
    assert_eq!(scene.to(), Bytes::new(150 * GIB), "nor does it size");
    spent(&mut scene, &[1, 2, 3]);
    assert_eq!(scene.reason(), Reason::BudgetSpent, "nor is it an emergency");
}

#[test]
fn the_threshold_is_told_first_and_the_other_beside_it() {
    let mut scene = filling(2_000, 0);
    first_seen(&mut scene).sample = scene::sample(100 * GIB, 81 * GIB);
    let decision = scene.decide();
    assert_eq!(decision.reason(), Reason::ThresholdExceeded);
    let others: Vec<_> = decision.record().alternatives.iter().map(|n| n.reason).collect();
    assert_eq!(others, [Reason::TimeToFull]);
    assert!(filling(502, 0).decide().record().alternatives.is_empty());
}

#[test]
fn any_member_that_fills_is_enough() {
    let mut scene = filling(0, 0);
    let fast = filling(502, 0).db.volumes.remove(0);
    scene.db.volumes.push(fast);
    scene.db.volumes[1].claim.name = "data-pg-1".into();
    assert_eq!(scene.reason(), Reason::TimeToFull);
    assert!(scene.text().starts_with("data-pg-1"), "{}", scene.text());
}

#[test]
fn stale_rates_never_grow_anything_but_still_predict() {
    let mut scene = filling(502, 0);
    first_seen(&mut scene).as_of = seconds_ago(11);
    let decision = scene.decide();
    assert_eq!(decision.reason(), Reason::Stale);
    let full_in = decision.record().volumes[0].full_in;
    assert_eq!(
        full_in.map(|t| t.as_secs()),
        Some(90),
        "101 s when it was measured"
    );
}

#[test]
fn the_size_lasts_for_two_growths_at_that_rate() {
    // 2 x 102 s at 1000 MiB/s: 199.2 GiB more than the 50; steps of a half give 337.5.
    let scene = filling(1_000, 0);
    assert_eq!(scene.to(), Bytes::new(337 * GIB + GIB / 2));
    assert!(
        scene.text().contains("its rate needs 249.2Gi"),
        "{}",
        scene.text()
    );
    // Nothing more than the rules give where that is enough.
    let mut slow = filling(10, 0);
    first_seen(&mut slow).sample = scene::sample(100 * GIB, 81 * GIB);
    assert_eq!(slow.to(), Bytes::new(150 * GIB));
}

#[test]
fn the_size_lasts_until_the_next_modification() {
    // Two are spent; after this one the next ordinary one is 24 h after the first, in 20 h. 2 MiB/s in the long run
    // bring 140.6 GiB until then: 94 % of the volume, or the reserve would be spent before.
    let mut scene = filling(10, 2);
    first_seen(&mut scene).sample = scene::sample(100 * GIB, 81 * GIB);
    spent(&mut scene, &[4, 3]);
    let sizing = scene.decide().record().sizing.clone().expect("it grows");
    let needs = (81 * GIB + 2 * MIB * 20 * 3_600) * 100;
    assert_eq!(sizing.for_rate, Bytes::new(needs.div_ceil(94)));
    assert_eq!(sizing.to, Bytes::new(337 * GIB + GIB / 2));
    spent(&mut scene, &[4]);
    assert_eq!(
        scene.to(),
        Bytes::new(150 * GIB),
        "the next one may follow at once"
    );
}

#[test]
fn what_hours_may_bring_is_bought_up_to_four_times() {
    let mut scene = filling(100, 100);
    first_seen(&mut scene).sample = scene::sample(100 * GIB, 81 * GIB);
    spent(&mut scene, &[4, 3]);
    let sizing = scene.decide().record().sizing.clone().expect("it grows");
    assert_eq!(sizing.for_rate, Bytes::new(400 * GIB), "not 7 TiB");
}

#[test]
fn a_spent_budget_holds_and_says_until_when() {
    let mut scene = full();
    spent(&mut scene, &[4, 3]);
    assert_eq!(scene.reason(), Reason::ThresholdExceeded);
    spent(&mut scene, &[4, 3, 2]);
    assert_eq!(scene.reason(), Reason::BudgetSpent);
    assert_eq!(
        scene.text(),
        "storage profile default allows 4 modifications in 24h, 3 are spent, 1 kept for emergencies: the next one at \
         2026-11-22T08:00:00Z"
    );
    scene.db.modified.at[0] = seconds_ago(24 * 3_600);
    assert_eq!(scene.reason(), Reason::ThresholdExceeded, "a day old");
    assert_eq!(scene.decide().record().barrier, None);
}

#[test]
fn the_reserve_is_for_emergencies() {
    let mut nearly_full = full();
    first_seen(&mut nearly_full).sample = scene::sample(GIB, GIB * 95 / 100 + 1);
    let mut fast = filling(502, 0);
    for scene in [&mut nearly_full, &mut fast] {
        spent(scene, &[4, 3, 2]);
        assert!(scene.to() > Bytes::ZERO);
        spent(scene, &[4, 3, 2, 1]);
        assert_eq!(scene.reason(), Reason::BudgetSpent);
        assert_eq!(scene.barrier(), Some(Reason::BudgetSpent));
    }
}

#[test]
fn a_past_that_is_not_known_is_spent_but_for_the_reserve() {
    let mut scene = full();
    scene.profile.modifications = Some(BUDGET);
    scene.db.modified = Modified {
        at: Vec::new(),
        unknown_before: Some(seconds_ago(3_600)),
    };
    assert_eq!(scene.reason(), Reason::BudgetSpent);
    assert!(
        scene
            .text()
            .contains("what was before 2026-11-21T11:00:00Z is not known and counts as spent"),
        "{}",
        scene.text()
    );
    first_seen(&mut scene).sample = scene::sample(GIB, GIB * 96 / 100);
    assert_eq!(scene.reason(), Reason::ThresholdExceeded);
    scene.db.modified.unknown_before = Some(seconds_ago(86_400));
    first_seen(&mut scene).sample = scene::sample(GIB, GIB * 85 / 100);
    assert_eq!(scene.reason(), Reason::ThresholdExceeded, "a day is enough");
}

#[test]
fn the_runaway_guard_steps_aside_for_what_fills_too_fast() {
    let mut scene = filling(502, 0);
    crate::order::runaway(&mut scene);
    assert_eq!(scene.reason(), Reason::TimeToFull);
    first_seen(&mut scene).sample = scene::sample(100 * GIB, 85 * GIB);
    first_seen(&mut scene).trend = Trend::default();
    assert_eq!(scene.reason(), Reason::Runaway);
}
