//! Volumes that were filled in the race (`make bench-race`), as `record` wrote them down meanwhile: a replay must make the
//! decisions that were made, a second off at most.

use std::collections::BTreeMap;

use super::*;

/// Runs of one rule, at one rate.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Heat {
    /// Its namespace.
    heat: String,
    time_to_full: String,
    /// How long a request took there until it was carried out; where expansions are made longer, the first: volumes of one heat
    /// wait for each other, and who decides waits for the end of the request before.
    expansion_millis: u64,
    /// When the API server had answered each request, by database.
    made: BTreeMap<String, Vec<Timestamp>>,
}

fn recorded() -> (Vec<Heat>, Vec<Reading>) {
    let heats = serde_json::from_str(include_str!("race/decisions.json")).unwrap();
    let readings = usage::parse(include_str!("race/usage.jsonl")).unwrap();
    (heats, readings)
}

#[test]
fn the_race_replayed_gives_the_decisions_that_were_made() {
    let (heats, readings) = recorded();
    let mut databases = by_database(readings);
    for heat in heats {
        let storage = "expansionMode: Online, usageThreshold: 80, scalingThreshold: 50, upperBound: 64Gi";
        let rules = rules_with(&heat.time_to_full, storage);
        let expansion = Duration::from_millis(heat.expansion_millis);
        for (database, made) in heat.made {
            let name = format!("{}/{database}", heat.heat);
            let readings = databases.remove(&name).expect("it is recorded");
            let growths = replay::replay(&name, readings, &rules, expansion).growths;
            assert_eq!(growths.len(), made.len(), "{name}: {growths:?}");
            for (growth, made) in growths.iter().zip(made) {
                let off = growth.at.duration_since(made).as_secs_f64();
                assert!(off.abs() <= 1.0, "{name}: {off} s from {made}: {growth:?}");
            }
        }
    }
    assert!(databases.is_empty(), "every recording is compared: {databases:?}");
}
