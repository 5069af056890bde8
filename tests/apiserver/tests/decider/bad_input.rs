//! Bad input: each is told by its reason, and none keeps another database from growing.

use decider_core::{Database, Decision, Policy, Profile, decide};
use jiff::Timestamp;
use serde_json::json;

use crate::{
    agent::reading,
    bed::{Bed, How},
    server::{send, until},
    world::{GIB, World, condition, percent},
};

#[tokio::test]
async fn an_unknown_database_is_waited_for() {
    let bed = Bed::new().await;
    let world = World::new(&bed, "unknown-db").await;
    world.autoscaler("pg-as", "pg", json!({})).await;
    let decider = bed.decider().await;
    let autoscaler = world.reason("pg-as", "DatabaseNotFound").await;
    assert_eq!(autoscaler["status"]["phase"], "InProgress");
    world.database("pg", 1).await;
    world.reason("pg-as", "NotMeasured").await;
    let mut agent = world.agent();
    agent.report_to(decider.address);
    agent.measures(&world.pv("pg", 0), GIB, percent(90, GIB));
    world.requests_are(1).await;
    send(
        &world.client,
        "DELETE",
        &world.path("kubedb.com/v1", "postgreses", "pg"),
        &json!({}),
    )
    .await;
    world.reason("pg-as", "DatabaseNotFound").await;
    decider.stop().await;
}

#[tokio::test]
async fn of_two_autoscalers_for_one_database_none_acts() {
    let bed = Bed::new().await;
    let world = World::new(&bed, "duplicates").await;
    world.database("pg", 1).await;
    world.autoscaler("one", "pg", json!({})).await;
    world.autoscaler("two", "pg", json!({"usageThreshold": 50})).await;
    let decider = bed.decider().await;
    let mut agent = world.agent();
    agent.report_to(decider.address);
    agent.measures(&world.pv("pg", 0), GIB, percent(90, GIB));
    for (name, other) in [("one", "two"), ("two", "one")] {
        let autoscaler = world.reason(name, "DuplicateAutoscaler").await;
        assert_eq!(autoscaler["status"]["phase"], "Failed");
        assert!(
            condition(&autoscaler, "Decision").unwrap()["message"]
                .as_str()
                .unwrap()
                .contains(other)
        );
    }
    assert!(world.requests().await.is_empty());
    world.delete_autoscaler("two").await;
    let requests = world.requests_are(1).await;
    assert_eq!(requests[0]["metadata"]["ownerReferences"][0]["name"], "one");
    decider.stop().await;
}

/// Something else has yet to let go of it; what it asked for now would be deleted with it.
#[tokio::test]
async fn an_autoscaler_that_is_being_deleted_asks_for_nothing() {
    let bed = Bed::new().await;
    let world = World::new(&bed, "deleting").await;
    world.database("pg", 1).await;
    world.autoscaler("pg-as", "pg", json!({})).await;
    let held = json!({"metadata": {"finalizers": ["example.com/held"]}});
    send(&world.client, "PATCH", &world.autoscalers("pg-as"), &held).await;
    world.delete_autoscaler("pg-as").await;
    let decider = bed.decider().await;
    let mut agent = world.agent();
    agent.report_to(decider.address);
    agent.measures(&world.pv("pg", 0), GIB, percent(90, GIB));
    let autoscaler = world.reason("pg-as", "ThresholdExceeded").await;
    assert_eq!(autoscaler["status"]["phase"], "Terminating");
    assert!(world.requests().await.is_empty());
    let released = json!({"metadata": {"finalizers": null}});
    send(&world.client, "PATCH", &world.autoscalers("pg-as"), &released).await;
    until("it is forgotten", async || {
        decider.metric("highwater_decider_autoscalers", "") < 0.5
    })
    .await;
    decider.stop().await;
}

#[tokio::test]
async fn a_policy_that_cannot_be_used_names_field_and_remedy() {
    let bed = Bed::new().await;
    let world = World::new(&bed, "bad-policy").await;
    let bad = [
        (
            "rule",
            json!({"scalingRules": [{"appliesUpto": "500GB", "threshold": "50pc"}]}),
            "scalingRules[0].appliesUpto",
        ),
        (
            "growth",
            json!({"scalingRules": [{"appliesUpto": "", "threshold": "fifty"}]}),
            "scalingRules[0].threshold",
        ),
        ("percent", json!({"usageThreshold": 120}), "usageThreshold: 120"),
        ("bound", json!({"upperBound": "500GB"}), "upperBound: \"500GB\""),
        ("trigger", json!({"trigger": "on"}), "trigger: \"on\""),
    ];
    let decider = bed.decider().await;
    let mut agent = world.agent();
    agent.report_to(decider.address);
    for (name, storage, _) in &bad {
        world.database(name, 1).await;
        world.autoscaler(name, name, storage.clone()).await;
        agent.measures(&world.pv(name, 0), GIB, percent(90, GIB));
    }
    for (name, _, wanted) in &bad {
        let autoscaler = world.reason(name, "InvalidPolicy").await;
        assert_eq!(autoscaler["status"]["phase"], "Failed");
        let message = condition(&autoscaler, "Decision").unwrap()["message"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(
            message.contains(wanted) && message.contains("correct the field"),
            "{message}"
        );
    }
    assert!(world.requests().await.is_empty());
    decider.stop().await;
}

#[tokio::test]
async fn an_upper_bound_below_the_present_size_is_told() {
    let bed = Bed::new().await;
    let world = World::new(&bed, "low-bound").await;
    world.database("pg", 1).await;
    world
        .autoscaler("pg-as", "pg", json!({"upperBound": "500Mi"}))
        .await;
    let decider = bed.decider().await;
    let mut agent = world.agent();
    agent.report_to(decider.address);
    agent.measures(&world.pv("pg", 0), GIB, percent(90, GIB));
    let autoscaler = world.reason("pg-as", "AtUpperBound").await;
    let message = condition(&autoscaler, "Decision").unwrap()["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(message.contains("1Gi") && message.contains("500Mi"), "{message}");
    assert!(world.requests().await.is_empty());
    decider.stop().await;
}

/// An object that no version of ours can read is counted, and the next one is served.
#[tokio::test]
async fn a_malformed_object_does_not_blind_the_watch() {
    let bed = Bed::new().await;
    let world = World::new(&bed, "malformed").await;
    world.database("pg", 1).await;
    world
        .autoscaler("broken", "other", json!({"usageThreshold": {"eighty": true}}))
        .await;
    world.autoscaler("pg-as", "pg", json!({})).await;
    let decider = bed.decider().await;
    let mut agent = world.agent();
    agent.report_to(decider.address);
    agent.measures(&world.pv("pg", 0), GIB, percent(90, GIB));
    world.requests_are(1).await;
    assert!(
        decider.metric(
            "highwater_decider_malformed_objects_present",
            "PostgresAutoscaler"
        ) > 0.5
    );
    world
        .autoscaler("broken-later", "other", json!({"usageThreshold": [1]}))
        .await;
    until("it is counted", async || {
        decider.metric(
            "highwater_decider_malformed_objects_present",
            "PostgresAutoscaler",
        ) > 1.5
    })
    .await;
    let mended = json!({"spec": {"databaseRef": {"name": "nowhere"}, "storage": {"postgres": {"usageThreshold": 80}}}});
    send(&world.client, "PATCH", &world.autoscalers("broken"), &mended).await;
    world.reason("broken", "DatabaseNotFound").await;
    decider.stop().await;
}

#[tokio::test]
async fn reports_of_unknown_volumes_and_absurd_samples_are_counted() {
    let bed = Bed::new().await;
    let world = World::new(&bed, "absurd").await;
    world.database("empty", 1).await;
    world.autoscaler("empty-as", "empty", json!({})).await;
    world.database("pg", 1).await;
    world.autoscaler("pg-as", "pg", json!({})).await;
    let decider = bed.decider().await;
    let mut agent = world.agent();
    agent.report_to(decider.address);
    agent.measures("pv-nobody-knows", GIB, GIB);
    agent.says(&world.pv("empty", 0), reading(0, 0));
    agent.measures(&world.pv("pg", 0), GIB, 2 * GIB);
    until("counted", async || {
        decider.metric("highwater_decider_refused_total", "UnknownVolume") > 0.5
            && decider.metric("highwater_decider_refused_total", "AbsurdSample") > 1.5
    })
    .await;
    for name in ["empty-as", "pg-as"] {
        let autoscaler = world.reason(name, "NotMeasured").await;
        let mut volume = autoscaler["status"]["volumes"][0].clone();
        if volume["reason"] == "NotMeasured" {
            until("the volume says why", async || {
                volume = world.get_autoscaler(name).await["status"]["volumes"][0].clone();
                volume["reason"] == "AbsurdSample"
            })
            .await;
        }
        assert_eq!(volume["reason"], "AbsurdSample");
        assert!(volume["usedPercent"].is_null(), "unknown is not zero: {volume}");
    }
    assert!(world.requests().await.is_empty());
    agent.measures(&world.pv("pg", 0), GIB, percent(90, GIB));
    world.requests_are(1).await;
    decider.stop().await;
}

/// A decision that panics over one database.
fn defective(db: &Database, policy: &Policy, profile: &Profile, now: Timestamp) -> Decision {
    assert!(!db.name.ends_with("/cursed"), "a defect");
    decide(db, policy, profile, now)
}

#[tokio::test]
async fn a_defect_costs_one_object_and_not_the_process() {
    let bed = Bed::new().await;
    let world = World::new(&bed, "defect").await;
    for name in ["cursed", "pg"] {
        world.database(name, 1).await;
        world.autoscaler(name, name, json!({})).await;
    }
    let decider = bed
        .decider_with(How {
            decide: defective,
            ..How::default()
        })
        .await;
    let mut agent = world.agent();
    agent.report_to(decider.address);
    for name in ["cursed", "pg"] {
        agent.measures(&world.pv(name, 0), GIB, percent(90, GIB));
    }
    let autoscaler = world.reason("cursed", "InternalError").await;
    assert_eq!(autoscaler["status"]["phase"], "Failed");
    assert!(
        condition(&autoscaler, "Decision").unwrap()["message"]
            .as_str()
            .unwrap()
            .contains("a defect")
    );
    assert_eq!(
        condition(&autoscaler, "CanGrow").unwrap()["reason"],
        "InternalError"
    );
    let requests = world.requests_are(1).await;
    assert_eq!(requests[0]["spec"]["databaseRef"]["name"], "pg");
    assert!(decider.metric("highwater_decider_panics_total", "") > 0.5);
    decider.stop().await;
}
