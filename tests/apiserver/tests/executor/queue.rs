//! Several requests of one database.

use serde_json::json;

use crate::{
    hands::{Storage, with_hands},
    server::until,
    world::{Plan, World, condition},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_in_the_queue_the_newer_runs_and_the_other_is_skipped() {
    let world = World::new(Plan::default()).await;
    // Created in the same second the greater name counts as older.
    world.request("b-older", "2Gi", json!({})).await;
    world.request("a-newer", "3Gi", json!({})).await;
    let test = async {
        let skipped = world.phase("b-older", "Skipped").await;
        let text = condition(&skipped, "Skipped").1;
        let start = format!(
            "skipped as {}/a-newer is the most updated PostgresOpsRequest of type VolumeExpansion at 2",
            world.namespace
        );
        assert!(text.starts_with(&start), "{text}");
        world.phase("a-newer", "Successful").await;
    };
    world
        .with_executor(with_hands(&world, Storage::Grows, test))
        .await;
    assert_eq!(world.sizes().await, ["3Gi"; 3]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_runs_is_never_skipped_and_the_next_waits_for_it() {
    let world = World::new(Plan::default()).await;
    let test = async {
        world.request("first", "2Gi", json!({})).await;
        world.phase("first", "Progressing").await;
        world.request("second", "3Gi", json!({})).await;
        until("the second waits", || async {
            let status = world.find_request("second").await?.status?;
            let queued = status
                .conditions
                .iter()
                .any(|c| c.reason.as_deref() == Some("Queued"));
            (queued && status.phase?.as_str() == "Pending").then_some(())
        })
        .await;
        let grow = async {
            world.phase("first", "Successful").await;
            world.phase("second", "Successful").await;
        };
        with_hands(&world, Storage::Grows, grow).await;
    };
    world.with_executor(test).await;
    assert_eq!(world.sizes().await, ["3Gi"; 3]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn if_ready_waits_for_ready_pods_of_an_unmanaged_database() {
    let world = World::new(Plan::default()).await;
    let test = async {
        world.request("grow", "2Gi", json!({"apply": "IfReady"})).await;
        let held = until("held", || async {
            let request = world.find_request("grow").await?;
            request
                .status
                .as_ref()
                .is_some_and(|status| !status.conditions.is_empty())
                .then_some(request)
        })
        .await;
        assert_eq!(condition(&held, "Running").0, "DatabaseNotReady");
        assert!(
            held.metadata.finalizers.is_none() && !world.is_paused().await,
            "it holds nothing"
        );
        let ready = json!({"status": {"conditions": [{"type": "Ready", "status": "True"}]}});
        let pods = world.api::<k8s_openapi::api::core::v1::Pod>();
        pods.patch_status("orders-0", &Default::default(), &kube::api::Patch::Merge(ready))
            .await
            .unwrap();
        world.phase("grow", "Successful").await;
    };
    world
        .with_executor(with_hands(&world, Storage::Grows, test))
        .await;
}
