//! Whose samples count: a pod's that is known to be on that node and to mount the claim.

use std::time::Duration;

use serde_json::json;

use crate::{
    bed::{Bed, How},
    server::until,
    world::{GIB, World, condition, percent},
};

/// Another node's agent says that the volume is full, and is not believed: nothing grows, and the status says why.
#[tokio::test]
async fn a_node_speaks_of_its_own_pods_only() {
    let bed = Bed::new().await;
    let world = World::new(&bed, "spoofed").await;
    world.database("pg", 1).await;
    world.autoscaler("pg-as", "pg", json!({})).await;
    let decider = bed.decider().await;
    let (mut own, mut other) = (world.agent(), world.agent_of("node-2"));
    other.report_to(decider.address);
    other.measures(&world.pv("pg", 0), GIB, percent(99, GIB));
    until("the volume says why", async || {
        world.get_autoscaler("pg-as").await["status"]["volumes"][0]["reason"] == "UnknownPod"
    })
    .await;
    let autoscaler = world.reason("pg-as", "NotMeasured").await;
    let message = condition(&autoscaler, "Decision").unwrap()["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        message.contains("node-2") && message.contains("does not count"),
        "{message}"
    );
    assert!(autoscaler["status"]["usage"].is_null(), "{autoscaler}");
    assert!(decider.metric("highwater_decider_refused_total", "UnknownPod") > 0.5);
    assert!(world.requests().await.is_empty());

    own.report_to(decider.address);
    own.measures(&world.pv("pg", 0), GIB, GIB / 2);
    let autoscaler = world.reason("pg-as", "BelowThreshold").await;
    assert_eq!(autoscaler["status"]["volumes"][0]["node"], "node-1");
    own.measures(&world.pv("pg", 0), GIB, percent(90, GIB));
    world.requests_are(1).await;
    decider.stop().await;
}

/// The sample of a new pod is here before the watch tells where the pod is: the status waits for it.
#[tokio::test]
async fn a_pod_whose_event_comes_late_does_not_make_the_status_flap() {
    let bed = Bed::new().await;
    let world = World::new(&bed, "late-pod").await;
    world.database("pg", 1).await;
    world.autoscaler("pg-as", "pg", json!({})).await;
    let decider = bed
        .decider_with(How {
            grace: Duration::from_secs(5),
            ..How::default()
        })
        .await;
    let mut agent = world.agent();
    agent.report_to(decider.address);
    let pv = world.pv("pg", 0);
    agent.measures(&pv, GIB, GIB / 2);
    world.reason("pg-as", "BelowThreshold").await;
    let reason = async || world.get_autoscaler("pg-as").await["status"]["volumes"][0]["reason"].clone();

    // Both the old pod and the new one are there, as they are in a cache that lags.
    world.pod_named("pg-0-next", "pg", 0, None).await;
    agent.measures(&pv, GIB, GIB / 4);
    until("the decider has seen it", async || {
        decider.metric("highwater_decider_autoscalers", "NotMeasured") > 0.5
    })
    .await;
    assert_eq!(reason().await, "BelowThreshold", "it may be on its way");
    world.delete_pod("pg-0").await;
    world.bind("pg-0-next", "node-1").await;
    until("its sample counts", async || {
        assert_eq!(reason().await, "BelowThreshold");
        world.get_autoscaler("pg-as").await["status"]["volumes"][0]["usedPercent"] == 25
    })
    .await;
    decider.stop().await;
}
