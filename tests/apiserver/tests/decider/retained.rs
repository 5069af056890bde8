//! What keeps PostgreSQL from recycling its log is said of each growth: where it is decided, and where it is told.

use serde_json::{Value, json};

use crate::{
    bed::Bed,
    server::{send, until},
    world::{GIB, World, condition, percent},
};

const WORDS: &str = "slot old keeps 3Gi";

/// Plays the provisioner: the Postgres' condition.
async fn retains(world: &World, status: &str) {
    let condition = json!({"type": "WALRetained", "status": status, "reason": "SlotBehind", "message": WORDS,
                           "lastTransitionTime": "2026-11-21T12:00:00Z"});
    let path = world.path("kubedb.com/v1", "postgreses", "pg/status");
    send(
        &world.client,
        "PATCH",
        &path,
        &json!({"status": {"conditions": [condition]}}),
    )
    .await;
}

#[tokio::test]
async fn a_growth_says_what_it_is_buying() {
    let bed = Bed::new().await;
    let world = World::new(&bed, "retained").await;
    world.database("pg", 1).await;
    retains(&world, "True").await;
    world.autoscaler("pg", "pg", json!({})).await;
    let decider = bed.decider().await;
    let mut agent = world.agent();
    agent.report_to(decider.address);
    let pv = world.pv("pg", 0);
    agent.measures(&pv, GIB, GIB / 2);
    let autoscaler = world.reason("pg", "BelowThreshold").await;
    let says = |text: &Value| text.as_str().is_some_and(|text| text.contains(WORDS));
    let noted = condition(&autoscaler, "WALRetained").expect("before there is a growth");
    assert!(says(&noted["message"]), "{noted}");

    agent.measures(&pv, GIB, percent(81, GIB));
    let autoscaler = world.reason("pg", "RequestOpen").await;
    let decision = &autoscaler["status"]["lastDecision"];
    assert!(says(&decision["message"]), "{decision}");
    until("an Event", async || {
        world.has_event("pg", "CreateOpsRequest").await
    })
    .await;
    let event = world.events("pg", "CreateOpsRequest").await.remove(0);
    assert!(says(&event["note"]), "{event}");

    retains(&world, "False").await;
    until("it is taken back", async || {
        condition(&world.get_autoscaler("pg").await, "WALRetained").is_none()
    })
    .await;
    decider.stop().await;
}
