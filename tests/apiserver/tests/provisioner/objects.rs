//! What a Postgres consists of, and that nothing is written twice.

use api::{kubedb::v1::Postgres, petset::v1::PetSet};
use k8s_openapi::api::{
    core::v1::{ConfigMap, Pod, Secret, Service, ServiceAccount},
    policy::v1::PodDisruptionBudget,
    rbac::v1::RoleBinding,
};
use kube::ResourceExt;
use serde_json::json;

use crate::{
    server::until,
    world::{DATABASE, IMAGE, World},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_members_get_kubedbs_objects_with_their_owners_and_a_second_look_writes_nothing() {
    let world = World::new().await;
    let test = async {
        let postgres = world.postgres(json!({})).await;
        world.members_run().await;
        world.database.works(&["orders-1", "orders-2"]);
        world.phase("Ready").await;

        let set: PetSet = world.there(DATABASE).await;
        assert_eq!(set.spec.replicas, Some(3));
        assert_eq!(set.spec.claim_size("data"), Some(Ok(units::Bytes::GIB)));
        assert_eq!(set.spec.template["spec"]["containers"][0]["image"], IMAGE);
        let strategy = serde_json::to_value(&set.spec.update_strategy).unwrap();
        assert_eq!(strategy["type"], "OnDelete");
        let primary: Service = world.there(DATABASE).await;
        let selector = primary.spec.as_ref().unwrap().selector.clone().unwrap();
        assert_eq!(selector["kubedb.com/role"], "primary");
        assert_eq!(primary.labels()["team"], "blue", "the user's labels pass through");
        let governing: Service = world.there("orders-pods").await;
        assert_eq!(
            governing.spec.as_ref().unwrap().cluster_ip.as_deref(),
            Some("None")
        );
        let standby: Service = world.there("orders-standby").await;
        let account: ServiceAccount = world.there(DATABASE).await;
        let binding: RoleBinding = world.there(DATABASE).await;
        assert_eq!(binding.role_ref.name, "highwater-member");
        let config: ConfigMap = world.there("orders-patroni").await;
        assert!(config.data.as_ref().unwrap()["patroni.yml"].contains("\"failsafe_mode\": true"));
        let budget: PodDisruptionBudget = world.there(DATABASE).await;
        assert_eq!(budget.owner_references()[0].uid, set.uid().unwrap());
        let uid = postgres.uid().unwrap();
        for owners in [
            set.owner_references(),
            primary.owner_references(),
            governing.owner_references(),
            standby.owner_references(),
            account.owner_references(),
            binding.owner_references(),
            config.owner_references(),
        ] {
            assert_eq!(owners.len(), 1);
            assert_eq!((&owners[0].uid, owners[0].controller), (&uid, Some(true)));
        }
        for name in ["orders-auth", "orders-patroni"] {
            let secret: Secret = world.there(name).await;
            assert!(
                secret.metadata.owner_references.is_none(),
                "{name} outlives the Postgres"
            );
        }
        quiet(&world).await;
    };
    world.with_controller(test).await;
}

/// Another controller, and two more checks, write nothing.
async fn quiet(world: &World) {
    let before = world.versions().await;
    let asked = world.database.asked();
    let again = until("three more checks", || async {
        (world.database.asked() >= asked + 3).then_some(())
    });
    world.with_controller(again).await;
    assert_eq!(world.versions().await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_single_member_has_no_standby_service_and_no_budget() {
    let world = World::new().await;
    let test = async {
        world.postgres(json!({"replicas": 1})).await;
        world.members_run().await;
        world.database.works(&[]);
        world.phase("Ready").await;
        assert_eq!(world.names::<Service>().await, ["orders", "orders-pods"]);
        assert!(world.names::<PodDisruptionBudget>().await.is_empty());
    };
    world.with_controller(test).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ephemeral_database_has_no_claims() {
    let world = World::new().await;
    let test = async {
        world
            .postgres(json!({"replicas": 1, "storageType": "Ephemeral"}))
            .await;
        let set: PetSet = world.there(DATABASE).await;
        assert!(set.spec.volume_claim_templates.is_empty());
        let volumes = set.spec.template["spec"]["volumes"].as_array().unwrap().clone();
        let data = volumes.iter().find(|volume| volume["name"] == "data").unwrap();
        assert_eq!(data["emptyDir"]["sizeLimit"], "1Gi");
    };
    world.with_controller(test).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_elses_service_of_that_name_is_left_alone_and_named() {
    let world = World::new().await;
    let foreign = json!({"metadata": {"name": "orders-standby"}, "spec": {"ports": [{"port": 80}]}});
    world.create::<Service>(foreign).await;
    let test = async {
        world.postgres(json!({})).await;
        let said = world.said("Failure", "True").await;
        assert_eq!(said.reason.as_deref(), Some("ObjectNotOurs"));
        assert!(said.message.unwrap().contains("Service orders-standby"));
        let service: Service = world.there("orders-standby").await;
        assert_eq!(service.spec.unwrap().ports.unwrap()[0].port, 80);
        world.there::<PetSet>(DATABASE).await;
    };
    world.with_controller(test).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_user_changes_of_ours_is_put_back_and_what_is_added_stays() {
    let world = World::new().await;
    let test = async {
        world.postgres(json!({})).await;
        world.there::<PetSet>(DATABASE).await;
        let edit = json!({"metadata": {"annotations": {"mine": "yes"}}, "spec": {"selector": {"kubedb.com/role": "standby"}}});
        world.patch::<Service>(DATABASE, edit).await;
        let service = until("the selector put back", || async {
            let service: Service = world.find(DATABASE).await?;
            let selector = service.spec.clone()?.selector?;
            (selector.get("kubedb.com/role")? == "primary").then_some(service)
        })
        .await;
        assert_eq!(service.annotations()["mine"], "yes");
        let scale =
            json!({"spec": {"replicas": 5, "template": {"spec": {"terminationGracePeriodSeconds": 1}}}});
        world.patch::<PetSet>(DATABASE, scale).await;
        let set = until("the template put back", || async {
            let set: PetSet = world.find(DATABASE).await?;
            (set.spec.template["spec"]["terminationGracePeriodSeconds"] == 60).then_some(set)
        })
        .await;
        assert_eq!(
            set.spec.replicas,
            Some(5),
            "only the executor changes the number of members"
        );
        assert_eq!(set.spec.volume_claim_templates.len(), 1);
        let said = world.said("SpecBehind", "True").await;
        assert!(said.message.unwrap().contains("commit 5"));
    };
    world.with_controller(test).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_that_says_it_is_the_primary_and_is_not_loses_the_role() {
    let world = World::new().await;
    let test = async {
        world.postgres(json!({})).await;
        world.members_run().await;
        world.leads(1).await;
        world.role(1, json!("primary")).await;
        until("the role taken", || async {
            let pod: Pod = world.find("orders-0").await?;
            pod.labels().get("kubedb.com/role").is_none().then_some(())
        })
        .await;
        let leader: Pod = world.there("orders-1").await;
        assert_eq!(leader.labels()["kubedb.com/role"], "primary");
    };
    world.with_controller(test).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beside_kubedb_only_what_carries_our_label_is_looked_at() {
    let world = World::new().await;
    world.postgres(json!({})).await;
    let labels = json!({"highwater.dev/owned-by": "highwater"});
    let ours = json!({"metadata": {"name": "ours", "labels": labels}, "spec": {"version": "15.18", "storageType": "Ephemeral"}});
    world.create::<Postgres>(ours).await;
    let before: Postgres = world.there(DATABASE).await;
    world.with_controller_of_ours(world.there::<PetSet>("ours")).await;
    let after: Postgres = world.there(DATABASE).await;
    assert_eq!(after, before);
    assert_eq!(world.names::<PetSet>().await, ["ours"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unmanaged_database_is_left_alone() {
    let world = World::new().await;
    let postgres = world.postgres(json!({})).await;
    drop(postgres);
    world
        .patch::<Postgres>(
            DATABASE,
            json!({"metadata": {"annotations": {"highwater.dev/unmanaged": "true"}}}),
        )
        .await;
    let other =
        json!({"metadata": {"name": "later"}, "spec": {"version": "none", "storageType": "Ephemeral"}});
    world.create::<Postgres>(other).await;
    let before: Postgres = world.there(DATABASE).await;
    // Looked at after the first: names are looked at in their order.
    let later = until("the other looked at", || async {
        let postgres = world.find::<Postgres>("later").await?;
        postgres.status?.phase.map(drop)
    });
    world.with_controller(later).await;
    let after: Postgres = world.there(DATABASE).await;
    assert_eq!(after, before);
    assert!(world.names::<PetSet>().await.is_empty());
}
