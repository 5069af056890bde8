//! The hands of provisioner, PetSet controller, storage and kubelet: as many members as the set asks for, and the
//! acknowledgement of a pause.

use std::{sync::Arc, time::Duration};

use api::{conditions::is_true, kubedb::v1::Postgres, petset::v1::PetSet};
use executor::test_parts::{self, StopAfter};
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod, Secret};
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    patroni::Patroni,
    server::until,
    world::{DATABASE, Plan, World, claim, pod},
};

/// A managed database of so many members, with its Secrets.
pub(crate) async fn managed(members: usize) -> World {
    let world = World::new(Plan {
        members,
        managed: true,
        mounted: false,
        ..Plan::default()
    })
    .await;
    for (name, data) in [
        ("auth", json!({"username": "postgres", "password": "secret"})),
        (
            "patroni",
            json!({"replication-password": "x", "restapi-username": "rest", "restapi-password": "api"}),
        ),
    ] {
        let name = format!("{DATABASE}-{name}");
        world
            .create::<Secret>(json!({"metadata": {"name": name}, "stringData": data}))
            .await;
    }
    set_replicas(&world, members).await;
    world
}

async fn set_replicas(world: &World, members: usize) {
    let patch = Patch::Merge(json!({"spec": {"replicas": members}}));
    let api = world.api::<PetSet>();
    api.patch(DATABASE, &PatchParams::default(), &patch)
        .await
        .unwrap();
}

/// A scaling with `apply: Always`, changed by `merge`.
pub(crate) async fn scale(world: &World, name: &str, replicas: i32, section: Value) {
    let mut scaling = json!({"replicas": replicas});
    for (key, value) in section.as_object().into_iter().flatten() {
        scaling[key] = value.clone();
    }
    world
        .create::<api::ops::v1alpha1::PostgresOpsRequest>(json!({"metadata": {"name": name}, "spec": {
            "type": "HorizontalScaling", "databaseRef": {"name": DATABASE}, "apply": "Always", "timeout": "30s",
            "maxRetries": 0, "horizontalScaling": scaling
        }}))
        .await;
}

/// Runs an executor and these hands until `test` is done.
pub(crate) async fn with_members<T>(
    world: &World,
    patroni: &Arc<Patroni>,
    test: impl Future<Output = T>,
) -> T {
    let run = test_parts::run_with(world.client.clone(), executor_core::step, None, reach(patroni));
    tokio::select! {
        ended = run => panic!("the executor ended: {ended:?}"),
        done = with_hands(world, patroni, test) => done,
    }
}

/// Runs executors one after the other, each stopped after one write, until the request is over; gives their number.
pub(crate) async fn crash_after_each_write(world: &World, patroni: &Arc<Patroni>, request: &str) -> u32 {
    let over = || async {
        let request = world.find_request(request).await?;
        let is_final = request
            .status
            .unwrap_or_default()
            .phase
            .is_some_and(|phase| phase.is_final());
        (is_final && request.metadata.finalizers.is_none()).then_some(())
    };
    let runs = async {
        for runs in 1..200 {
            let stopped = tokio_util::sync::CancellationToken::new();
            let stop = StopAfter::new(1, stopped.clone());
            tokio::select! {
                ended = test_parts::run_with(world.client.clone(), executor_core::step, Some(stop), reach(patroni)) =>
                    panic!("{ended:?}"),
                () = stopped.cancelled() => {}
                () = until("the end", over) => return runs,
            }
        }
        panic!("it does not come to an end");
    };
    with_hands(world, patroni, runs).await
}

pub(crate) fn reach(patroni: &Arc<Patroni>) -> Arc<dyn executor::member::Reach> {
    Arc::<Patroni>::clone(patroni)
}

async fn with_hands<T>(world: &World, patroni: &Patroni, test: impl Future<Output = T>) -> T {
    let play = async {
        loop {
            acknowledge(world).await;
            let petset = world.api::<PetSet>().get(DATABASE).await.unwrap();
            let wanted = usize::try_from(petset.spec.replicas.unwrap()).unwrap();
            for ordinal in 0..6 {
                member(world, patroni, &petset, ordinal, ordinal < wanted).await;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        () = play => unreachable!("they play for ever"),
        done = test => done,
    }
}

/// What a provisioner does with a pause: as it is written, so is it answered.
pub(crate) async fn acknowledge(world: &World) {
    let status = world.postgres().await.status.unwrap_or_default();
    let paused = is_true(&status.conditions, "Paused");
    if paused == is_true(&status.conditions, "PauseAcknowledged") {
        return;
    }
    let version = world.postgres().await.metadata.resource_version;
    let mut conditions = status.conditions;
    let message = conditions
        .iter()
        .find(|condition| condition.type_ == "Paused")
        .and_then(|c| c.message.clone());
    conditions.retain(|condition| condition.type_ != "PauseAcknowledged");
    let mut conditions = json!(conditions).as_array().unwrap().clone();
    if paused {
        conditions.push(
            json!({"type": "PauseAcknowledged", "status": "True", "reason": "PauseAcknowledged",
            "message": message, "lastTransitionTime": "2026-01-01T00:00:00Z"}),
        );
    }
    let patch = json!({"metadata": {"resourceVersion": version}, "status": {"conditions": conditions}});
    let api = world.api::<Postgres>();
    // A conflict is met again in a moment.
    drop(
        api.patch_status(DATABASE, &PatchParams::default(), &Patch::Merge(patch))
            .await,
    );
}

async fn member(world: &World, patroni: &Patroni, petset: &PetSet, ordinal: usize, wanted: bool) {
    let pods = world.api::<Pod>();
    let present = pods.get_opt(&pod(ordinal)).await.unwrap();
    release_claim(world, ordinal).await;
    match (present, wanted) {
        (None, true) => {
            let size = petset.spec.claim_size("data").unwrap().unwrap().to_string();
            world.ensure_claim(ordinal, &size).await;
            make_pod(world, ordinal, json!({})).await;
            patroni.join(&pod(ordinal));
        }
        (Some(_), false) => {
            patroni.leave(&pod(ordinal));
            drop(
                pods.delete(&pod(ordinal), &DeleteParams::default().grace_period(0))
                    .await,
            );
        }
        _ => {}
    }
}

/// A pod that runs, with these resources.
pub(crate) async fn make_pod(world: &World, ordinal: usize, resources: Value) {
    let object: Pod = world
        .create(json!({
            "metadata": {"name": pod(ordinal)},
            "spec": {"nodeName": "nowhere", "containers": [{"name": "postgres", "image": "none", "resources": resources}],
                "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": claim(ordinal)}}]}
        }))
        .await;
    let status = json!({"status": {"phase": "Running", "podIP": format!("10.0.0.{}", ordinal + 1),
        "podIPs": [{"ip": format!("10.0.0.{}", ordinal + 1)}],
        "containerStatuses": [{"name": "postgres", "image": "none", "imageID": "", "ready": true, "restartCount": 0,
            "resources": object.spec.as_ref().unwrap().containers[0].resources, "state": {"running": {}}}],
        "conditions": [{"type": "Ready", "status": "True"}]}});
    let name = object.metadata.name.unwrap();
    world
        .api::<Pod>()
        .patch_status(&name, &PatchParams::default(), &Patch::Merge(status))
        .await
        .unwrap();
}

/// The controller that keeps claims while a pod uses them.
async fn release_claim(world: &World, ordinal: usize) {
    let claims = world.api::<PersistentVolumeClaim>();
    let deleted = claims.get_opt(&claim(ordinal)).await.unwrap();
    if deleted.is_some_and(|claim| claim.metadata.deletion_timestamp.is_some()) {
        let patch = Patch::Merge(json!({"metadata": {"finalizers": null}}));
        drop(
            claims
                .patch(&claim(ordinal), &PatchParams::default(), &patch)
                .await,
        );
    }
}

/// Whether there is a claim of this ordinal.
pub(crate) async fn has_claim(world: &World, ordinal: usize) -> bool {
    let claims = world.api::<PersistentVolumeClaim>();
    claims.get_opt(&claim(ordinal)).await.unwrap().is_some()
}
