//! A request that waits for a database to be Ready, while storage is why it is not. The executor is the real one.

use executor::test_parts;
use serde_json::{Value, json};

use crate::{
    bed::Bed,
    server::until,
    world::{GIB, World, percent},
};

/// The reason of the request's condition `Running`.
async fn waits_for(world: &World) -> Value {
    let requests = world.requests().await;
    let conditions = requests[0]["status"]["conditions"].as_array().cloned();
    let running = conditions
        .unwrap_or_default()
        .into_iter()
        .find(|c| c["type"] == "Running");
    running.map(|c| c["reason"].clone()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_volume_is_not_kept_waiting_for_ready() {
    let bed = Bed::new().await;
    let world = World::new(&bed, "superseded").await;
    world.database("pg", 1).await;
    let annotations = json!({"highwater.dev/apply": "IfReady"});
    world.autoscaler_with("pg-as", "pg", json!({}), annotations).await;
    let decider = bed.decider().await;
    let mut agent = world.agent();
    agent.report_to(decider.address);
    let pv = world.pv("pg", 0);
    let test = async {
        agent.measures(&pv, GIB, percent(85, GIB));
        let first = world.requests_are(1).await.remove(0);
        assert_eq!(first["spec"]["apply"], "IfReady");
        until("it waits for Ready", async || {
            waits_for(&world).await == "DatabaseNotReady"
        })
        .await;
        world.reason("pg-as", "RequestOpen").await;
        agent.measures(&pv, GIB, percent(90, GIB));
        until("it is looked at again", async || {
            world.get_autoscaler("pg-as").await["status"]["usage"] == "90%"
        })
        .await;
        assert_eq!(world.requests().await.len(), 1, "it may become Ready yet");

        agent.measures(&pv, GIB, percent(97, GIB));
        world.phase(&first, "Skipped").await;
        let requests = world.requests().await;
        let second = requests
            .iter()
            .find(|r| r["metadata"]["name"] != first["metadata"]["name"])
            .unwrap();
        assert_eq!(second["spec"]["apply"], "Always");
        assert_eq!(second["metadata"]["annotations"]["highwater.dev/attempt"], "1");
        assert_eq!(
            second["spec"]["volumeExpansion"],
            first["spec"]["volumeExpansion"]
        );
        world.phase(second, "Progressing").await;
        let autoscaler = world.reason("pg-as", "RequestOpen").await;
        let decision = &autoscaler["status"]["lastDecision"];
        assert_eq!(decision["reason"], "IfReadySuperseded");
        let message = decision["message"].as_str().unwrap();
        assert!(
            message.contains(first["metadata"]["name"].as_str().unwrap()),
            "{message}"
        );
        assert_eq!(world.requests().await.len(), 2, "one takes its place");
    };
    tokio::select! {
        ended = test_parts::run(world.client.clone(), executor_core::step, None) => {
            panic!("the executor ended: {ended:?}")
        }
        () = test => {}
    }
    decider.stop().await;
}
