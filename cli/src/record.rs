//! `record`: the usage of a running fleet, a line a measurement, for `backtest`.

use std::{collections::HashMap, time::Duration};

use api::view::Database;
use jiff::Timestamp;
use runtime::clock::{Clock as _, SystemClock};

use crate::{backtest::Reading, cluster::Cluster, error::Error, output};

pub(crate) async fn record(
    cluster: &Cluster,
    every: Duration,
    length: Option<Duration>,
    until: Option<Timestamp>,
) -> Result<(), Error> {
    let clock = SystemClock;
    let end = until.or_else(|| clock.now().checked_add(length?).ok());
    let mut known = HashMap::new();
    let mut ticks = tokio::time::interval(every.max(Duration::from_millis(50)));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if end.is_some_and(|end| clock.now() >= end) {
            return Ok(());
        }
        match cluster.databases().await {
            Ok(answer) => output::text(&lines(&mut known, &answer.content)?)?,
            // A gap in the recording, which is better than its end.
            Err(error) if error.may_pass() => anstream::eprintln!("{error}"),
            Err(error) => return Err(error),
        }
    }
}

/// The measurements that were not written yet.
fn lines(known: &mut HashMap<(String, String), Timestamp>, databases: &[Database]) -> Result<String, Error> {
    let mut lines = String::new();
    for database in databases {
        for reading in database.volumes.iter().filter_map(|v| Reading::of(database, v)) {
            let volume = (reading.namespace.clone(), reading.claim.clone());
            if known.insert(volume, reading.at) != Some(reading.at) {
                lines += &serde_json::to_string(&reading).map_err(Error::Form)?;
                lines.push('\n');
            }
        }
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use api::view::{Usage, Volume};

    use super::*;

    #[test]
    fn a_measurement_is_written_once_and_what_is_not_measured_never() {
        let mut known = HashMap::new();
        let mut database = Database {
            namespace: "demo".into(),
            name: "shop".into(),
            expansion_millis: Some(1_500),
            volumes: vec![
                Volume {
                    claim: "data-shop-0".into(),
                    size: 12,
                    usage: Some(Usage {
                        capacity: 10,
                        available: 3,
                        used: 7,
                        percent: 70,
                    }),
                    sampled_at: Some("2026-11-21T12:00:00Z".parse().unwrap()),
                    ..Volume::default()
                },
                Volume::default(),
            ],
            ..Database::default()
        };
        let line = concat!(
            r#"{"at":"2026-11-21T12:00:00Z","namespace":"demo","database":"shop","claim":"data-shop-0","#,
            r#""size":12,"capacity":10,"available":3,"used":7,"expansionMillis":1500}"#,
            "\n"
        );
        assert_eq!(lines(&mut known, std::slice::from_ref(&database)).unwrap(), line);
        assert_eq!(lines(&mut known, std::slice::from_ref(&database)).unwrap(), "");
        database.volumes[0].sampled_at = Some("2026-11-21T12:00:01Z".parse().unwrap());
        assert_eq!(lines(&mut known, &[database]).unwrap().lines().count(), 1);
    }
}
