//! Changes of the spec: those that need no request are made, those that do are said.

use api::{kubedb::v1::Postgres, petset::v1::PetSet};
use k8s_openapi::api::core::v1::{Secret, Service};
use serde_json::json;

use crate::{
    hands::claim,
    server::until,
    world::{DATABASE, IMAGE, World},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn storage_replicas_and_version_wait_for_a_request_and_an_older_manifest_changes_nothing() {
    let world = World::new().await;
    let test = async {
        world.postgres(json!({})).await;
        world.members_run().await;
        world.database.works(&["orders-1", "orders-2"]);
        world.phase("Ready").await;
        let before: PetSet = world.there(DATABASE).await;
        let storage = |size: &str| json!({"resources": {"requests": {"storage": size}}});
        world
            .patch::<Postgres>(DATABASE, json!({"spec": {"storage": storage("2Gi")}}))
            .await;
        let said = world.said("RequestNeeded", "True").await;
        assert!(
            said.message
                .unwrap()
                .contains("type VolumeExpansion with volumeExpansion.postgres: 2Gi")
        );

        // As after a growth, with the manifest of before.
        for ordinal in 0..3 {
            let grown = json!({"spec": {"resources": {"requests": {"storage": "1536Mi"}}}});
            let result = world
                .api::<k8s_openapi::api::core::v1::PersistentVolumeClaim>()
                .patch(
                    &claim(ordinal),
                    &Default::default(),
                    &kube::api::Patch::Merge(grown),
                )
                .await;
            drop(result);
        }
        world
            .patch::<Postgres>(DATABASE, json!({"spec": {"storage": storage("512Mi")}}))
            .await;
        world.unsaid("RequestNeeded").await;
        let said = world.said("SpecBehind", "True").await;
        assert!(said.message.unwrap().contains("commit "));
        world
            .patch::<Postgres>(
                DATABASE,
                json!({"spec": {"storage": storage("1Gi"), "replicas": 5}}),
            )
            .await;
        until("HorizontalScaling named", || async {
            let said = world.said("RequestNeeded", "True").await;
            said.message?.contains("HorizontalScaling").then_some(())
        })
        .await;
        let after: PetSet = world.there(DATABASE).await;
        assert_eq!(after.spec.replicas, before.spec.replicas);
        assert_eq!(
            after.spec.volume_claim_templates,
            before.spec.volume_claim_templates
        );
        world
            .patch::<Postgres>(DATABASE, json!({"spec": {"replicas": 3, "version": "99"}}))
            .await;
        let said = world.said("Failure", "True").await;
        assert_eq!(said.reason.as_deref(), Some("VersionNotFound"));
        let after: PetSet = world.there(DATABASE).await;
        assert_eq!(after.spec.template["spec"]["containers"][0]["image"], IMAGE);
        world
            .patch::<Postgres>(DATABASE, json!({"spec": {"version": "15.18"}}))
            .await;
        world.unsaid("Failure").await;
    };
    world.with_controller(test).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_template_is_followed_and_taken_back() {
    let world = World::new().await;
    let test = async {
        world
            .postgres(json!({"serviceTemplates": [{"alias": "primary", "metadata": {"annotations": {"lb": "internal"}},
                "spec": {"type": "NodePort", "ports": [{"name": "primary", "port": 6432}]}}]}))
            .await;
        let service: Service = world.there(DATABASE).await;
        let spec = service.spec.unwrap();
        assert_eq!(
            (spec.type_.as_deref(), spec.ports.unwrap()[0].port),
            (Some("NodePort"), 6432)
        );
        assert_eq!(service.metadata.annotations.unwrap()["lb"], "internal");
        world
            .patch::<Postgres>(DATABASE, json!({"spec": {"serviceTemplates": null}}))
            .await;
        until("the template taken back", || async {
            let service: Service = world.find(DATABASE).await?;
            let spec = service.spec?;
            let annotated = service
                .metadata
                .annotations
                .is_some_and(|all| all.contains_key("lb"));
            (spec.type_? == "ClusterIP" && spec.ports?[0].port == 5432 && !annotated).then_some(())
        })
        .await;
    };
    world.with_controller(test).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_come_from_the_secret_and_in_place_and_wrong_lines_are_told() {
    let world = World::new().await;
    let conf = json!({"metadata": {"name": "conf"}, "stringData": {"user.conf": "max_connections = 77\nport = 1\n"}});
    world.create::<Secret>(conf).await;
    let test = async {
        world
            .postgres(json!({"configSecret": {"name": "conf"},
                "configuration": {"inline": {"user.conf": "work_mem = '8MB'"}}}))
            .await;
        let config = world
            .there::<k8s_openapi::api::core::v1::ConfigMap>("orders-patroni")
            .await;
        let file: serde_json::Value = serde_json::from_str(&config.data.unwrap()["patroni.yml"]).unwrap();
        let parameters = &file["bootstrap"]["dcs"]["postgresql"]["parameters"];
        assert_eq!(
            (&parameters["max_connections"], &parameters["work_mem"]),
            (&json!("77"), &json!("8MB"))
        );
        let said = world.said("Failure", "True").await;
        assert_eq!(said.reason.as_deref(), Some("ConfigurationInvalid"));
        assert!(said.message.unwrap().contains("line 2: port"));
    };
    world.with_controller(test).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_that_volumes_know_is_not_made_anew() {
    let world = World::new().await;
    world.claim_exists_as(0, "1Gi").await;
    let test = async {
        world.postgres(json!({})).await;
        let said = world.said("Failure", "True").await;
        assert_eq!(said.reason.as_deref(), Some("ReferenceNotFound"));
        assert!(said.message.unwrap().contains("Secret orders-auth is gone"));
        assert!(world.names::<Secret>().await.is_empty());
        let restored = json!({"username": "postgres", "password": "old"});
        world
            .create::<Secret>(json!({"metadata": {"name": "orders-auth"}, "stringData": restored}))
            .await;
        world.there::<PetSet>(DATABASE).await;
    };
    world.with_controller(test).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_without_a_password_and_a_missing_config_are_told_before_any_pod() {
    let world = World::new().await;
    world
        .create::<Secret>(
            json!({"metadata": {"name": "orders-auth"}, "stringData": {"username": "postgres"}}),
        )
        .await;
    let test = async {
        world.postgres(json!({})).await;
        let said = world.said("Failure", "True").await;
        assert_eq!(said.reason.as_deref(), Some("AuthSecretInvalid"));
        assert!(world.find::<PetSet>(DATABASE).await.is_none());
        world
            .patch::<Postgres>(DATABASE, json!({"spec": {"configSecret": {"name": "nowhere"}}}))
            .await;
        until("the missing Secret named", || async {
            let said = world.said("Failure", "True").await;
            said.message?.contains("Secret nowhere").then_some(())
        })
        .await;
    };
    world.with_controller(test).await;
}
