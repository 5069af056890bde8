//! A kubelet for all pods: runs them, and lets those go that are deleted.
//!
//! What it does with a pod is said by the image of its first container: `good` runs and is ready, `bad` runs and never
//! is; anything else is not touched, and neither is a pod whose status the test has written.

use std::time::Duration;

use futures::TryStreamExt as _;
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, Client, ResourceExt,
    api::{DeleteParams, Patch, PatchParams, Preconditions},
    runtime::{
        WatchStreamExt as _,
        watcher::{self, watcher},
    },
};
use runtime::clock::{Clock as _, SystemClock};
use serde_json::{Value, json};
use tokio::time::sleep;

/// Runs all pods until it is dropped.
pub(crate) async fn run(client: Client) {
    loop {
        let pods: Api<Pod> = Api::all(client.clone());
        let changes = watcher(pods, watcher::Config::default()).touched_objects();
        let play = changes.map_err(drop).try_for_each_concurrent(16, |pod| {
            let client = client.clone();
            async move {
                play(client, &pod).await;
                Ok(())
            }
        });
        if play.await.is_err() {
            sleep(Duration::from_millis(100)).await;
        }
    }
}

async fn play(client: Client, pod: &Pod) {
    let api: Api<Pod> = Api::namespaced(client, &pod.namespace().unwrap());
    let name = pod.name_any();
    if pod.metadata.deletion_timestamp.is_some() {
        let meant = Preconditions {
            uid: pod.uid(),
            resource_version: None,
        };
        let params = DeleteParams::default().grace_period(0).preconditions(meant);
        // It may be gone already.
        drop(api.delete(&name, &params).await);
        return;
    }
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    let image = pod
        .spec
        .as_ref()
        .and_then(|spec| spec.containers.first()?.image.as_deref());
    if phase == Some("Pending")
        && let Some(status) = running(image.unwrap_or_default())
    {
        let body = json!({"metadata": {"uid": pod.uid()}, "status": status});
        drop(
            api.patch_status(&name, &PatchParams::default(), &Patch::Merge(body))
                .await,
        );
    }
}

fn running(image: &str) -> Option<Value> {
    let ready = match image.split(':').next()? {
        "good" => "True",
        "bad" => "False",
        _ => return None,
    };
    let now = SystemClock.now();
    Some(
        json!({"phase": "Running", "conditions": [{"type": "Ready", "status": ready, "lastTransitionTime": now}]}),
    )
}
