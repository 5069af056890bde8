//! Whether a database can grow is said before it has to.

use serde_json::{Value, json};

use crate::{
    bed::Bed,
    server::{send, until},
    world::{GIB, World, condition},
};

const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
/// Of the class `fast`.
const LEASE: &str = "/apis/coordination.k8s.io/v1/namespaces/default/leases/external-resizer-loop-test";

/// A resizer's Lease, renewed last at this second of a minute long ago.
fn lease(second: u8) -> Value {
    let renewed = format!("2026-01-01T00:00:0{second}.000000Z");
    json!({"metadata": {"name": "external-resizer-loop-test"},
        "spec": {"holderIdentity": "resizer", "leaseDurationSeconds": 15, "renewTime": renewed}})
}

#[tokio::test]
async fn that_the_resizer_is_gone_is_told_before_it_is_needed() {
    let bed = Bed::new().await;
    let world = World::new(&bed, "resizer").await;
    world.database("pg", 1).await;
    world.autoscaler("pg-as", "pg", json!({})).await;
    send(&world.client, "POST", LEASES, &lease(0)).await;
    let decider = bed.decider().await;
    let mut agent = world.agent();
    agent.report_to(decider.address);
    agent.measures(&world.pv("pg", 0), GIB, GIB / 2);
    let said = async || condition(&world.get_autoscaler("pg-as").await, "CanGrow");
    until("it is told", async || {
        said().await.is_some_and(|c| c["reason"] == "NobodyResizes")
    })
    .await;
    let message = said().await.unwrap()["message"].to_string();
    assert!(
        message.contains("the resizer of driver loop.test is gone: Lease default/external-resizer-loop-test"),
        "{message}"
    );
    send(&world.client, "PATCH", LEASE, &lease(5)).await;
    until("it is back, by a clock that is behind", async || {
        said().await.is_some_and(|c| c["reason"] == "CanGrow")
    })
    .await;
    send(&world.client, "DELETE", LEASE, &json!({})).await;
    decider.stop().await;
}

const MIB: u64 = 1 << 20;

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
    let said = async |name: &str| {
        let object = world.get_autoscaler(name).await;
        let condition = condition(&object, "CanGrow")?;
        Some((condition["status"].clone(), condition["reason"].clone()))
    };
    until("both say whether they can grow", async || {
        said("open").await == Some((json!("True"), json!("CanGrow")))
            && said("bound").await == Some((json!("False"), json!("AtUpperBound")))
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
