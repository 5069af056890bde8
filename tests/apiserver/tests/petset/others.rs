//! Sets and pods of others, orphans, a twin, and a process that ends in the middle.

use k8s_openapi::api::{
    apps::v1::ControllerRevision,
    autoscaling::v1::Scale,
    core::v1::{PersistentVolumeClaim, Pod},
};
use kube::{
    ResourceExt,
    api::{DeleteParams, ListParams, Patch, PatchParams, PropagationPolicy},
};
use provisioner_petset::test_parts::{self, StopAfter};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::{
    kubelet,
    server::until,
    world::{SET, World, set},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_set_that_is_deleted_without_its_pods_and_made_again_takes_them_back() {
    let world = World::new().await;
    world
        .with_controller(async {
            let before = world.make(set(2, json!({}))).await;
            world.settled(2).await;
            let pods = (
                world.pod(0).await.unwrap().uid(),
                world.pod(1).await.unwrap().uid(),
            );
            let params = DeleteParams {
                propagation_policy: Some(PropagationPolicy::Orphan),
                ..DeleteParams::default()
            };
            world
                .api::<api::petset::v1::PetSet>()
                .delete(SET, &params)
                .await
                .unwrap();
            until("orphans", || async {
                let pod = world.pod(1).await?;
                pod.owner_references().is_empty().then_some(())
            })
            .await;
            until("the set gone", || async {
                world
                    .api::<api::petset::v1::PetSet>()
                    .get_opt(SET)
                    .await
                    .unwrap()
                    .is_none()
                    .then_some(())
            })
            .await;
            let after = world.make(set(2, json!({}))).await;
            assert_ne!(before.uid(), after.uid());
            world.settled(2).await;
            assert_eq!(
                (
                    world.pod(0).await.unwrap().uid(),
                    world.pod(1).await.unwrap().uid()
                ),
                pods,
                "the same pods"
            );
            let revisions = world
                .api::<ControllerRevision>()
                .list(&ListParams::default())
                .await
                .unwrap();
            assert_eq!(revisions.items.len(), 1, "its revision was adopted, too");
            assert_eq!(revisions.items[0].owner_references()[0].uid, after.uid().unwrap());

            // One that does not match any more is let go, and made anew once it makes room.
            let label = Patch::Merge(json!({"metadata": {"labels": {"app": "other"}}}));
            world
                .api::<Pod>()
                .patch("orders-1", &PatchParams::default(), &label)
                .await
                .unwrap();
            until("let go", || async {
                let pod = world.pod(1).await?;
                pod.owner_references().is_empty().then_some(())
            })
            .await;
            world.delete_pod(1).await;
            world.settled(2).await;
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sets_of_others_are_left_alone() {
    let world = World::new().await;
    let annotated = json!({"metadata": {"name": "theirs", "annotations": {"highwater.dev/unmanaged": "true"}}, "spec": set(1, json!({}))});
    world.create::<api::petset::v1::PetSet>(annotated).await;
    world
        .with_controller(async {
            world.make(set(1, json!({}))).await;
            world.settled(1).await;
            let theirs = world
                .api::<api::petset::v1::PetSet>()
                .get("theirs")
                .await
                .unwrap();
            assert_eq!(theirs.status, None);
            assert_eq!(world.pods().await, ["orders-0"]);
        })
        .await;

    // Beside another controller only those with our label are ours.
    let only_owned = async {
        tokio::select! {
            ended = test_parts::run(world.client.clone(), true, None) => panic!("{ended:?}"),
            () = kubelet::run(world.client.clone()) => panic!("the kubelet ended"),
            () = async {
                world.patch(json!({"spec": {"replicas": 2}})).await;
                let ours = json!({"metadata": {"name": "ours", "labels": {"highwater.dev/owned-by": "highwater"}},
                    "spec": set(1, json!({"selector": {"matchLabels": {"app": "ours"}},
                        "template": {"metadata": {"labels": {"app": "ours"}},
                            "spec": {"containers": [{"name": "main", "image": "good:1"}]}}}))});
                world.create::<api::petset::v1::PetSet>(ours).await;
                until("our pod", || async { world.pods().await.contains(&"ours-0".to_owned()).then_some(()) }).await;
            } => (),
        }
    };
    only_owned.await;
    assert_eq!(world.pods().await, ["orders-0", "ours-0"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_of_somebody_else_in_a_place_is_named() {
    let world = World::new().await;
    world
        .create::<Pod>(json!({"metadata": {"name": "orders-0"}, "spec": {"containers": [{"name": "main", "image": "good:1"}]}}))
        .await;
    world
        .with_controller(async {
            world.make(set(1, json!({}))).await;
            let (_, message) = world.condition("ReplicasCreated", "False").await;
            assert!(message.contains("pods \"orders-0\" already exists"), "{message}");
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edited_claim_template_concerns_new_claims_and_scaling_goes_through_the_subresource() {
    let world = World::new().await;
    world
        .with_controller(async {
            world.make(set(1, json!({}))).await;
            world.settled(1).await;
            let bigger = json!([{"metadata": {"name": "data", "labels": {"size": "big"}},
                "spec": {"accessModes": ["ReadWriteOnce"], "volumeMode": "Filesystem", "resources": {"requests": {"storage": "2Gi"}}}}]);
            world.patch(json!({"spec": {"volumeClaimTemplates": bigger}})).await;
            let scale = Patch::Merge(json!({"spec": {"replicas": 2}}));
            let sets = world.api::<api::petset::v1::PetSet>();
            let scaled = sets.patch_scale(SET, &PatchParams::default(), &scale).await.unwrap();
            assert_eq!(scaled.spec.unwrap().replicas, Some(2));
            world.settled(2).await;
            let scale: Scale = sets.get_scale(SET).await.unwrap();
            assert_eq!(scale.status.unwrap().replicas, 2);
            let sizes = async |name: &str| {
                let claim: PersistentVolumeClaim = world.api().get(name).await.unwrap();
                let requests = claim.spec.unwrap().resources.unwrap().requests.unwrap();
                (requests["storage"].0.clone(), claim.metadata.labels.unwrap().get("size").cloned())
            };
            assert_eq!(sizes("data-orders-0").await, ("1Gi".to_owned(), None));
            assert_eq!(sizes("data-orders-1").await, ("2Gi".to_owned(), Some("big".to_owned())));
        })
        .await;
}

/// Uids of pods, in order; each was made once if no number is missing in a namespace's history.
async fn churn(world: &World, test: impl Future<Output = ()>) -> Vec<(String, usize)> {
    use futures::StreamExt as _;
    use kube::runtime::watcher::{self, Event, watcher};
    let mut seen: std::collections::BTreeMap<String, std::collections::BTreeSet<String>> = Default::default();
    let watch = async {
        let events = watcher(world.api::<Pod>(), watcher::Config::default());
        futures::pin_mut!(events);
        while let Some(event) = events.next().await {
            if let Ok(Event::Apply(pod) | Event::InitApply(pod) | Event::Delete(pod)) = event {
                seen.entry(pod.name_any()).or_default().insert(pod.uid().unwrap());
            }
        }
    };
    tokio::select! { () = watch => panic!("the watch ended"), () = test => () }
    seen.into_iter().map(|(name, uids)| (name, uids.len())).collect()
}

async fn is_done(world: &World, replicas: i32) -> bool {
    let set = world.set().await;
    let generation = set.metadata.generation;
    set.status.is_some_and(|status| {
        status.observed_generation == generation
            && status.ready_replicas == Some(replicas)
            && status.updated_replicas == Some(replicas)
            && status.current_revision == status.update_revision
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopped_after_every_single_write_it_still_does_each_thing_once() {
    let world = World::new().await;
    let run = async |replicas: i32| -> u32 {
        for runs in 1..200 {
            let stopped = CancellationToken::new();
            let stop = StopAfter::new(1, stopped.clone());
            tokio::select! {
                ended = test_parts::run(world.client.clone(), false, Some(stop)) => panic!("{ended:?}"),
                () = stopped.cancelled() => {}
                () = until("the end", || async { is_done(&world, replicas).await.then_some(()) }) => return runs,
            }
        }
        panic!("it does not come to an end");
    };
    let test = async {
        world.make(set(2, json!({}))).await;
        let runs = run(2).await;
        assert!(
            runs > 8,
            "only {runs} controllers were needed: were they stopped?"
        );
        let containers: Value = json!([{"name": "main", "image": "good:2"}]);
        world
            .patch(json!({"spec": {"template": {"spec": {"containers": containers}}}}))
            .await;
        run(2).await;
    };
    let pods = churn(&world, async {
        tokio::select! {
            () = kubelet::run(world.client.clone()) => panic!("the kubelet ended"),
            () = test => (),
        }
    })
    .await;
    assert_eq!(
        pods,
        [("orders-0".to_owned(), 2), ("orders-1".to_owned(), 2)],
        "made, and replaced once"
    );
    assert_eq!(world.claims().await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_controllers_at_once_do_the_work_of_one() {
    let world = World::new().await;
    let test = async {
        world
            .make(set(3, json!({"podManagementPolicy": "Parallel"})))
            .await;
        until("all", || async { is_done(&world, 3).await.then_some(()) }).await;
        let containers: Value = json!([{"name": "main", "image": "good:2"}]);
        world
            .patch(json!({"spec": {"template": {"spec": {"containers": containers}}}}))
            .await;
        until("the update", || async { is_done(&world, 3).await.then_some(()) }).await;
    };
    let twin = async {
        tokio::select! {
            ended = test_parts::run(world.client.clone(), false, None) => panic!("{ended:?}"),
            () = test => (),
        }
    };
    let pods = churn(&world, world.with_controller(twin)).await;
    assert!(pods.iter().all(|(_, uids)| *uids == 2), "{pods:?}");
}
