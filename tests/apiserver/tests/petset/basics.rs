//! What every set does: makes pods and claims, counts, follows its size, makes anew what was deleted.

use k8s_openapi::api::{
    apps::v1::ControllerRevision,
    core::v1::{PersistentVolumeClaim, Pod},
};
use kube::{ResourceExt, api::ListParams};
use serde_json::json;

use crate::{
    server::until,
    world::{SET, World, set},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pods_and_claims_are_made_as_the_statefulset_controller_makes_them() {
    let world = World::new().await;
    world
        .with_controller(async {
            world.make(set(2, json!({}))).await;
            let object = world.settled(2).await;
            assert_eq!(world.pods().await, ["orders-0", "orders-1"]);
            assert_eq!(world.claims().await, ["data-orders-0", "data-orders-1"]);

            let status = object.status.unwrap();
            let revision = status.update_revision.unwrap();
            assert_eq!(status.current_revision.as_ref(), Some(&revision));
            assert_eq!((status.current_replicas, status.updated_replicas), (Some(2), Some(2)));
            assert_eq!((status.collision_count, status.conditions.len()), (Some(0), 0));

            let pod: Pod = world.pod(1).await.unwrap();
            let labels = serde_json::to_value(pod.labels()).unwrap();
            assert_eq!(
                labels,
                json!({
                    "app": "shop", "controller-revision-hash": revision, "statefulset.kubernetes.io/pod-name": "orders-1",
                    "apps.kubernetes.io/pod-index": "1"
                })
            );
            let owner = &pod.owner_references()[0];
            assert_eq!((owner.kind.as_str(), owner.name.as_str(), owner.controller), ("PetSet", SET, Some(true)));
            let spec = pod.spec.unwrap();
            assert_eq!((spec.hostname.as_deref(), spec.subdomain.as_deref()), (Some("orders-1"), Some("pods")));
            let volume = spec.volumes.unwrap().into_iter().find(|volume| volume.name == "data").unwrap();
            assert_eq!(volume.persistent_volume_claim.unwrap().claim_name, "data-orders-1");

            let claim: PersistentVolumeClaim = world.api().get("data-orders-0").await.unwrap();
            assert_eq!(claim.labels()["app"], "shop");
            assert!(claim.owner_references().is_empty());

            let revisions = world.api::<ControllerRevision>().list(&ListParams::default()).await.unwrap();
            let names: Vec<_> = revisions.iter().map(|revision| revision.name_any()).collect();
            assert_eq!(names, [revision]);

            let events = until("Events", || async {
                let events = world.events().await;
                (events.len() >= 4).then_some(events)
            })
            .await;
            let told = |reason: &str, note: &str| events.iter().any(|event| *event == (reason.into(), note.into()));
            assert!(told("SuccessfulCreate", "Create Claim data-orders-0 Pod orders-0 in PetSet orders success"), "{events:?}");
            assert!(told("SuccessfulCreate", "Create Pod orders-1 in PetSet orders successful"), "{events:?}");
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_size_is_followed_and_what_is_deleted_is_made_anew() {
    let world = World::new().await;
    world
        .with_controller(async {
            world
                .make(set(1, json!({"podManagementPolicy": "Parallel"})))
                .await;
            world.settled(1).await;
            world.patch(json!({"spec": {"replicas": 3}})).await;
            world.settled(3).await;
            let before = world.pod(1).await.unwrap().uid();
            world.delete_pod(1).await;
            until("another pod", || async {
                let pod = world.pod(1).await?;
                (pod.uid() != before).then_some(())
            })
            .await;
            world.settled(3).await;
            world.patch(json!({"spec": {"replicas": 1}})).await;
            world.settled(1).await;
            assert_eq!(world.pods().await, ["orders-0"]);
            assert_eq!(
                world.claims().await,
                ["data-orders-0", "data-orders-1", "data-orders-2"],
                "claims stay"
            );
        })
        .await;
}
