//! A pause: acknowledged, honoured, ended. And a halt.

use api::{kubedb::v1::Postgres, petset::v1::PetSet};
use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolumeClaim, Secret, Service};
use kube::{
    Api,
    api::{Patch, PatchParams},
};
use serde_json::{Value, json};

use crate::{
    server::until,
    world::{DATABASE, World},
};

const WORDS: &str = "paused for PostgresOpsRequest demo/grow (uid-1)";

/// Puts a condition into the status as the executor does, or takes it out.
async fn pause(world: &World, paused: bool) {
    let api: Api<Postgres> = world.api();
    until("the pause written", || async {
        let postgres = api.get(DATABASE).await.unwrap();
        let mut conditions = serde_json::to_value(postgres.status.unwrap_or_default().conditions).unwrap();
        let all = conditions.as_array_mut().unwrap();
        all.retain(|condition| condition["type"] != "Paused");
        if paused {
            all.push(
                json!({"type": "Paused", "status": "True", "reason": "PauseDatabase", "message": WORDS,
                "lastTransitionTime": "2026-01-01T00:00:00Z"}),
            );
        }
        let patch: Value = json!({"metadata": {"resourceVersion": postgres.metadata.resource_version},
            "status": {"conditions": conditions}});
        api.patch_status(DATABASE, &PatchParams::default(), &Patch::Merge(patch))
            .await
            .ok()
            .map(drop)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_is_acknowledged_with_the_requests_uid_and_nothing_changes_until_it_ends() {
    let world = World::new().await;
    let test = async {
        world.postgres(json!({})).await;
        world.members_run().await;
        world.database.works(&["orders-1", "orders-2"]);
        world.phase("Ready").await;
        pause(&world, true).await;
        let said = world.said("PauseAcknowledged", "True").await;
        assert!(said.message.unwrap().contains("uid-1"));
        let edit = json!({"spec": {"selector": {"kubedb.com/role": "standby"}}});
        world.patch::<Service>(DATABASE, edit).await;
        // Health goes on meanwhile.
        world.database.works(&["orders-1"]);
        world.phase("Critical").await;
        let service: Service = world.there(DATABASE).await;
        assert_eq!(
            service.spec.unwrap().selector.unwrap()["kubedb.com/role"],
            "standby"
        );
        pause(&world, false).await;
        world.unsaid("PauseAcknowledged").await;
        until("the selector put back", || async {
            let service: Service = world.find(DATABASE).await?;
            (service.spec?.selector?["kubedb.com/role"] == "primary").then_some(())
        })
        .await;
    };
    world.with_controller(test).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn halted_it_keeps_claims_secrets_and_state_and_starts_again_with_all_of_its_claims() {
    let world = World::new().await;
    let test = async {
        world.postgres(json!({})).await;
        world.members_run().await;
        world.database.works(&["orders-1", "orders-2"]);
        world.phase("Ready").await;
        world
            .patch::<Postgres>(DATABASE, json!({"spec": {"halted": true}}))
            .await;
        world.gone::<PetSet>(DATABASE).await;
        let said = world.said("Halted", "False").await;
        assert!(said.message.unwrap().contains("orders-0"));
        world.pods_end().await;
        world.said("Halted", "True").await;
        world.phase("Halted").await;
        assert_eq!(world.names::<PersistentVolumeClaim>().await.len(), 3);
        assert_eq!(world.names::<Secret>().await, ["orders-auth", "orders-patroni"]);
        assert!(world.names::<Service>().await.is_empty());
        assert!(
            world
                .names::<ConfigMap>()
                .await
                .contains(&"orders-config".to_owned())
        );

        // A manifest from before a scaling and a growth: every member that has data starts, on claims no smaller.
        world.claim_exists_as(3, "2Gi").await;
        world
            .patch::<Postgres>(DATABASE, json!({"spec": {"halted": false, "replicas": 2}}))
            .await;
        let set: PetSet = world.there(DATABASE).await;
        assert_eq!(set.spec.replicas, Some(4));
        assert_eq!(set.spec.claim_size("data").unwrap().unwrap().to_string(), "2Gi");
        world.unsaid("Halted").await;
        assert!(
            world
                .names::<ConfigMap>()
                .await
                .contains(&"orders-config".to_owned())
        );
    };
    world.with_controller(test).await;
}
