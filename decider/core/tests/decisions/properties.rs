//! What holds for every input.

use std::time::Duration;

use decider_core::{Decision, Modifications, Modified, Rate, Resize, Room, Trend, Usage, Volume, base};
use proptest::prelude::*;
use units::{Bytes, Reason};

use crate::order;
use crate::scene::{self, GIB, MIB, Scene, rules, sample, seconds_ago, seen};

fn resize() -> impl Strategy<Value = Resize> {
    prop_oneof![
        4 => Just(Resize::Settled),
        1 => Just(Resize::Infeasible),
        1 => Just(Resize::Abandoned),
        1 => Just(Resize::InFlight { what: "Resizing".into() }),
    ]
}

/// Any rates, most of them none, or not known.
fn trend() -> impl Strategy<Value = Trend> {
    let rate = || prop::option::of(prop_oneof![Just(0), 0_u64..1_000].prop_map(|mib| Rate::new(mib * MIB)));
    (rate(), rate()).prop_map(|(rate, sustained)| Trend { rate, sustained })
}

prop_compose! {
    /// Any budget, and what is spent of it, in minutes ago.
    fn budgets()(
        count in 1_u32..6, reserve in 0_u32..6, hours in 1_u64..48, interval in 0_u64..7,
        spent in prop::collection::vec(0_i64..3_000, 0..6), unknown in prop::option::of(0_i64..3_000),
    ) -> (Modifications, Modified) {
        let budget = Modifications {
            count,
            window: Duration::from_secs(hours * 3_600),
            reserve: reserve.min(count - 1),
            minimum_interval: Duration::from_secs(interval * 3_600),
        };
        let at = spent.into_iter().map(|minutes| seconds_ago(minutes * 60)).collect();
        (budget, Modified { at, unknown_before: unknown.map(|minutes| seconds_ago(minutes * 60)) })
    }
}

prop_compose! {
    /// A volume of any size and fullness, measured up to 20 seconds ago or never.
    fn volumes()(members in prop::collection::vec(
        (1_u64..200_000, 0_u64..=100, 0_i64..20, resize(), 0_u8..10, 900_u64..=1000, 0_u64..3, trend()), 1..4,
    )) -> Vec<Volume> {
        members.into_iter().enumerate().map(|(i, (mib, percent, age, resize, luck, share, ahead, trend))| {
            let mut volume = scene::volume(i, mib * MIB, 0);
            let capacity = mib * MIB / 1000 * share;
            volume.usage = match luck {
                0 => Usage::Never,
                1 => Usage::Refused { reason: Reason::AbsurdSample, text: "capacity is 0".into() },
                _ => {
                    let mut seen = seen(sample(capacity.max(1), capacity / 100 * percent));
                    seen.as_of = seconds_ago(age);
                    seen.sample.read_only = luck == 2;
                    seen.trend = trend;
                    Usage::Seen(seen)
                }
            };
            volume.claim.request = Bytes::new(mib * MIB + ahead * GIB);
            volume.resize = resize;
            volume
        }).collect()
    }
}

prop_compose! {
    fn scenes()(
        volumes in volumes(),
        threshold in prop::option::of(-5_i32..110),
        scaling in prop::option::of(-5_i32..300),
        tiers in prop::collection::vec((prop_oneof![Just(""), Just("1Gi"), Just("50Gi")],
            prop_oneof![Just("50pc"), Just("1Gi"), Just("3%"), Just("10Mi"), Just("bad")]), 0..4),
        upper in prop::option::of(0_u64..400_000),
        left in prop::option::of(0_u64..400_000),
        each in prop::option::of(0_u64..400_000),
        granularity in prop_oneof![Just(1_u64), Just(MIB), Just(2 * MIB), Just(GIB)],
        maximum in prop::option::of(1_u64..400),
        budget in prop::option::of(budgets()),
        duration in 0_u64..200,
    ) -> Scene {
        let mut scene = scene::full();
        scene.db.volumes = volumes;
        scene.spec.usage_threshold = threshold;
        scene.spec.scaling_threshold = scaling;
        scene.spec.rules = rules(&tiers);
        scene.spec.upper_bound = upper.map(|mib| format!("{mib}Mi"));
        scene.db.rooms = left.into_iter()
            .map(|mib| Room::Sum { what: "ResourceQuota q".into(), left: Bytes::new(mib * MIB) })
            .chain(each.into_iter().map(|mib| Room::Each { what: "LimitRange l".into(), max: Bytes::new(mib * MIB) }))
            .collect();
        scene.profile.granularity = Bytes::new(granularity);
        scene.profile.duration = Duration::from_secs(duration);
        if let Some((budget, modified)) = budget {
            (scene.profile.modifications, scene.db.modified) = (Some(budget), modified);
        }
        scene.profile.maximum_size = maximum.map(|gib| Bytes::new(gib * GIB));
        scene
    }
}

/// The size decided for.
fn target(scene: &Scene) -> Option<Bytes> {
    match scene.decide() {
        Decision::Expand { to, .. } => Some(to),
        Decision::Hold { .. } => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Never shrinks anything, and always grows truly.
    #[test]
    fn never_shrinks(scene in scenes()) {
        if let Some(to) = target(&scene) {
            prop_assert!(Some(to) > base(&scene.db));
            for v in &scene.db.volumes {
                prop_assert!(to > v.claim.capacity);
                prop_assert!(v.seen().is_none_or(|s| to > s.sample.usage.capacity));
            }
        }
    }

    /// Never above any cap, and what quota is charged for all claims fits.
    #[test]
    fn never_above_a_cap(scene in scenes()) {
        if let Some(to) = target(&scene) {
            if let Some(upper) = &scene.spec.upper_bound {
                prop_assert!(to <= Bytes::parse_quantity(upper).expect("ours"));
            }
            prop_assert!(scene.profile.maximum_size.is_none_or(|max| to <= max));
            for room in &scene.db.rooms {
                match room {
                    Room::Sum { left, .. } => {
                        let charged: u64 =
                            scene.db.volumes.iter().map(|v| to.saturating_sub(v.claim.charged).get()).sum();
                        prop_assert!(charged <= left.get());
                    }
                    Room::Each { max, .. } => prop_assert!(to <= *max),
                }
            }
        }
    }

    /// While a request is open that does not wait for Ready, or a claim is on its way, there is no second one.
    #[test]
    fn at_most_one_request_in_flight(mut scene in scenes(), which in any::<prop::sample::Index>(), open in any::<bool>()) {
        if open {
            order::request_open(&mut scene);
        } else {
            let one = which.index(scene.db.volumes.len());
            scene.db.volumes[one].resize = Resize::InFlight { what: "Resizing".into() };
        }
        prop_assert_eq!(target(&scene), None);
    }

    /// The provider is never asked for more than it gives.
    #[test]
    fn never_beyond_the_budget(scene in scenes()) {
        let Some(budget) = scene.profile.modifications.filter(|_| target(&scene).is_some()) else {
            return Ok(());
        };
        let since = scene::now() - budget.window;
        let known = scene.db.modified.at.iter().filter(|at| **at > since).count();
        prop_assert!(known < budget.count as usize, "{known} of {budget:?}");
        let newest = scene.db.modified.at.iter().max();
        prop_assert!(newest.is_none_or(|at| *at + budget.minimum_interval <= scene::now()));
    }

    /// What fills without being measured is not grown: a rate is worth nothing without a fresh sample.
    #[test]
    fn no_growth_from_a_rate_that_is_stale(mut scene in scenes(), rate in 1_u64..10_000) {
        for v in &mut scene.db.volumes {
            if let Usage::Seen(seen) = &mut v.usage {
                seen.as_of = seconds_ago(11);
                seen.trend.rate = Some(Rate::new(rate * MIB));
            }
        }
        prop_assert_eq!(target(&scene), None);
    }

    #[test]
    fn sizes_are_in_the_drivers_unit(scene in scenes()) {
        if let Some(to) = target(&scene) {
            prop_assert_eq!(to.get() % scene.profile.granularity.get(), 0);
        }
    }

    #[test]
    fn the_same_input_gives_the_same_answer(scene in scenes()) {
        prop_assert_eq!(scene.decide(), scene.clone().decide());
    }

    /// Whatever is stale or unknown never makes a growth: without the fresh ones nothing is decided.
    #[test]
    fn no_growth_from_what_is_not_known(mut scene in scenes()) {
        for v in &mut scene.db.volumes {
            if v.fresh(scene::now(), scene::STALE_AFTER).is_some() {
                v.usage = Usage::Never;
            }
        }
        prop_assert_eq!(target(&scene), None);
    }

    /// What cannot be written cannot be grown.
    #[test]
    fn no_growth_from_what_is_read_only(mut scene in scenes()) {
        for v in &mut scene.db.volumes {
            if let Usage::Seen(seen) = &mut v.usage {
                seen.sample.read_only = true;
            }
        }
        prop_assert_eq!(target(&scene), None);
    }

    /// A lower threshold never turns a growth into a hold below the threshold, and never a smaller size.
    #[test]
    fn monotone_in_the_threshold(mut scene in scenes(), high in 11_i32..100, less in 1_i32..10) {
        scene.spec.usage_threshold = Some(high);
        let at_high = target(&scene);
        scene.spec.usage_threshold = Some(high - less);
        let at_low = target(&scene);
        prop_assert!(at_low >= at_high, "{:?} at {}, {:?} at {}", at_low, high - less, at_high, high);
    }

    /// Applied again and again, with the same data in the volumes, decisions come to rest: below the threshold
    /// or at a limit, after one growth unless a limit cut it.
    #[test]
    fn converges(mut scene in scenes(), threshold in 1_i32..100, scaling in 1_i32..300) {
        scene.spec.usage_threshold = Some(threshold);
        scene.spec.scaling_threshold = Some(scaling);
        scene.db.volumes.retain(|v| v.seen().is_some());
        prop_assume!(!scene.db.volumes.is_empty());
        for v in &mut scene.db.volumes {
            v.resize = Resize::Settled;
            v.claim.request = v.claim.capacity;
            if let Usage::Seen(seen) = &mut v.usage {
                seen.as_of = seconds_ago(1);
            }
        }
        let mut growths = 0;
        while let Some(to) = target(&scene) {
            growths += 1;
            prop_assert!(growths <= 2, "still growing: {}", scene.text());
            apply(&mut scene, to);
        }
        let reason = scene.reason();
        prop_assert!(matches!(
            reason, Reason::BelowThreshold | Reason::AtUpperBound | Reason::AtMaximumSize | Reason::QuotaExceeded
            | Reason::InvalidPolicy | Reason::ReadOnly | Reason::BudgetSpent
        ), "rests at {reason}: {}", scene.text());
    }

    /// No input, however strange, makes it panic, and every answer has words.
    #[test]
    fn every_answer_has_words(scene in scenes()) {
        let decision = scene.decide();
        prop_assert!(!decision.record().text.is_empty());
        prop_assert_eq!(decision.record().volumes.len(), scene.db.volumes.len());
    }
}

/// Gives every claim the size, and every filesystem its share of it.
fn apply(scene: &mut Scene, to: Bytes) {
    let charged: u64 = scene
        .db
        .volumes
        .iter()
        .map(|v| to.saturating_sub(v.claim.charged).get())
        .sum();
    for room in &mut scene.db.rooms {
        if let Room::Sum { left, .. } = room {
            *left = left.saturating_sub(Bytes::new(charged));
        }
    }
    for v in &mut scene.db.volumes {
        let own = v.claim.capacity;
        (v.claim.request, v.claim.capacity, v.claim.device, v.claim.charged) = (to, to, to, to);
        if let Usage::Seen(seen) = &mut v.usage {
            let usage = &mut seen.sample.usage;
            usage.capacity = usage
                .capacity
                .checked_mul_ratio(to.get(), own.get())
                .expect("small numbers");
            usage.available = usage.capacity.saturating_sub(usage.used);
        }
    }
}
