//! What cannot be done is said, tried again, and no longer said once it is done.

use api::petset::v1::condition::{REPLICAS_CREATED, REPLICAS_READY};
use k8s_openapi::api::core::v1::{Event, Pod, ResourceQuota};
use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::{
    server::until,
    world::{World, set},
};

impl World {
    /// What the quota of the namespace allows; nobody counts here but the test.
    async fn quota(&self, pods: u32, used: u32) {
        let status =
            json!({"status": {"hard": {"pods": pods.to_string()}, "used": {"pods": used.to_string()}}});
        let api = self.api::<ResourceQuota>();
        api.patch_status("few", &PatchParams::default(), &Patch::Merge(status))
            .await
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quota_is_named_and_forgotten_when_it_is_raised() {
    let world = World::new().await;
    world
        .create::<ResourceQuota>(json!({"metadata": {"name": "few"}, "spec": {"hard": {"pods": "1"}}}))
        .await;
    world.quota(1, 0).await;
    world
        .with_controller(async {
            world
                .make(set(2, json!({"podManagementPolicy": "Parallel"})))
                .await;
            let (reason, message) = world.condition(REPLICAS_CREATED, "False").await;
            assert_eq!(reason, "FailedCreate");
            assert!(message.contains("exceeded quota: few"), "{message}");
            let event = until("an Event", || async {
                world
                    .events()
                    .await
                    .into_iter()
                    .find(|(reason, _)| reason == "FailedCreate")
            })
            .await;
            assert!(event.1.contains(" in PetSet orders failed error: "), "{event:?}");
            world.quota(5, 1).await;
            world.settled(2).await;
            world.no_condition(REPLICAS_CREATED).await;
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_template_that_makes_no_pod_is_named_and_one_that_does_is_taken() {
    let world = World::new().await;
    world
        .with_controller(async {
            let nameless = json!({"metadata": {"labels": {"app": "shop"}}, "spec": {"containers": [{"image": "good:1"}]}});
            world.make(set(1, json!({"template": nameless}))).await;
            let (reason, message) = world.condition(REPLICAS_CREATED, "False").await;
            assert_eq!(reason, "FailedCreate");
            assert!(message.contains("spec.containers[0].name: Required value"), "{message}");
            let containers = json!([{"name": "main", "image": "good:1"}]);
            world.patch(json!({"spec": {"template": {"spec": {"containers": containers}}}})).await;
            world.settled(1).await;
            world.no_condition(REPLICAS_CREATED).await;
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn why_a_pod_is_not_ready_is_said_until_it_is() {
    let world = World::new().await;
    world
        .with_controller(async {
            let image = |image: &str| json!([{"name": "main", "image": image}]);
            let template = json!({"metadata": {"labels": {"app": "shop"}},
                "spec": {"nodeName": "nowhere", "containers": image("untouched:1")}});
            world.make(set(1, json!({"template": template}))).await;
            until("the pod", || async { world.pod(0).await }).await;
            let pods = world.api::<Pod>();
            let status = json!({"status": {"containerStatuses": [{"name": "main", "image": "untouched:1", "imageID": "",
                "ready": false, "restartCount": 0, "state": {"waiting": {"reason": "ImagePullBackOff", "message": "x"}}}]}});
            pods.patch_status("orders-0", &PatchParams::default(), &Patch::Merge(status)).await.unwrap();
            let (reason, message) = world.condition(REPLICAS_READY, "False").await;
            assert_eq!(reason, "ImagePullFailed");
            assert_eq!(message, "pod orders-0: container main cannot have its image untouched:1");

            // As Kubernetes' controller of claims tells it; a claim that waits for long is asked about.
            let claim = world.api::<k8s_openapi::api::core::v1::PersistentVolumeClaim>().get("data-orders-0").await.unwrap();
            world
                .create::<Event>(json!({
                    "metadata": {"name": "data-orders-0.1"}, "type": "Warning", "reason": "ProvisioningFailed",
                    "message": "storageclass.storage.k8s.io \"none\" not found", "lastTimestamp": "2026-01-01T00:00:00Z",
                    "involvedObject": {"kind": "PersistentVolumeClaim", "name": "data-orders-0",
                        "namespace": world.namespace, "uid": claim.metadata.uid}
                }))
                .await;
            until("the claim's trouble", || async {
                let (reason, message) = world.condition(REPLICAS_READY, "False").await;
                (reason == "ClaimPending" && message.contains("storageclass.storage.k8s.io \"none\" not found")).then_some(())
            })
            .await;
            world.patch(json!({"spec": {"template": {"spec": {"containers": image("good:1")}}}})).await;
            // Ordered: a pod that is not ready is not replaced, as with a StatefulSet.
            world.delete_pod(0).await;
            world.settled(1).await;
            world.no_condition(REPLICAS_READY).await;
        })
        .await;
}
