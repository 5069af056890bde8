use proptest::prelude::*;

use super::{Growth, Rules};
use crate::Bytes;

const GIB: u64 = 1 << 30;

fn gib(n: u64) -> Bytes {
    Bytes::new(n * GIB)
}

fn growth(rules: &Rules, size: Bytes) -> Option<Growth> {
    rules.rule_for(size).map(|rule| rule.growth)
}

#[test]
fn tiers_are_sorted_and_the_open_end_is_last() {
    let rules = Rules::parse([("", "10Gi"), ("100Gi", "20%"), ("10Gi", "50pc")]).unwrap();
    assert_eq!(growth(&rules, gib(1)), Some(Growth::Percent(50)));
    assert_eq!(
        growth(&rules, gib(10)),
        Some(Growth::Percent(50)),
        "a bound belongs to its tier"
    );
    assert_eq!(
        growth(&rules, Bytes::new(10 * GIB + 1)),
        Some(Growth::Percent(20))
    );
    assert_eq!(growth(&rules, gib(5000)), Some(Growth::By(gib(10))));
    let shown: Vec<_> = rules.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["up to 10Gi: 50pc", "up to 100Gi: 20pc", "any size: 10Gi"]);
}

#[test]
fn bounds_are_compared_as_sizes_not_as_texts() {
    let rules = Rules::parse([("900Mi", "1Gi"), ("1Gi", "2Gi")]).unwrap();
    assert_eq!(growth(&rules, Bytes::new(950 << 20)), Some(Growth::By(gib(2))));
}

#[test]
fn without_an_open_end_a_large_volume_has_no_tier() {
    let rules = Rules::parse([("10Gi", "50pc")]).unwrap();
    assert_eq!(growth(&rules, gib(11)), None);
    assert_eq!(growth(&Rules::default(), gib(1)), None);
}

#[test]
fn of_two_equal_bounds_the_first_written_wins() {
    let rules = Rules::parse([("10Gi", "1Gi"), ("10240Mi", "2Gi")]).unwrap();
    assert_eq!(growth(&rules, gib(1)), Some(Growth::By(gib(1))));
}

#[test]
fn an_error_names_the_rule_the_text_and_the_remedy() {
    for (pairs, message) in [
        (
            vec![("1Gi", "50pc"), ("500GB", "50pc")],
            r#"scalingRules[1].appliesUpto: "500GB" is not a Kubernetes quantity; write 500G or 500Gi"#,
        ),
        (
            vec![("", "500GB")],
            r#"scalingRules[0].threshold: "500GB" is not a Kubernetes quantity; write 500G or 500Gi; or a percentage such as 50pc"#,
        ),
        (
            vec![("", "0pc")],
            r#"scalingRules[0].threshold: "0pc" is not a whole percentage from 1 to 1000; write for example 50pc"#,
        ),
        (
            vec![("", "12.5%")],
            r#"scalingRules[0].threshold: "12.5%" is not a whole percentage from 1 to 1000; write for example 50pc"#,
        ),
        (
            vec![("", "0")],
            r#"scalingRules[0].threshold: "0" grows by nothing; write a size above 0, such as 10Gi, or a percentage such as 50pc"#,
        ),
        (
            vec![("-1Gi", "1Gi")],
            r#"scalingRules[0].appliesUpto: "-1Gi" is negative; write a size of 0 or more"#,
        ),
        (
            vec![("", "1Gi"), ("1Gi", "1Gi"), ("", "2Gi")],
            "scalingRules[0] and scalingRules[2] both have an empty appliesUpto; \
             keep one, and give the other the largest size it applies to",
        ),
    ] {
        assert_eq!(Rules::parse(pairs).unwrap_err().to_string(), message);
    }
}

#[test]
fn growth_is_rounded_up_and_never_wraps() {
    assert_eq!(
        Growth::Percent(50).apply(Bytes::new(1_063_256_064)),
        Some(Bytes::new(1_594_884_096))
    );
    assert_eq!(Growth::Percent(1).apply(Bytes::new(1)), Some(Bytes::new(2)));
    assert_eq!(Growth::Percent(100).apply(Bytes::new(u64::MAX)), None);
    assert_eq!(Growth::By(gib(1)).apply(Bytes::new(u64::MAX)), None);
}

proptest! {
    /// The order in which tiers are written never matters, as long as no two bounds are equal.
    #[test]
    fn the_written_order_does_not_matter(
        bounds in prop::collection::btree_set(1u64..1000, 0..8), open in any::<bool>(), seed in any::<u64>(), at in 0u64..1100
    ) {
        let mut texts: Vec<(String, String)> = bounds.iter().map(|b| (format!("{b}Gi"), format!("{b}pc"))).collect();
        if open {
            texts.push((String::new(), "1Gi".to_owned()));
        }
        let expected = Rules::parse(texts.iter().map(|(a, b)| (a.as_str(), b.as_str()))).unwrap();
        let turn = if texts.is_empty() { 0 } else { (seed as usize) % texts.len() };
        texts.rotate_left(turn);
        texts.reverse();
        let turned = Rules::parse(texts.iter().map(|(a, b)| (a.as_str(), b.as_str()))).unwrap();
        prop_assert_eq!(growth(&turned, gib(at)), growth(&expected, gib(at)));
    }

    #[test]
    fn growth_always_grows(size in 1u64..1 << 62, percent in 1u32..=1000) {
        let size = Bytes::new(size);
        if let Some(grown) = Growth::Percent(percent).apply(size) {
            prop_assert!(grown > size);
        }
    }

    #[test]
    fn growth_reads_back(percent in 1u32..=1000, bytes in 1..=i64::MAX as u64) {
        for growth in [Growth::Percent(percent), Growth::By(Bytes::new(bytes))] {
            prop_assert_eq!(Growth::parse(&growth.to_string()), Ok(growth));
        }
    }
}
