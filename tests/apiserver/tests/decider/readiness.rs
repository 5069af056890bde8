//! Whether a database can grow is said before it has to.

use serde_json::json;

use crate::{
    bed::Bed,
    server::until,
    world::{GIB, World, condition},
};

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
