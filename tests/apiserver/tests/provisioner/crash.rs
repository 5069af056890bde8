//! A controller that is stopped after every single write, and one that has a twin.

use api::{kubedb::v1::Postgres, petset::v1::PetSet};
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Secret, Service};
use kube::{ResourceExt, api::PropagationPolicy};
use provisioner_postgres::test_parts::StopAfter;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::{
    server::until,
    world::{DATABASE, World},
};

impl World {
    /// Runs controllers one after the other, each stopped after one write, until `end` is there; gives their number.
    async fn crash_after_each_write<F>(&self, end: impl Fn() -> F) -> u32
    where
        F: Future<Output = bool>,
    {
        for runs in 1..100 {
            let stopped = CancellationToken::new();
            let stop = StopAfter::new(1, stopped.clone());
            let ended = self
                .with_stop(Some(stop), async {
                    tokio::select! {
                        () = stopped.cancelled() => false,
                        () = until("the end", || async { end().await.then_some(()) }) => true,
                    }
                })
                .await;
            if ended {
                return runs;
            }
        }
        panic!("it does not come to an end");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopped_after_every_single_write_it_still_makes_and_deletes_a_database() {
    let world = World::new().await;
    world.postgres(json!({})).await;
    let made = || async {
        let set = world.find::<PetSet>(DATABASE).await.is_some();
        set && world.names::<Service>().await.len() == 3
    };
    let runs = world.crash_after_each_write(made).await;
    assert!(
        runs > 8,
        "only {runs} controllers were needed: were they stopped?"
    );
    let secret: Secret = world.there("orders-auth").await;
    world.members_run().await;
    world.database.works(&["orders-1", "orders-2"]);
    world.with_controller(world.phase("Ready")).await;
    let same: Secret = world.there("orders-auth").await;
    assert_eq!(secret.data, same.data, "the password is made once");

    world
        .patch::<Postgres>(DATABASE, json!({"spec": {"deletionPolicy": "WipeOut"}}))
        .await;
    world.delete(PropagationPolicy::Background).await;
    let set_gone = || async { world.find::<PetSet>(DATABASE).await.is_none() };
    world.crash_after_each_write(set_gone).await;
    world.pods_end().await;
    let gone = || async {
        let postgres = world.find::<Postgres>(DATABASE).await;
        postgres.is_none_or(|postgres| postgres.finalizers().is_empty())
    };
    world.crash_after_each_write(gone).await;
    assert!(world.names::<Secret>().await.is_empty());
    for name in world.names::<PersistentVolumeClaim>().await {
        let claim: PersistentVolumeClaim = world.there(&name).await;
        assert!(claim.metadata.deletion_timestamp.is_some(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_controllers_at_once_make_one_database() {
    let world = World::new().await;
    let test = async {
        world.postgres(json!({})).await;
        world.members_run().await;
        world.database.works(&["orders-1", "orders-2"]);
        world.phase("Ready").await;
        assert_eq!(world.names::<Service>().await.len(), 3);
        assert_eq!(world.names::<Secret>().await.len(), 2);
    };
    let twin = world.with_controller(test);
    world.with_controller(twin).await;
}
