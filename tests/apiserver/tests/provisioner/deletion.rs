//! Deletion: what goes with each policy, in which order, and what stays.

use api::{kubedb::v1::Postgres, petset::v1::PetSet};
use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolumeClaim, Secret, Service};
use kube::{ResourceExt, api::PropagationPolicy};
use serde_json::json;

use crate::{
    server::until,
    world::{DATABASE, World},
};

const SECRETS: [&str; 2] = ["orders-auth", "orders-patroni"];

/// A database that runs, deleted by this policy until nothing but its pods is waited for.
async fn deleted(world: &World, policy: &str, how: PropagationPolicy) {
    world.postgres(json!({"deletionPolicy": policy})).await;
    world.members_run().await;
    world.database.works(&["orders-1", "orders-2"]);
    world.phase("Ready").await;
    world.delete(how).await;
}

/// Ends the pods once the set is gone; before that, no claim may have been touched.
async fn pods_end(world: &World) {
    world.gone::<PetSet>(DATABASE).await;
    world.said("Failure", "True").await;
    for name in world.names::<PersistentVolumeClaim>().await {
        let claim: PersistentVolumeClaim = world.there(&name).await;
        assert!(
            claim.metadata.deletion_timestamp.is_none(),
            "{name} while pods run"
        );
    }
    world.pods_end().await;
}

/// Whether the Postgres holds nothing of ours any more.
async fn released(world: &World) {
    until("released", || async {
        let found = world.find::<Postgres>(DATABASE).await;
        let held = found.is_some_and(|postgres| {
            postgres
                .finalizers()
                .iter()
                .any(|name| name.starts_with("highwater"))
        });
        (!held).then_some(())
    })
    .await;
}

/// Claims that are not being deleted; one in deletion is held by Kubernetes' own finalizer.
async fn claims(world: &World) -> usize {
    let mut left = 0;
    for name in world.names::<PersistentVolumeClaim>().await {
        let claim: Option<PersistentVolumeClaim> = world.find(&name).await;
        left += usize::from(claim.is_some_and(|claim| claim.metadata.deletion_timestamp.is_none()));
    }
    left
}

async fn stores(world: &World) -> usize {
    let names = world.names::<ConfigMap>().await;
    ["orders-config", "orders-leader", "orders-failover", "orders-sync"]
        .iter()
        .filter(|name| names.contains(&(**name).to_owned()))
        .count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn halt_keeps_claims_secrets_and_state() {
    let world = World::new().await;
    let test = async {
        deleted(&world, "Halt", PropagationPolicy::Background).await;
        pods_end(&world).await;
        released(&world).await;
        assert_eq!(claims(&world).await, 3);
        assert_eq!(world.names::<Secret>().await, SECRETS);
        assert_eq!(stores(&world).await, 4);
    };
    world.with_controller(test).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn delete_removes_claims_once_the_pods_have_ended_and_keeps_secrets() {
    let world = World::new().await;
    let test = async {
        deleted(&world, "Delete", PropagationPolicy::Background).await;
        pods_end(&world).await;
        released(&world).await;
        assert_eq!(claims(&world).await, 0);
        assert_eq!(world.names::<Secret>().await, SECRETS);
        assert_eq!(
            stores(&world).await,
            0,
            "a new database of this name would wait for the old data"
        );
    };
    world.with_controller(test).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wipe_out_removes_what_was_made_and_no_secret_of_the_users() {
    let world = World::new().await;
    let secret =
        json!({"metadata": {"name": "mine"}, "stringData": {"username": "postgres", "password": "x"}});
    world.create::<Secret>(secret).await;
    let test = async {
        world
            .postgres(json!({"deletionPolicy": "WipeOut", "authSecret": {"name": "mine"}}))
            .await;
        world.members_run().await;
        world.database.works(&["orders-1", "orders-2"]);
        world.phase("Ready").await;
        world.delete(PropagationPolicy::Foreground).await;
        pods_end(&world).await;
        released(&world).await;
        assert_eq!(claims(&world).await, 0);
        assert_eq!(world.names::<Secret>().await, ["mine"]);
        assert_eq!(stores(&world).await, 0);
    };
    world.with_controller(test).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn do_not_terminate_waits_until_the_policy_is_another() {
    let world = World::new().await;
    let test = async {
        deleted(&world, "DoNotTerminate", PropagationPolicy::Background).await;
        let said = world.said("Failure", "True").await;
        assert_eq!(said.reason.as_deref(), Some("DeletionWaits"));
        let set: PetSet = world.there(DATABASE).await;
        assert!(set.metadata.deletion_timestamp.is_none());
        world
            .patch::<Postgres>(DATABASE, json!({"spec": {"deletionPolicy": "Halt"}}))
            .await;
        pods_end(&world).await;
        released(&world).await;
        assert_eq!(claims(&world).await, 3);
    };
    world.with_controller(test).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_orphaning_deletion_leaves_everything_and_the_next_postgres_takes_it_up() {
    let world = World::new().await;
    let test = async {
        deleted(&world, "WipeOut", PropagationPolicy::Orphan).await;
        released(&world).await;
        assert_eq!(claims(&world).await, 3);
        assert_eq!(world.names::<Secret>().await, SECRETS);
        let set: PetSet = world.there(DATABASE).await;
        // What the garbage collector does with what depended on it, and with its own finalizer.
        for service in world.names::<Service>().await {
            world
                .patch::<Service>(&service, json!({"metadata": {"ownerReferences": null}}))
                .await;
        }
        world
            .patch::<PetSet>(DATABASE, json!({"metadata": {"ownerReferences": null}}))
            .await;
        world
            .patch::<Postgres>(DATABASE, json!({"metadata": {"finalizers": null}}))
            .await;
        let postgres = world.postgres(json!({})).await;
        let adopted = until("the set taken up", || async {
            let set: PetSet = world.find(DATABASE).await?;
            (set.owner_references().first()?.uid == postgres.uid()?).then_some(set)
        })
        .await;
        assert_eq!(adopted.uid(), set.uid());
        assert_eq!(adopted.spec.replicas, Some(3));
    };
    world.with_controller(test).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn state_of_an_earlier_database_whose_claims_are_gone_is_removed_before_the_first_member() {
    let world = World::new().await;
    world.leads(0).await;
    let test = async {
        world.postgres(json!({})).await;
        world.there::<PetSet>(DATABASE).await;
        assert_eq!(stores(&world).await, 0);
    };
    world.with_controller(test).await;
}
