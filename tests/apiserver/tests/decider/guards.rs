//! What keeps a full volume from growing, and how it is told.

use std::time::Duration;

use proto::usage::v1::Reading;
use serde_json::json;

use crate::{
    agent::reading,
    bed::{Bed, How},
    server::{send, until},
    world::{GIB, MIB, World, condition, percent},
};

#[tokio::test]
async fn the_quota_is_for_the_sum_over_all_claims() {
    let bed = Bed::new().await;
    let world = World::new(&bed, "quota").await;
    world.database("pg", 3).await;
    let quota = json!({"metadata": {"name": "disk"}, "spec": {"hard": {"requests.storage": "3900Mi"}}});
    send(&world.client, "POST", &world.core("resourcequotas", ""), &quota).await;
    let used =
        json!({"status": {"hard": {"requests.storage": "3900Mi"}, "used": {"requests.storage": "3Gi"}}});
    send(
        &world.client,
        "PATCH",
        &world.core("resourcequotas", "disk/status"),
        &used,
    )
    .await;
    world.autoscaler("pg-as", "pg", json!({})).await;
    let decider = bed.decider().await;
    let mut agent = world.agent();
    agent.report_to(decider.address);
    for ordinal in 0..3 {
        agent.measures(&world.pv("pg", ordinal), GIB, percent(81, GIB));
    }
    let request = world.requests_are(1).await.remove(0);
    // 828 MiB left for three claims: 276 MiB each.
    assert_eq!(request["spec"]["volumeExpansion"]["postgres"], "1300Mi");
    let message = world.reason("pg-as", "RequestOpen").await["status"]["lastDecision"]["message"].to_string();
    assert!(message.contains("ResourceQuota disk"), "{message}");

    let full = json!({"status": {"used": {"requests.storage": "3900Mi"}}});
    send(
        &world.client,
        "PATCH",
        &world.core("resourcequotas", "disk/status"),
        &full,
    )
    .await;
    world.end(&request, "Failed").await;
    let autoscaler = world.reason("pg-as", "QuotaExceeded").await;
    assert_eq!(autoscaler["status"]["canGrow"], "No");
    until("a warning", async || {
        world.has_event("pg-as", "QuotaExceeded").await
    })
    .await;
    assert_eq!(world.requests().await.len(), 1);
    decider.stop().await;
}

#[tokio::test]
async fn upper_bound_caps_and_then_stops_and_says_so() {
    let bed = Bed::new().await;
    let world = World::new(&bed, "upper-bound").await;
    world.database("pg", 1).await;
    world
        .autoscaler("pg-as", "pg", json!({"upperBound": "1200Mi"}))
        .await;
    let decider = bed.decider().await;
    let mut agent = world.agent();
    agent.report_to(decider.address);
    let pv = world.pv("pg", 0);
    agent.measures(&pv, GIB, percent(81, GIB));
    let request = world.requests_are(1).await.remove(0);
    assert_eq!(request["spec"]["volumeExpansion"]["postgres"], "1200Mi");
    world.grow_claim("data-pg-0", "1200Mi").await;
    world.end(&request, "Successful").await;
    agent.measures(&pv, 1200 * MIB, 1199 * MIB);
    let autoscaler = world.reason("pg-as", "AtUpperBound").await;
    let decision = condition(&autoscaler, "Decision").expect("the decision");
    assert_eq!(decision["status"], "False");
    let message = decision["message"].as_str().unwrap();
    assert!(
        message.contains("upperBound 1.2Gi") && message.contains("raise spec.storage.postgres.upperBound"),
        "{message}"
    );
    assert_eq!(world.requests().await.len(), 1);

    let raised = json!({"spec": {"storage": {"postgres": {"upperBound": "10Gi"}}}});
    send(&world.client, "PATCH", &world.autoscalers("pg-as"), &raised).await;
    world.requests_are(2).await;
    decider.stop().await;
}

#[tokio::test]
async fn shadow_mode_decides_and_does_nothing() {
    let bed = Bed::new().await;
    let world = World::new(&bed, "shadow").await;
    world.database("pg", 1).await;
    world
        .autoscaler_with("pg-as", "pg", json!({}), json!({"highwater.dev/mode": "Shadow"}))
        .await;
    let decider = bed.decider().await;
    let mut agent = world.agent();
    agent.report_to(decider.address);
    agent.measures(&world.pv("pg", 0), GIB, percent(81, GIB));
    let autoscaler = world.reason("pg-as", "Shadow").await;
    let message = condition(&autoscaler, "Decision").unwrap()["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        message.contains("would grow") && message.contains("1Gi -> 1.5Gi"),
        "{message}"
    );
    assert!(world.requests().await.is_empty());
    let counted = decider.metric("highwater_decider_decisions_total", "reason=\"Shadow\"");
    assert!(counted > 0.0);
    let live = json!({"metadata": {"annotations": {"highwater.dev/mode": null}}});
    send(&world.client, "PATCH", &world.autoscalers("pg-as"), &live).await;
    world.requests_are(1).await;
    decider.stop().await;
}

#[tokio::test]
async fn if_ready_is_asked_for_by_annotation() {
    let bed = Bed::new().await;
    let world = World::new(&bed, "if-ready").await;
    world.database("pg", 1).await;
    world
        .autoscaler_with(
            "pg-as",
            "pg",
            json!({}),
            json!({"highwater.dev/apply": "IfReady"}),
        )
        .await;
    let decider = bed.decider().await;
    let mut agent = world.agent();
    agent.report_to(decider.address);
    agent.measures(&world.pv("pg", 0), GIB, percent(81, GIB));
    assert_eq!(world.requests_are(1).await[0]["spec"]["apply"], "IfReady");
    decider.stop().await;
}

#[tokio::test]
async fn another_controller_on_the_claim_and_a_class_without_expansion() {
    let bed = Bed::new().await;
    let world = World::new(&bed, "not-ours").await;
    world.database("pg", 1).await;
    world
        .patch_claim(
            "data-pg-0",
            json!({"metadata": {"annotations": {"resize.topolvm.io/storage_limit": "9Gi"}}}),
        )
        .await;
    world.autoscaler("pg-as", "pg", json!({})).await;
    world.postgres("fixed").await;
    world.member("fixed", 0, "fixed").await;
    world.autoscaler("fixed-as", "fixed", json!({})).await;
    let decider = bed.decider().await;
    let mut agent = world.agent();
    agent.report_to(decider.address);
    agent.measures(&world.pv("pg", 0), GIB, percent(90, GIB));
    agent.measures(&world.pv("fixed", 0), GIB, percent(90, GIB));
    let autoscaler = world.reason("pg-as", "OtherController").await;
    assert!(
        condition(&autoscaler, "Decision").unwrap()["message"]
            .as_str()
            .unwrap()
            .contains("resize.topolvm.io")
    );
    world.reason("fixed-as", "NotExpandable").await;
    assert!(world.requests().await.is_empty());
    world
        .patch_claim(
            "data-pg-0",
            json!({"metadata": {"annotations": {"resize.topolvm.io/storage_limit": null}}}),
        )
        .await;
    world.requests_are(1).await;
    decider.stop().await;
}

/// A filesystem that the kernel made read-only: growing it is no help, whatever it holds.
#[tokio::test]
async fn a_read_only_volume_is_told_and_not_grown() {
    let bed = Bed::new().await;
    let world = World::new(&bed, "read-only").await;
    world.database("pg", 1).await;
    world.autoscaler("pg-as", "pg", json!({})).await;
    let decider = bed.decider().await;
    let mut agent = world.agent();
    agent.report_to(decider.address);
    let writable = reading(GIB, percent(90, GIB));
    let read_only = Reading {
        read_only: true,
        ..writable
    };
    agent.says(&world.pv("pg", 0), read_only);
    let autoscaler = world.reason("pg-as", "ReadOnly").await;
    assert_eq!(autoscaler["status"]["canGrow"], "No");
    for type_ in ["Decision", "ReadOnly"] {
        let message = condition(&autoscaler, type_).unwrap()["message"].to_string();
        assert!(
            message.contains("node-1") && message.contains("kernel log"),
            "{type_}: {message}"
        );
    }
    until("a warning", async || world.has_event("pg-as", "ReadOnly").await).await;
    assert!(world.requests().await.is_empty());
    agent.says(&world.pv("pg", 0), writable);
    world.requests_are(1).await;
    let autoscaler = world.reason("pg-as", "RequestOpen").await;
    assert!(condition(&autoscaler, "ReadOnly").is_none(), "{autoscaler}");
    decider.stop().await;
}

#[tokio::test]
async fn silence_is_stale_and_not_empty() {
    let bed = Bed::new().await;
    let world = World::new(&bed, "stale").await;
    world.database("pg", 1).await;
    world.autoscaler("pg-as", "pg", json!({})).await;
    let decider = bed
        .decider_with(How {
            stale_after: Duration::from_secs(2),
            ..How::default()
        })
        .await;
    let mut agent = world.agent();
    agent.report_to(decider.address);
    agent.measures(&world.pv("pg", 0), GIB, GIB / 2);
    world.reason("pg-as", "BelowThreshold").await;
    agent.die().await;
    let autoscaler = world.reason("pg-as", "Stale").await;
    assert_eq!(
        autoscaler["status"]["volumes"][0]["usedPercent"], 50,
        "what was known stays, with its reason"
    );
    assert_eq!(autoscaler["status"]["canGrow"], "No");
    assert_eq!(condition(&autoscaler, "CanGrow").unwrap()["reason"], "Stale");
    agent.report_to(decider.address);
    world.reason("pg-as", "BelowThreshold").await;
    decider.stop().await;
}

#[tokio::test]
async fn manifests_applied_again_are_told_and_undone_by_a_commit() {
    let bed = Bed::new().await;
    let world = World::new(&bed, "spec-behind").await;
    world.database("pg", 1).await;
    world.grow_claim("data-pg-0", "2Gi").await;
    world.autoscaler("pg-as", "pg", json!({})).await;
    let decider = bed.decider().await;
    let mut agent = world.agent();
    agent.report_to(decider.address);
    agent.measures(&world.pv("pg", 0), 2 * GIB, GIB);
    let autoscaler = world.reason("pg-as", "BelowThreshold").await;
    let message = condition(&autoscaler, "SpecBehind").expect("told")["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(message.contains("2Gi") && message.contains("commit"), "{message}");
    let committed = json!({"spec": {"storage": {"resources": {"requests": {"storage": "2Gi"}}}}});
    send(
        &world.client,
        "PATCH",
        &world.path("kubedb.com/v1", "postgreses", "pg"),
        &committed,
    )
    .await;
    until("it is taken back", async || {
        condition(&world.get_autoscaler("pg-as").await, "SpecBehind").is_none()
    })
    .await;
    decider.stop().await;
}
