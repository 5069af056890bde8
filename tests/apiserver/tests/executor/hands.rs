//! The hands of resizer and kubelet: they write what those would write (kubernetes/kubernetes, external-resizer),
//! in their order, whenever a claim asks for more than it has.

use std::time::Duration;

use api::names::ANNOTATION_NUDGE;
use futures::TryStreamExt;
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod};
use kube::{
    Api, ResourceExt,
    api::{ListParams, WatchEvent, WatchParams},
};
use runtime::clock::{Clock, SystemClock};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::world::{World, pod};

/// What the storage does.
#[derive(Clone)]
pub(crate) enum Storage {
    /// It grows; kubelet does its step only when the pod was nudged for this growth.
    Grows,
    /// The resizer writes this error, with this `allocatedResourceStatuses`.
    Refuses {
        status: &'static str,
        message: &'static str,
    },
    /// It grows up to this size, and calls more infeasible.
    Room {
        most: &'static str,
        message: &'static str,
    },
    /// Nobody is there.
    Silent,
}

/// Plays until it is dropped.
pub(crate) async fn play(world: &World, storage: Storage) {
    loop {
        for ordinal in 0..world.members {
            step(world, ordinal, &storage).await;
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// Runs `test` while the hands play.
pub(crate) async fn with_hands<T>(world: &World, storage: Storage, test: impl Future<Output = T>) -> T {
    tokio::select! {
        () = play(world, storage) => unreachable!("they play for ever"),
        done = test => done,
    }
}

fn text(value: &Value, pointer: &str) -> String {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn bytes(size: &str) -> u64 {
    units::Bytes::parse_quantity(size).unwrap().get()
}

async fn step(world: &World, ordinal: usize, storage: &Storage) {
    let claim: PersistentVolumeClaim = world.claim(ordinal).await;
    let claim = serde_json::to_value(claim).unwrap();
    let wanted = text(&claim, "/spec/resources/requests/storage");
    let has = text(&claim, "/status/capacity/storage");
    if bytes(&wanted) <= bytes(&has) {
        return;
    }
    let status = text(&claim, "/status/allocatedResourceStatuses/storage");
    match storage {
        Storage::Silent => {}
        Storage::Refuses { status: new, message } => {
            if status.as_str() != *new || text(&claim, "/status/allocatedResources/storage") != wanted {
                world.claim_status(ordinal, refusal(&wanted, new, message)).await;
            }
        }
        Storage::Room { most, message } if bytes(&wanted) > bytes(most) => {
            let infeasible = "ControllerResizeInfeasible";
            if status != infeasible || text(&claim, "/status/allocatedResources/storage") != wanted {
                world
                    .claim_status(ordinal, refusal(&wanted, infeasible, message))
                    .await;
            }
        }
        Storage::Grows | Storage::Room { .. } => grow(world, ordinal, &wanted, &status).await,
    }
}

fn refusal(wanted: &str, status: &str, message: &str) -> Value {
    json!({
        "allocatedResources": {"storage": wanted},
        "allocatedResourceStatuses": {"storage": status},
        "conditions": [{"type": "ControllerResizeError", "status": "True", "message": message,
            "lastTransitionTime": SystemClock.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()}]
    })
}

async fn grow(world: &World, ordinal: usize, wanted: &str, status: &str) {
    match status {
        "NodeResizePending" => {
            if is_nudged(world, ordinal, wanted).await {
                let done = json!({"capacity": {"storage": wanted}, "allocatedResourceStatuses": null, "conditions": null});
                world.claim_status(ordinal, done).await;
            }
        }
        "ControllerResizeInProgress" => {
            world.grow_volume(ordinal, wanted).await;
            let pending = json!({"allocatedResourceStatuses": {"storage": "NodeResizePending"}});
            world.claim_status(ordinal, pending).await;
        }
        _ => {
            let began = json!({"allocatedResources": {"storage": wanted},
                "allocatedResourceStatuses": {"storage": "ControllerResizeInProgress"}});
            world.claim_status(ordinal, began).await;
        }
    }
}

/// Kubelet would look at an unchanged pod only after a minute; here it never does.
async fn is_nudged(world: &World, ordinal: usize, wanted: &str) -> bool {
    let Some(pod) = world.api::<Pod>().get_opt(&pod(ordinal)).await.unwrap() else {
        return false;
    };
    let nudge = pod.annotations().get(ANNOTATION_NUDGE);
    nudge.is_some_and(|nudge| nudge.ends_with(&format!("={}", bytes(wanted))))
}

/// The capacity of a member's volume.
pub(crate) async fn volume_capacity(world: &World, ordinal: usize) -> String {
    let api: Api<PersistentVolume> = Api::all(world.client.clone());
    let volume = api.get(&world.volume(ordinal)).await.unwrap();
    volume.spec.unwrap().capacity.unwrap()["storage"].0.clone()
}

/// Runs `test` and tells every size that the claims asked for meanwhile, in order, each change once; the watch begins
/// before the test does.
pub(crate) async fn with_history<T>(
    world: &World,
    test: impl Future<Output = T>,
) -> (T, Vec<(String, String)>) {
    let claims = world.api::<PersistentVolumeClaim>();
    let version = claims
        .list(&ListParams::default())
        .await
        .unwrap()
        .metadata
        .resource_version
        .unwrap();
    let mut changes = std::pin::pin!(claims.watch(&WatchParams::default(), &version).await.unwrap());
    let mut history = Vec::new();
    let mut test = std::pin::pin!(test);
    let done = loop {
        tokio::select! {
            biased;
            change = changes.try_next() => note(&mut history, change.unwrap().expect("the watch lasts")),
            done = &mut test => break done,
        }
    };
    // What was written last is still on its way.
    while let Ok(change) = timeout(Duration::from_secs(1), changes.try_next()).await {
        note(&mut history, change.unwrap().expect("the watch lasts"));
    }
    (done, history)
}

fn note(history: &mut Vec<(String, String)>, change: WatchEvent<PersistentVolumeClaim>) {
    let WatchEvent::Modified(claim) = change else {
        return;
    };
    let size = claim
        .spec
        .as_ref()
        .unwrap()
        .resources
        .as_ref()
        .unwrap()
        .requests
        .as_ref()
        .unwrap()["storage"]
        .0
        .clone();
    let name = claim.name_any();
    let last = history.iter().rev().find(|(claim, _)| *claim == name);
    if last.is_none_or(|(_, last)| *last != size) {
        history.push((name, size));
    }
}
