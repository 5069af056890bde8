//! Cases computed by hand.

mod race;

use std::time::Duration;

use serde_json::json;

use super::{policy::Rules, *};

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// Rules of the threshold alone.
fn rules(storage: &str) -> Rules {
    rules_with("Off", storage)
}

fn rules_with(time_to_full: &str, storage: &str) -> Rules {
    let text = format!(
        "apiVersion: autoscaling.kubedb.com/v1alpha1\nkind: PostgresAutoscaler\n\
         metadata: {{name: a, annotations: {{highwater.dev/time-to-full: \"{time_to_full}\"}}}}\n\
         spec: {{databaseRef: {{name: shop}}, storage: {{postgres: {{trigger: \"On\", {storage}}}}}}}\n"
    );
    policy::read(Path::new("policy.yaml"), &text, None).unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

/// `used` of a filesystem of `capacity` MiB on a claim of 512 MiB.
fn reading(second: i64, capacity: u64, used: u64) -> Reading {
    Reading {
        at: at(second),
        namespace: "demo".into(),
        database: "shop".into(),
        claim: "data-shop-0".into(),
        size: Some(512 * MIB),
        capacity: capacity * MIB,
        available: Some((capacity - used) * MIB),
        used: used * MIB,
        expansion_millis: None,
    }
}

fn replayed(readings: Vec<Reading>, rules: &Rules, expansion: u64) -> Outcome {
    replay::replay("demo/shop", readings, rules, Duration::from_secs(expansion))
}

fn growths(outcome: &Outcome) -> Vec<(i64, u64)> {
    let all = outcome.growths.iter();
    all.map(|g| (g.at.as_second() - 1_800_000_000, g.to / MIB))
        .collect()
}

/// 4 MiB/s into 448 MiB of filesystem on 512 MiB. 80 % are 358.4 MiB, crossed at second 90 with 360 MiB; half as much again
/// is 768 MiB, with 704 MiB of filesystem, of which 80 % are 563.2 MiB: second 141, 564 MiB. That makes 1152 MiB.
#[test]
fn a_steady_fill_grows_at_each_crossing() {
    let readings = (0..=150).map(|s| reading(s, 2_000, 4 * u64::try_from(s).unwrap()));
    let mut readings: Vec<_> = readings.collect();
    // The recording's own volume was large from the second reading on; what counts is the size at its begin.
    readings[0] = reading(0, 448, 0);
    let outcome = replayed(readings, &rules("usageThreshold: 80, scalingThreshold: 50"), 5);
    assert_eq!(growths(&outcome), [(90, 768), (141, 1_152)]);
    assert!(outcome.full.is_empty(), "{:?}", outcome.full);
    assert_eq!(outcome.growths[0].reason, "ThresholdExceeded");
    assert_eq!((outcome.size, outcome.readings), (1_152 * MIB, 151));
    // 376 of 448 MiB at the last measurement before the first growth is done.
    assert_eq!(outcome.highest, 83);
    assert!(outcome.held.is_empty(), "{:?}", outcome.held);
}

/// The same fill with an expansion of 30 s: at second 112, 448 MiB are used and the growth comes at second 120.
#[test]
fn an_expansion_that_takes_too_long_ends_full() {
    let mut readings: Vec<_> = (0..=130)
        .map(|s| reading(s, 2_000, 4 * u64::try_from(s).unwrap()))
        .collect();
    readings[0] = reading(0, 448, 0);
    let outcome = replayed(readings, &rules("usageThreshold: 80, scalingThreshold: 50"), 30);
    assert_eq!(growths(&outcome), [(90, 768)]);
    let [full] = &outcome.full[..] else {
        panic!("{:?}", outcome.full);
    };
    assert_eq!((full.claim.as_str(), full.at), ("data-shop-0", at(112)));
    assert!((full.seconds - 8.0).abs() < 1e-9, "{full:?}");
    assert_eq!(outcome.highest, 100);
}

/// What the threshold alone met too late, the rate sees in time: at 4 MiB/s 448 MiB hold for 112 s.
#[test]
fn the_rate_of_a_fill_is_replayed_too() {
    let mut readings: Vec<_> = (0..=130)
        .map(|s| reading(s, 2_000, 4 * u64::try_from(s).unwrap()))
        .collect();
    readings[0] = reading(0, 448, 0);
    let outcome = replayed(
        readings,
        &rules_with("On", "usageThreshold: 80, scalingThreshold: 50"),
        30,
    );
    assert!(outcome.full.is_empty(), "{:?}", outcome.full);
    let first = &outcome.growths[0];
    assert_eq!(first.reason, "TimeToFull");
    assert!(first.at < at(82), "30 s before the end at the latest: {first:?}");
}

#[test]
fn a_bound_holds_back_for_as_long_as_it_is_crossed() {
    let readings = vec![
        reading(0, 448, 100),
        reading(10, 448, 400),
        reading(70, 448, 100),
        reading(90, 448, 100),
    ];
    let outcome = replayed(readings, &rules("upperBound: 512Mi"), 5);
    assert!(outcome.growths.is_empty());
    let held = outcome.held["AtUpperBound"];
    assert_eq!(held.times, 1);
    assert!((held.seconds - 60.0).abs() < 1e-9, "{held:?}");
}

/// Without an upperBound four growths a day are the most: the guard holds from the fifth crossing on, until 95 %.
#[test]
fn the_guard_against_a_runaway_is_replayed_too() {
    let mut readings: Vec<_> = (0..=25)
        .map(|minute| Reading {
            size: Some(GIB),
            ..reading(60 * minute, 4_096, 700 + 50 * u64::try_from(minute).unwrap())
        })
        .collect();
    readings[0] = Reading {
        size: Some(GIB),
        ..reading(0, 1_024, 0)
    };
    let outcome = replayed(readings, &rules("usageThreshold: 80, scalingThreshold: 20"), 5);
    assert_eq!(outcome.growths.len(), 4, "{:?}", growths(&outcome));
    assert!(outcome.held.contains_key("Runaway"), "{:?}", outcome.held);
}

#[test]
fn what_the_decider_had_learned_is_in_the_recording() {
    let first = |expansion_millis| {
        // A MiB a second into 448 MiB.
        let readings = (0..448).map(|s| Reading {
            expansion_millis,
            ..reading(s, 448, s.unsigned_abs())
        });
        let policy = rules_with("On", "usageThreshold: 95, scalingThreshold: 100");
        let outcome = replayed(readings.collect(), &policy, 1);
        outcome.growths[0].at.duration_since(at(0)).as_secs()
    };
    let (unknown, slow, quick) = (first(None), first(Some(60_000)), first(Some(1_000)));
    assert_eq!(unknown, slow, "a minute is what the default profile says");
    assert!(slow + 60 < quick, "{slow} s, {quick} s");
}

/// 1 GiB with a quarter used, for 730 hours: three quarters of a GiB-month.
#[test]
fn what_is_paid_for_and_not_used() {
    let one = |second| Reading {
        size: Some(GIB),
        ..reading(second, 1_024, 256)
    };
    let outcome = replayed(vec![one(0), one(730 * 3_600)], &rules("usageThreshold: 80"), 5);
    assert!(
        (outcome.gib_months_unused - 0.75).abs() < 1e-9,
        "{}",
        outcome.gib_months_unused
    );
}

#[test]
fn all_members_grow_when_one_has_to() {
    let second = |s, used| Reading {
        claim: "data-shop-1".into(),
        ..reading(s, 448, used)
    };
    let readings = vec![
        reading(0, 448, 10),
        second(0, 10),
        second(1, 400),
        reading(20, 448, 420),
    ];
    let outcome = replayed(readings, &rules("usageThreshold: 80, scalingThreshold: 100"), 5);
    assert_eq!(
        growths(&outcome),
        [(1, 1_024)],
        "420 MiB of 960 MiB is no cause any more"
    );
}

#[test]
fn csv_and_jsonl_say_the_same() {
    let lines = concat!(
        r#"{"at":"2026-11-21T12:00:00Z","namespace":"demo","database":"shop","claim":"data-shop-0","capacity":10,"used":7}"#,
        "\n",
        r#"{"at":"2026-11-21T12:00:01Z","namespace":"demo","database":"shop","claim":"data-shop-0","size":12,"capacity":10,"available":2,"used":8}"#,
    );
    let table = "at,namespace,database,claim,size,capacity,available,used\n\
                 2026-11-21T12:00:00Z,demo,shop,data-shop-0,,10,,7\n2026-11-21T12:00:01Z,demo,shop,data-shop-0,12,10,2,8\n";
    let parsed = usage::parse(lines).unwrap();
    assert_eq!(parsed, usage::parse(table).unwrap());
    assert_eq!((parsed[0].available, parsed[1].size), (None, Some(12)));
}

#[test]
fn answers_of_prometheus_are_joined_by_claim_and_time() {
    let series = |name: &str, claim: &str, values: serde_json::Value| json!({"metric": {"__name__": name, "namespace": "demo", "persistentvolumeclaim": claim}, "values": values});
    let answer = |result: Vec<serde_json::Value>| json!({"status": "success", "data": {"resultType": "matrix", "result": result}});
    let used = answer(vec![
        series(
            "kubelet_volume_stats_used_bytes",
            "data-shop-0",
            json!([[1_800_000_000.5, "700"], [1_800_000_060.5, "1.2e3"]]),
        ),
        series(
            "kubelet_volume_stats_used_bytes",
            "logs",
            json!([[1_800_000_000, "1"]]),
        ),
    ]);
    let capacity = answer(vec![series(
        "kubelet_volume_stats_capacity_bytes",
        "data-shop-0",
        json!([[1_800_000_000.5, "1000"], [1_800_000_060.5, "2000"]]),
    )]);
    let readings = usage::parse(&format!("{used}\n{capacity}")).unwrap();
    let told: Vec<_> = readings
        .iter()
        .map(|r| (r.database.as_str(), r.used, r.capacity))
        .collect();
    assert_eq!(told, [("shop", 700, 1_000), ("shop", 1_200, 2_000)]);
    assert_eq!(readings[1].at.as_millisecond(), 1_800_000_060_500);
    let missing = usage::parse(&used.to_string()).unwrap_err().to_string();
    assert!(
        missing.contains("kubelet_volume_stats_capacity_bytes"),
        "{missing}"
    );
}

#[test]
fn what_cannot_be_read_is_named() {
    for (text, named) in [
        ("", "no measurement"),
        ("{\"at\": 1}", "value 1"),
        ("at,used\nx,1\n", "columns"),
        (
            r#"{"status":"error","error":"query timed out"}"#,
            "query timed out",
        ),
    ] {
        let problem = usage::parse(text).unwrap_err().to_string();
        assert!(problem.contains(named), "{text}: {problem}");
    }
    let wrong = |text: &str| {
        policy::read(Path::new("p.yaml"), text, None)
            .unwrap_err()
            .to_string()
    };
    assert!(wrong("{}").contains("not the PostgresAutoscaler of --policy"));
    let absent = text(Path::new("/nowhere"), usage::WANTED)
        .unwrap_err()
        .to_string();
    assert!(
        absent.contains("/nowhere") && absent.contains("highwater record"),
        "{absent}"
    );
    let bare = "apiVersion: autoscaling.kubedb.com/v1alpha1\nkind: PostgresAutoscaler\nmetadata: {name: a}\nspec: {databaseRef: {name: x}}";
    assert!(wrong(bare).contains("spec.storage.postgres is absent"));
    let over = "apiVersion: autoscaling.kubedb.com/v1alpha1\nkind: PostgresAutoscaler\nmetadata: {name: a}\nspec: {databaseRef: {name: x}, storage: {postgres: {trigger: \"On\", usageThreshold: 120}}}";
    assert!(wrong(over).contains("usageThreshold: 120"));
}

#[test]
fn the_report_tells_each_growth_and_each_full_volume() {
    let mut readings: Vec<_> = (0..=130)
        .map(|s| reading(s, 2_000, 4 * u64::try_from(s).unwrap()))
        .collect();
    readings[0] = reading(0, 448, 0);
    let outcome = replayed(readings, &rules("usageThreshold: 80, scalingThreshold: 50"), 30);
    let text = anstream::adapter::strip_str(&report::render(&[outcome])).to_string();
    assert!(
        text.contains("grows   ThresholdExceeded: data-shop-0 is 80% used (360Mi of 448Mi)"),
        "{text}"
    );
    assert!(text.contains("FULL    data-shop-0 for 8.0 s"), "{text}");
}
