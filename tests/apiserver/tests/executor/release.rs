//! Nothing stays paused: deletion mid-way, and pauses whose request is gone.

use api::ops::v1alpha1::PostgresOpsRequest;
use kube::api::DeleteParams;
use serde_json::json;

use crate::{
    hands::{Storage, with_hands},
    server::until,
    world::{Plan, World},
};

async fn delete(world: &World, name: &str) {
    world
        .api::<PostgresOpsRequest>()
        .delete(name, &DeleteParams::default())
        .await
        .unwrap();
}

async fn gone(world: &World, name: &str) {
    until("the request gone", || async {
        world.find_request(name).await.is_none().then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deleted_while_claims_grow_it_waits_for_them_aligns_and_resumes() {
    let world = World::new(Plan {
        members: 2,
        ..Plan::default()
    })
    .await;
    let test = async {
        world.request("grow", "2Gi", json!({})).await;
        until("patched", || async {
            (world.sizes().await[..2] == ["2Gi", "2Gi"]).then_some(())
        })
        .await;
        delete(&world, "grow").await;
        assert!(
            world.find_request("grow").await.is_some(),
            "the finalizer holds it"
        );
        with_hands(&world, Storage::Grows, gone(&world, "grow")).await;
        assert_eq!(world.sizes().await, ["2Gi"; 4]);
        assert!(!world.is_paused().await);
    };
    world.with_executor(test).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deleted_before_the_first_patch_it_patches_nothing() {
    let world = World::new(Plan {
        managed: true,
        ..Plan::default()
    })
    .await;
    let storage = Storage::Refuses {
        status: "ControllerResizeInProgress",
        message: "Internal: try later",
    };
    let test = async {
        world.request("grow", "2Gi", json!({"timeout": "4s"})).await;
        until("the pause", || async { world.is_paused().await.then_some(()) }).await;
        delete(&world, "grow").await;
        gone(&world, "grow").await;
        assert!(!world.is_paused().await);
        assert_eq!(
            world.sizes().await,
            ["1Gi"; 3],
            "deleted before the first patch: nothing is patched"
        );
    };
    world.with_executor(with_hands(&world, storage, test)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_whose_request_is_gone_is_lifted_and_anothers_is_not() {
    let world = World::new(Plan {
        managed: true,
        ..Plan::default()
    })
    .await;
    let paused = |message: &str| {
        json!({"conditions": [{"type": "Paused", "status": "True", "reason": "PauseDatabase", "message": message,
            "lastTransitionTime": "2026-01-01T00:00:00Z"}]})
    };
    let ours = format!(
        "paused for PostgresOpsRequest {}/vanished (no-such-uid)",
        world.namespace
    );
    world.postgres_status(paused(&ours)).await;
    world
        .with_executor(until("lifted", || async {
            (!world.is_paused().await).then_some(())
        }))
        .await;
    world
        .postgres_status(paused(
            "Controller has started to Progress with OpsRequest: demo/x",
        ))
        .await;
    let test = async {
        world.request("grow", "2Gi", json!({})).await;
        until("held", || async {
            let status = world.find_request("grow").await?.status?;
            status
                .conditions
                .iter()
                .any(|c| c.reason.as_deref() == Some("Queued"))
                .then_some(())
        })
        .await;
        assert!(world.is_paused().await);
    };
    world.with_executor(test).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_deleted_without_our_finalizer_leaves_no_pause() {
    let world = World::new(Plan {
        managed: true,
        ..Plan::default()
    })
    .await;
    let test = async {
        world.request("grow", "2Gi", json!({})).await;
        until("the pause", || async { world.is_paused().await.then_some(()) }).await;
    };
    world.with_executor(test).await;
    // Nobody runs now; somebody takes the finalizer off by hand.
    let patch = kube::api::Patch::Merge(json!({"metadata": {"finalizers": null}}));
    world
        .api::<PostgresOpsRequest>()
        .patch("grow", &Default::default(), &patch)
        .await
        .unwrap();
    delete(&world, "grow").await;
    gone(&world, "grow").await;
    assert!(world.is_paused().await);
    world
        .with_executor(until("lifted", || async {
            (!world.is_paused().await).then_some(())
        }))
        .await;
}
