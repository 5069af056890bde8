//! A volume that will be full and cannot grow is warned of, early enough.

use std::{sync::Mutex, time::Duration};

use proto::usage::v1::Reading;
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::{
    agent::{Agent, reading},
    bed::Bed,
    readiness::{can_grow, cannot_grow},
    server::until,
    world::{GIB, MIB, World},
};

/// What it fills by each second: far above what a window rounds away.
const RATE: u64 = 48 << 10;

/// Runs `test` while a volume fills steadily, whose room lasts as long as is said.
async fn filling<T>(agent: &Agent, pv: &str, lasts: &Mutex<Duration>, test: impl Future<Output = T>) -> T {
    let fill = async {
        let begun = Instant::now();
        loop {
            let used = 64 * MIB + RATE * u64::try_from(begun.elapsed().as_millis()).unwrap() / 1_000;
            let available = RATE * lasts.lock().unwrap().as_secs();
            agent.says(
                pv,
                Reading {
                    available,
                    ..reading(GIB, used)
                },
            );
            sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::select! {
        () = fill => unreachable!("it fills for ever"),
        done = test => done,
    }
}

/// Less than a day, an hour and ten minutes are left: each is told of once, by whichever decider.
#[tokio::test]
async fn who_cannot_grow_is_warned_of_three_times() {
    let bed = Bed::new().await;
    let world = World::new(&bed, "full-soon").await;
    world.database("pg", 1).await;
    world.autoscaler("pg", "pg", json!({"upperBound": "1Gi"})).await;
    let decider = bed.decider().await;
    let mut agent = world.agent();
    agent.report_to(decider.address);
    let lasts = Mutex::new(Duration::from_secs(5 * 3_600));
    let warnings = async |count: usize| {
        until(&format!("{count} warnings"), async || {
            world.events("pg", "FullSoon").await.len() == count
        })
        .await;
    };
    let last_for = |minutes: u64| *lasts.lock().unwrap() = Duration::from_secs(60 * minutes);
    let full_in = async |label: &str| {
        until(label, async || {
            world.get_autoscaler("pg").await["status"]["fullIn"] == label
        })
        .await;
    };
    let pv = world.pv("pg", 0);
    let test = async {
        warnings(1).await;
        last_for(45);
        warnings(2).await;
        last_for(25);
        full_in("20m").await;
        last_for(3);
        warnings(3).await;
    };
    filling(&agent, &pv, &lasts, test).await;
    decider.stop().await;
    let decider = bed.decider().await;
    agent.report_to(decider.address);
    let test = until("it predicts the same", async || {
        decider.metric("highwater_decider_full_within_hour", "no") >= 1.0
    });
    filling(&agent, &pv, &lasts, test).await;
    let [_, _, why] = can_grow(&world, "pg").await.unwrap();
    let told = world.events("pg", "FullSoon").await;
    assert_eq!(told.len(), 3, "{told:?}");
    for (event, labels) in told
        .iter()
        .zip([["2h", "4h", "8h"], ["20m", "30m", "1h"], ["1m", "2m", "5m"]])
    {
        let notes = labels.map(|label| format!("full in about {label} and cannot grow: {why}"));
        let note = event["note"].as_str().unwrap();
        assert!(notes.iter().any(|n| n == note), "{note}");
        assert!(event["type"] == "Warning" && event["series"].is_null(), "{event}");
    }
    decider.stop().await;
}

#[tokio::test]
async fn a_database_that_cannot_grow_is_told_of_before_it_is_full() {
    let bed = Bed::new().await;
    let world = World::new(&bed, "readiness").await;
    let decider = bed.decider().await;
    let mut agent = world.agent();
    agent.report_to(decider.address);
    for (name, bound) in [("open", "8Gi"), ("bound", "1Gi")] {
        world.database(name, 1).await;
        world.autoscaler(name, name, json!({"upperBound": bound})).await;
        agent.measures(&world.pv(name, 0), GIB, GIB / 2);
    }
    cannot_grow(&world, "bound", "AtUpperBound", &["upperBound 1Gi"]).await;
    until("the other can grow", async || {
        let said = can_grow(&world, "open").await;
        said.is_some_and(|[status, reason, _]| status == "True" && reason == "CanGrow")
    })
    .await;
    let warned = async |name: &str| world.has_event(name, "FullSoon").await;
    assert!(!warned("bound").await, "nothing is written");

    let mut used = GIB / 2;
    until("the one that cannot is warned of", async || {
        used += MIB / 4;
        for name in ["open", "bound"] {
            agent.measures(&world.pv(name, 0), GIB, used);
        }
        warned("bound").await
    })
    .await;
    assert!(!warned("open").await, "it will grow");
    let full = world.get_autoscaler("bound").await["status"]["fullIn"].clone();
    assert!(full.as_str().is_some_and(|label| label != ">7d"), "{full}");
    decider.stop().await;
}
