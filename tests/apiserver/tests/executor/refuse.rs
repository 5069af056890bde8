//! Requests that fail, and what is left behind: the database resumed, the cause named, nothing shrunk.

use api::{highwater::v1alpha1::StorageProfile, petset::v1::PetSet};
use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::{
    hands::{Storage, with_hands},
    world::{DATABASE, Plan, World, condition},
};

/// Runs a request to its failure; gives reason and message.
async fn fails(world: &World, storage: Storage, size: &str, merge: serde_json::Value) -> (String, String) {
    let test = async {
        world.request("grow", size, merge).await;
        let request = world.phase("grow", "Failed").await;
        assert!(!world.is_paused().await);
        condition(&request, "Failed")
    };
    world.with_executor(with_hands(world, storage, test)).await
}

async fn was_never_paused(world: &World) {
    let events = world.events("grow").await;
    assert!(
        events.iter().all(|(reason, _)| reason != "PauseDatabase"),
        "{events:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn not_larger_is_found_before_any_pause() {
    let world = World::new(Plan::default()).await;
    let (reason, message) = fails(&world, Storage::Grows, "1Gi", json!({})).await;
    assert_eq!(reason, "NotLarger");
    assert!(
        message.contains("must be greater than current storage. Current storage: 1Gi"),
        "{message}"
    );
    was_never_paused(&world).await;
    assert_eq!(world.sizes().await, ["1Gi"; 3]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_class_without_expansion_is_found_before_any_pause() {
    let world = World::new(Plan {
        expandable: false,
        ..Plan::default()
    })
    .await;
    let (reason, message) = fails(&world, Storage::Grows, "2Gi", json!({})).await;
    assert_eq!(reason, "NotExpandable");
    assert!(message.contains("does not allow expansion"), "{message}");
    was_never_paused(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_built_in_profile_is_checked_before_any_pause_and_an_object_overrides_it() {
    let world = World::new(Plan {
        driver: "rancher.io/local-path",
        ..Plan::default()
    })
    .await;
    let (reason, message) = fails(&world, Storage::Grows, "2Gi", json!({})).await;
    assert_eq!(reason, "SharedFilesystem");
    assert!(
        message.contains("built in for rancher.io/local-path, which a StorageProfile overrides"),
        "{message}"
    );
    was_never_paused(&world).await;
    let class = format!("class-{}", world.namespace);
    world
        .create_global::<StorageProfile>(json!({"metadata": {"name": class},
            "spec": {"storageClassName": class, "sharedFilesystem": false, "expansion": "Online"}}))
        .await;
    let again = async {
        world.request("again", "2Gi", json!({})).await;
        world.phase("again", "Successful").await;
    };
    world
        .with_executor(with_hands(&world, Storage::Grows, again))
        .await;
    assert_eq!(world.sizes().await, ["2Gi"; 3]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn offline_where_nobody_makes_pods_again_is_refused() {
    let world = World::new(Plan::default()).await;
    let patch = Patch::Merge(json!({"metadata": {"annotations": {"highwater.dev/unmanaged": "true"}}}));
    let api = world.api::<PetSet>();
    api.patch(DATABASE, &PatchParams::default(), &patch)
        .await
        .unwrap();
    let offline = json!({"volumeExpansion": {"mode": "Offline", "postgres": "2Gi"}});
    let (reason, message) = fails(&world, Storage::Grows, "2Gi", offline).await;
    assert_eq!(reason, "Unmanaged");
    assert!(message.contains("nobody would make a pod"), "{message}");
    was_never_paused(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_database_is_named() {
    let world = World::new(Plan::default()).await;
    let (reason, message) = fails(
        &world,
        Storage::Grows,
        "2Gi",
        json!({"databaseRef": {"name": "nobody"}}),
    )
    .await;
    assert_eq!(reason, "DatabaseNotFound");
    assert!(message.contains("/nobody, is invalid or not found"), "{message}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quota_that_one_claim_fits_and_the_sum_does_not_is_found_before_any_pause() {
    let world = World::new(Plan {
        members: 3,
        ..Plan::default()
    })
    .await;
    let quota: k8s_openapi::api::core::v1::ResourceQuota = world
        .create(json!({"metadata": {"name": "disk"}, "spec": {"hard": {"requests.storage": "5Gi"}}}))
        .await;
    let status =
        json!({"status": {"hard": {"requests.storage": "5Gi"}, "used": {"requests.storage": "3Gi"}}});
    let api = world.api::<k8s_openapi::api::core::v1::ResourceQuota>();
    let patch = kube::api::Patch::Merge(status);
    api.patch_status(&quota.metadata.name.unwrap(), &Default::default(), &patch)
        .await
        .unwrap();
    let (reason, message) = fails(&world, Storage::Grows, "2Gi", json!({})).await;
    assert_eq!(reason, "QuotaExceeded");
    assert!(
        message.contains("ResourceQuota disk allows 5Gi") && message.contains("3Gi more"),
        "{message}"
    );
    was_never_paused(&world).await;
    assert_eq!(world.sizes().await, ["1Gi"; 5]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_range_is_found_before_any_pause() {
    let world = World::new(Plan::default()).await;
    let _: k8s_openapi::api::core::v1::LimitRange = world
        .create(json!({"metadata": {"name": "small"},
            "spec": {"limits": [{"type": "PersistentVolumeClaim", "max": {"storage": "1500Mi"}}]}}))
        .await;
    let (reason, message) = fails(&world, Storage::Grows, "2Gi", json!({})).await;
    assert_eq!(reason, "QuotaExceeded");
    assert!(message.contains("LimitRange small"), "{message}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_infeasible_size_fails_at_once_with_the_drivers_words_and_a_smaller_one_then_works() {
    let world = World::new(Plan::default()).await;
    let storage = Storage::Room {
        most: "5Gi",
        message: "only 5Gi are left",
    };
    let (reason, message) = fails(&world, storage.clone(), "9Gi", json!({})).await;
    assert_eq!(reason, "Infeasible");
    assert!(message.contains("only 5Gi are left"), "{message}");
    assert_eq!(
        world.sizes().await,
        ["9Gi", "1Gi", "1Gi"],
        "the stuck request stays until the next one"
    );
    let recover = async {
        world.request("smaller", "3Gi", json!({})).await;
        world.phase("smaller", "Successful").await;
    };
    world.with_executor(with_hands(&world, storage, recover)).await;
    assert_eq!(world.sizes().await, ["3Gi"; 3]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_use_means_offline() {
    let world = World::new(Plan::default()).await;
    let message = "rpc error: code = FailedPrecondition desc = volume is published";
    let storage = Storage::Refuses {
        status: "ControllerResizeInProgress",
        message,
    };
    let (reason, text) = fails(&world, storage, "2Gi", json!({})).await;
    assert_eq!(reason, "InUse");
    assert!(text.contains("use mode: Offline"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_the_deadline_it_is_tried_again_and_then_fails_with_the_cause_and_a_repeat_continues() {
    let world = World::new(Plan::default()).await;
    let message = "rpc error: code = ResourceExhausted desc = rate exceeded";
    let storage = Storage::Refuses {
        status: "ControllerResizeInProgress",
        message,
    };
    let (reason, text) = fails(&world, storage, "2Gi", json!({"timeout": "2s", "maxRetries": 1})).await;
    assert_eq!(reason, "RateLimited");
    assert!(
        text.contains("not finished within 2 s") && text.contains("rate exceeded"),
        "{text}"
    );
    let request = world.find_request("grow").await.unwrap();
    assert_eq!(request.status.as_ref().unwrap().attempts, Some(2));
    assert!(condition(&request, "Retrying").1.starts_with("retry 1 of 1"));
    let repeat = async {
        world.request("again", "2Gi", json!({})).await;
        world.phase("again", "Successful").await;
    };
    world
        .with_executor(with_hands(&world, Storage::Grows, repeat))
        .await;
    assert_eq!(world.sizes().await, ["2Gi"; 3]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nobody_resizes_the_deadline_ends_it() {
    let world = World::new(Plan::default()).await;
    let (reason, _) = fails(
        &world,
        Storage::Silent,
        "2Gi",
        json!({"timeout": "2s", "maxRetries": 0}),
    )
    .await;
    assert_eq!(reason, "DeadlineExceeded");
    assert_eq!(world.sizes().await, ["2Gi", "1Gi", "1Gi"]);
}
