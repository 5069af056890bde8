//! Members stopped one after the other: Offline expansion, Restart, VerticalScaling.

use api::{
    kubedb::v1::Postgres,
    ops::v1alpha1::PostgresOpsRequest,
    petset::v1::{Hold, PetSet},
};
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::{
    Api,
    api::{Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};

use crate::{
    keeper::Keeper,
    provisioner::managed,
    world::{DATABASE, World, condition, pod},
};

async fn ask(world: &World, name: &str, spec: Value) -> PostgresOpsRequest {
    let mut whole =
        json!({"databaseRef": {"name": DATABASE}, "apply": "Always", "timeout": "40s", "maxRetries": 0});
    for (key, value) in spec.as_object().unwrap() {
        whole[key] = value.clone();
    }
    world
        .create(json!({"metadata": {"name": name}, "spec": whole}))
        .await
}

fn offline() -> Value {
    json!({"type": "VolumeExpansion", "volumeExpansion": {"mode": "Offline", "postgres": "2Gi"}})
}

async fn is_held(world: &World) -> bool {
    let petset = world.api::<PetSet>().get(DATABASE).await.unwrap();
    Hold::of(&petset).unwrap().is_some()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn offline_standbys_first_and_the_primary_last_after_a_switchover() {
    let world = managed(3).await;
    let keeper = Keeper::new(&world, "orders-1");
    keeper.populate(json!({})).await;
    let request = keeper
        .with_executor(async {
            ask(&world, "grow", offline()).await;
            world.phase("grow", "Successful").await
        })
        .await;
    assert_eq!(world.sizes().await, ["2Gi"; 5]);
    assert_eq!(
        keeper.gone(),
        [(0, true), (2, true), (1, true)],
        "each was held as its pod went"
    );
    assert_eq!(keeper.patroni.told(), ["orders-0 leads"]);
    assert!(!world.is_paused().await && !is_held(&world).await);
    let text = condition(&request, "VolumeExpansion").1;
    assert!(
        text.starts_with("Offline Volume Expansion performed successfully"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn offline_alone_goes_without_a_switchover() {
    let world = managed(1).await;
    let keeper = Keeper::new(&world, "orders-0");
    keeper.populate(json!({})).await;
    keeper
        .with_executor(async {
            ask(&world, "grow", offline()).await;
            world.phase("grow", "Successful").await
        })
        .await;
    assert_eq!(world.sizes().await, ["2Gi"; 3]);
    assert_eq!(keeper.gone(), [(0, true)]);
    assert_eq!(keeper.patroni.told(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn offline_stopped_after_every_single_write_it_still_ends_well() {
    let world = managed(2).await;
    let keeper = Keeper::new(&world, "orders-0");
    keeper.populate(json!({})).await;
    ask(&world, "grow", offline()).await;
    let runs = keeper.crash_after_each_write("grow").await;
    world.phase("grow", "Successful").await;
    assert_eq!(world.sizes().await, ["2Gi"; 4]);
    assert_eq!(keeper.gone(), [(1, true), (0, true)], "each once");
    assert!(!world.is_paused().await && !is_held(&world).await);
    assert!(runs > 15, "only {runs} executors were needed: were they stopped?");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_controller_that_acknowledges_nobody_is_stopped() {
    let world = managed(2).await;
    let mut keeper = Keeper::new(&world, "orders-0");
    keeper.idle = true;
    keeper.populate(json!({})).await;
    let mut spec = offline();
    spec["timeout"] = json!("3s");
    let request = keeper
        .with_executor(async {
            ask(&world, "grow", spec).await;
            world.phase("grow", "Failed").await
        })
        .await;
    assert_eq!(condition(&request, "Failed").0, "AwaitingHold");
    assert_eq!(keeper.gone(), []);
    assert!(!is_held(&world).await && !world.is_paused().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_replaces_every_pod_once() {
    let world = managed(3).await;
    let keeper = Keeper::new(&world, "orders-0");
    keeper.populate(json!({})).await;
    let before = keeper.pods().await;
    let request = keeper
        .with_executor(async {
            ask(&world, "again", json!({"type": "Restart", "restart": {}})).await;
            world.phase("again", "Successful").await
        })
        .await;
    let after = keeper.pods().await;
    assert!(before.iter().all(|(name, uid)| after[name] != *uid));
    assert_eq!(keeper.gone(), [(1, false), (2, false), (0, false)]);
    assert_eq!(keeper.patroni.told(), ["orders-1 leads"]);
    for kind in ["RestartSecondary", "RestartPrimary", "Restart", "Successful"] {
        assert_eq!(condition(&request, kind).0, kind);
    }
    assert!(!world.is_paused().await);
}

/// The template of the set gets a container with these resources.
async fn template(world: &World, resources: Value) {
    let containers = json!([{"name": "postgres", "image": "none", "resources": resources}]);
    let patch = Patch::Merge(json!({"spec": {"template": {"spec": {"containers": containers}}}}));
    let api = world.api::<PetSet>();
    api.patch(DATABASE, &PatchParams::default(), &patch)
        .await
        .unwrap();
}

fn vertical(mode: &str) -> Value {
    json!({"type": "VerticalScaling", "verticalScaling": {"mode": mode, "postgres": {
        "resources": {"requests": {"cpu": "200m", "memory": "64Mi"}}}}})
}

/// Resources in pods, template and Postgres.
async fn resources(world: &World) -> Vec<Value> {
    let mut all = Vec::new();
    for ordinal in 0..world.members {
        let object = json!(world.api::<Pod>().get(&pod(ordinal)).await.unwrap());
        all.push(object["spec"]["containers"][0]["resources"].clone());
    }
    let petset = world.api::<PetSet>().get(DATABASE).await.unwrap();
    all.push(petset.spec.template["spec"]["containers"][0]["resources"].clone());
    let postgres = world.api::<Postgres>().get(DATABASE).await.unwrap();
    let template = postgres.spec.pod_template.unwrap();
    all.push(template["spec"]["containers"][0]["resources"].clone());
    all
}

/// The API server asks what the node of a pod can do before it lets the pod be resized.
async fn with_node(world: &World) {
    let nodes: Api<Node> = Api::all(world.client.clone());
    let node = serde_json::from_value(json!({
        "metadata": {"name": "nowhere"},
        "status": {"capacity": {"cpu": "8", "memory": "8Gi", "pods": "100"},
            "allocatable": {"cpu": "8", "memory": "8Gi", "pods": "100"}}
    }))
    .unwrap();
    if let Err(error) = nodes.create(&PostParams::default(), &node).await {
        assert!(error.to_string().contains("already exists"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_resources_by_new_pods_and_for_running_ones() {
    for mode in ["Restart", "InPlace"] {
        let world = managed(2).await;
        let keeper = Keeper::new(&world, "orders-0");
        let before = json!({"requests": {"cpu": "100m", "memory": "64Mi"}});
        template(&world, before.clone()).await;
        with_node(&world).await;
        keeper.populate(before).await;
        let uids = keeper.pods().await;
        let request = keeper
            .with_executor(async {
                ask(&world, "more", vertical(mode)).await;
                world.phase("more", "Successful").await
            })
            .await;
        let wanted = json!({"requests": {"cpu": "200m", "memory": "64Mi"}});
        assert_eq!(resources(&world).await, vec![wanted; 4], "{mode}");
        let kept = keeper.pods().await == uids;
        let said = request.status.unwrap().conditions;
        assert_eq!(kept, mode == "InPlace", "{mode}: {:?}: {said:?}", keeper.gone());
    }
}

/// A pod's class of service cannot be changed while it runs: the API server refuses.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_running_pods_cannot_be_resized_they_are_replaced_and_it_says_why() {
    let world = managed(2).await;
    let keeper = Keeper::new(&world, "orders-0");
    template(&world, json!({})).await;
    keeper.populate(json!({})).await;
    let request = keeper
        .with_executor(async {
            ask(&world, "more", vertical("InPlace")).await;
            world.phase("more", "Successful").await
        })
        .await;
    let wanted = json!({"requests": {"cpu": "200m", "memory": "64Mi"}});
    assert_eq!(resources(&world).await, vec![wanted; 4]);
    assert_eq!(keeper.gone(), [(1, false), (0, false)]);
    let (reason, why) = condition(&request, "InPlaceRefused");
    assert!(reason == "InPlaceRefused" && why.contains("QOS"), "{why}");
}
