//! What is not written: an idle fleet costs the API server nothing, and what is finished is cleared away.

use std::time::Duration;

use serde_json::json;

use crate::{
    bed::Bed,
    server::{send, until},
    world::{GIB, World},
};

/// Longer than a sample stays fresh, so that every timed look has come by.
const IDLE: Duration = Duration::from_secs(15);
const FLEET: u32 = 12;

#[tokio::test]
async fn an_idle_fleet_writes_nothing() {
    let bed = Bed::new().await;
    let world = World::new(&bed, "idle").await;
    let decider = bed.decider().await;
    let mut agent = world.agent();
    agent.report_to(decider.address);
    for n in 0..FLEET {
        let name = format!("pg{n}");
        world.database(&name, 1).await;
        world.autoscaler(&name, &name, json!({})).await;
        agent.measures(&world.pv(&name, 0), GIB, GIB / 100 * u64::from(20 + n));
    }
    for n in 0..FLEET {
        let name = format!("pg{n}");
        world.reason(&name, "BelowThreshold").await;
        until("it is owned", async || {
            world.get_autoscaler(&name).await["metadata"]["ownerReferences"][0]["kind"] == "Postgres"
        })
        .await;
        // Said once, when enough of its past is known.
        until("its rate is known", async || {
            world.get_autoscaler(&name).await["status"]["fullIn"] == ">7d"
        })
        .await;
    }
    let mut settled = decider.writes();
    until("the last write is answered", async || {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let before = std::mem::replace(&mut settled, decider.writes());
        (before - settled).abs() < 0.5
    })
    .await;
    assert!(
        settled > f64::from(FLEET),
        "what is counted are writes: {settled}"
    );
    let decisions = decider.metric("highwater_decider_decisions_total", "");
    tokio::time::sleep(IDLE).await;
    assert!(
        (decider.writes() - settled).abs() < 0.5,
        "{} writes",
        decider.writes() - settled
    );
    let looked = decider.metric("highwater_decider_decisions_total", "") - decisions;
    assert!(
        looked >= f64::from(FLEET),
        "every database was looked at meanwhile: {looked}"
    );

    // A rise below a hundredth of the capacity that fills nothing within the hour is no news either; a real move is.
    let pv = world.pv("pg0", 0);
    agent.measures(&pv, GIB, GIB / 100 * 20 + GIB / 2_000);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!((decider.writes() - settled).abs() < 0.5);
    agent.measures(&pv, GIB, GIB / 100 * 25);
    until("the move is shown", async || {
        world.get_autoscaler("pg0").await["status"]["volumes"][0]["usedPercent"] == 24
    })
    .await;
    assert!((decider.writes() - settled - 1.0).abs() < 0.5, "by one write");
    decider.stop().await;
}

#[tokio::test]
async fn finished_requests_are_pruned_to_ten_and_five() {
    let bed = Bed::new().await;
    let world = World::new(&bed, "prune").await;
    world.database("pg", 1).await;
    world.autoscaler("pg-as", "pg", json!({})).await;
    let uid = world.get_autoscaler("pg-as").await["metadata"]["uid"].clone();
    let request = |name: &str, owned: bool| {
        let owner = json!([{"apiVersion": "autoscaling.kubedb.com/v1alpha1", "kind": "PostgresAutoscaler",
                            "name": "pg-as", "uid": uid, "controller": true}]);
        json!({
            "apiVersion": "ops.kubedb.com/v1alpha1", "kind": "PostgresOpsRequest",
            "metadata": {"name": name, "ownerReferences": if owned { owner } else { json!([]) }},
            "spec": {"type": "VolumeExpansion", "databaseRef": {"name": "pg"},
                     "volumeExpansion": {"mode": "Online", "postgres": "2Gi"}},
        })
    };
    for (phase, count, owned) in [
        ("Successful", 13, true),
        ("Failed", 8, true),
        ("Successful", 12, false),
    ] {
        for n in 0..count {
            let name = format!(
                "{}-{}-{n}",
                phase.to_lowercase(),
                if owned { "ours" } else { "by-hand" }
            );
            let made = send(&world.client, "POST", &world.ops(""), &request(&name, owned)).await;
            world.end(&made, phase).await;
        }
    }
    let decider = bed.decider().await;
    let mut agent = world.agent();
    agent.report_to(decider.address);
    agent.measures(&world.pv("pg", 0), GIB, GIB / 2);
    let left = world.requests_are(10 + 5 + 12).await;
    let count = |part: &str| {
        left.iter()
            .filter(|r| r["metadata"]["name"].as_str().unwrap().contains(part))
            .count()
    };
    assert_eq!(
        (count("successful-ours"), count("failed-ours"), count("by-hand")),
        (10, 5, 12)
    );
    decider.stop().await;
}
