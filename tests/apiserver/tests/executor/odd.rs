//! Claims and objects that are not as usual.

use executor_core::{Observed, Request, Step};
use jiff::Timestamp;
use kube::{
    Api,
    api::{DynamicObject, Patch, PatchParams},
    core::ApiResource,
};
use serde_json::json;

use crate::{
    hands::{Storage, volume_capacity, with_hands},
    server::until,
    world::{Plan, World, condition},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_mounted_nowhere_counts_when_its_volume_has_grown() {
    let world = World::new(Plan {
        mounted: false,
        ..Plan::default()
    })
    .await;
    let test = async {
        world.request("grow", "2Gi", json!({})).await;
        let request = world.phase("grow", "Successful").await;
        let (_, message) = condition(&request, "VolumeExpansion");
        assert!(
            message.contains("finishes at next mount: data-orders-0"),
            "{message}"
        );
        assert_eq!(
            request.status.unwrap().volumes[0].stage.as_deref(),
            Some("FinishesAtNextMount")
        );
        assert_eq!(volume_capacity(&world, 0).await, "2Gi");
        assert_eq!(world.sizes().await, ["2Gi"; 3]);
    };
    world
        .with_executor(with_hands(&world, Storage::Grows, test))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_that_is_larger_already_is_left_alone() {
    let world = World::new(Plan {
        members: 2,
        ..Plan::default()
    })
    .await;
    let larger = json!({"spec": {"resources": {"requests": {"storage": "5Gi"}}}});
    let claims = world.api::<k8s_openapi::api::core::v1::PersistentVolumeClaim>();
    claims
        .patch("data-orders-0", &PatchParams::default(), &Patch::Merge(larger))
        .await
        .unwrap();
    world.grow_volume(0, "5Gi").await;
    world
        .claim_status(0, json!({"capacity": {"storage": "5Gi"}}))
        .await;
    let version = world.claim(0).await.metadata.resource_version;
    let test = async {
        world.request("grow", "2Gi", json!({})).await;
        world.phase("grow", "Successful").await;
    };
    world
        .with_executor(with_hands(&world, Storage::Grows, test))
        .await;
    assert_eq!(world.sizes().await, ["5Gi", "2Gi", "2Gi", "2Gi"]);
    assert_eq!(
        world.claim(0).await.metadata.resource_version,
        version,
        "nobody wrote to it"
    );
}

/// The definitions are loosened so that an object that no type of ours can read gets in, as it may in a cluster whose
/// definitions are not ours.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_malformed_request_and_a_malformed_postgres_stop_nobody_else() {
    let world = World::new(Plan::default()).await;
    let crds: Api<
        k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
    > = Api::all(world.client.clone());
    let names = ["postgresopsrequests.ops.kubedb.com", "postgreses.kubedb.com"];
    let mut strict = Vec::new();
    for name in names {
        let mut crd = serde_json::to_value(crds.get(name).await.unwrap()).unwrap();
        strict.push(crd["spec"]["versions"].clone());
        crd["spec"]["versions"][0]["schema"] =
            json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
        let patch = Patch::Merge(json!({"spec": {"versions": crd["spec"]["versions"]}}));
        crds.patch(name, &PatchParams::default(), &patch).await.unwrap();
    }
    let bad = |kind: &str, group: &str, plural: &str, version: &str| {
        let resource = ApiResource {
            group: group.into(),
            version: version.into(),
            api_version: format!("{group}/{version}"),
            kind: kind.into(),
            plural: plural.into(),
        };
        let api: Api<DynamicObject> = Api::namespaced_with(world.client.clone(), &world.namespace, &resource);
        let object = DynamicObject::new("bad", &resource).data(json!({"spec": 7}));
        (api, object)
    };
    for (api, object) in [
        bad(
            "PostgresOpsRequest",
            "ops.kubedb.com",
            "postgresopsrequests",
            "v1alpha1",
        ),
        bad("Postgres", "kubedb.com", "postgreses", "v1"),
    ] {
        until("accepted", || async {
            api.create(&Default::default(), &object).await.ok()
        })
        .await;
    }
    let test = async {
        world.request("grow", "2Gi", json!({"maxRetries": 1})).await;
        world.phase("grow", "Successful").await;
    };
    world
        .with_executor(with_hands(&world, Storage::Grows, test))
        .await;
    for (api, _) in [
        bad(
            "PostgresOpsRequest",
            "ops.kubedb.com",
            "postgresopsrequests",
            "v1alpha1",
        ),
        bad("Postgres", "kubedb.com", "postgreses", "v1"),
    ] {
        api.delete("bad", &Default::default()).await.unwrap();
    }
    for (name, versions) in names.iter().zip(strict) {
        let patch = Patch::Merge(json!({"spec": {"versions": versions}}));
        crds.patch(name, &PatchParams::default(), &patch).await.unwrap();
    }
}

fn panics_on_bad(request: &Request, seen: &Observed, now: Timestamp) -> Step {
    assert_ne!(request.name, "bad", "a defect");
    executor_core::step(request, seen, now)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_while_deciding_costs_one_request() {
    let world = World::new(Plan::default()).await;
    let test = async {
        world
            .request("bad", "2Gi", json!({"databaseRef": {"name": "other"}}))
            .await;
        world.request("grow", "2Gi", json!({})).await;
        world.phase("grow", "Successful").await;
        let bad = until("the condition", || async {
            let request = world.find_request("bad").await?;
            request
                .status
                .as_ref()
                .is_some_and(|status| !status.conditions.is_empty())
                .then_some(request)
        })
        .await;
        assert!(condition(&bad, "InternalError").1.contains("a defect"));
    };
    world
        .with_decide(panics_on_bad, with_hands(&world, Storage::Grows, test))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kubedbs_ops_manager_is_found_by_its_label_unless_it_is_scaled_to_nothing() {
    let world = World::new(Plan::default()).await;
    let found = || async { executor::test_parts::ops_manager(&world.client).await.unwrap() };
    assert_eq!(found().await, None);
    let labels = json!({"app.kubernetes.io/name": "kubedb-ops-manager"});
    let _: k8s_openapi::api::apps::v1::StatefulSet = world
        .create(json!({
            "metadata": {"name": "kubedb-kubedb-ops-manager", "labels": labels},
            "spec": {"serviceName": "x", "replicas": 1, "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "i"}]}}}
        }))
        .await;
    let name = format!("StatefulSet {}/kubedb-kubedb-ops-manager", world.namespace);
    assert_eq!(found().await, Some(name));
    let sets = world.api::<k8s_openapi::api::apps::v1::StatefulSet>();
    let none = Patch::Merge(json!({"spec": {"replicas": 0}}));
    sets.patch("kubedb-kubedb-ops-manager", &PatchParams::default(), &none)
        .await
        .unwrap();
    assert_eq!(found().await, None);
}
