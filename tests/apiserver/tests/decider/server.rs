//! The API server that the tests of this file share, and how they speak to it.

use std::time::Duration;

use cluster::apiserver::ApiServer;
use control::client::{ClientArgs, connect};
use kube::Client;
use prometheus_client::registry::Registry;
use runtime::build;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

/// Enough on a busy machine; an idle one needs a second or two.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

pub(crate) async fn start() -> ApiServer {
    let server = tokio::task::spawn_blocking(cluster::apiserver::start)
        .await
        .unwrap()
        .unwrap();
    let client = client(&server, &mut build::registry("test")).await;
    for (name, mut crd) in api::crds::all().unwrap() {
        if name.contains("postgresautoscalers") {
            open(&mut crd);
        }
        send(
            &client,
            "POST",
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
            &crd,
        )
        .await;
    }
    for (group, plural) in [
        ("autoscaling.kubedb.com/v1alpha1", "postgresautoscalers"),
        ("ops.kubedb.com/v1alpha1", "postgresopsrequests"),
        ("kubedb.com/v1", "postgreses"),
    ] {
        until(plural, async || {
            try_get(&client, &format!("/apis/{group}/{plural}"))
                .await
                .is_some()
        })
        .await;
    }
    send(
        &client,
        "POST",
        "/apis/storage.k8s.io/v1/storageclasses",
        &json!({"metadata": {"name": "fast"}, "provisioner": "loop.test", "allowVolumeExpansion": true}),
    )
    .await;
    send(
        &client,
        "POST",
        "/apis/storage.k8s.io/v1/storageclasses",
        &json!({"metadata": {"name": "fixed"}, "provisioner": "loop.test"}),
    )
    .await;
    server
}

/// Takes the checks of the spec out of a definition: KubeDB's has none, and a later one may hold anything.
fn open(crd: &mut Value) {
    for version in crd["spec"]["versions"].as_array_mut().unwrap() {
        version["schema"]["openAPIV3Schema"]["properties"]["spec"] =
            json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    }
}

pub(crate) async fn client(server: &ApiServer, registry: &mut Registry) -> Client {
    let args = ClientArgs {
        kubeconfig: Some(server.kubeconfig().to_owned()),
        api_connect_timeout: Duration::from_secs(5),
        api_read_timeout: Duration::from_secs(30),
    };
    connect(&args, "decider", registry).await.unwrap()
}

/// Sends an object, and fails with what the server says when it refuses.
pub(crate) async fn send(client: &Client, method: &str, path: &str, body: &Value) -> Value {
    try_send(client, method, path, body)
        .await
        .unwrap_or_else(|error| panic!("{method} {path}: {error:?}"))
}

/// Sends an object.
pub(crate) async fn try_send(
    client: &Client,
    method: &str,
    path: &str,
    body: &Value,
) -> Result<Value, kube::Error> {
    let kind = if method == "PATCH" {
        "application/merge-patch+json"
    } else {
        "application/json"
    };
    let request = http::Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", kind)
        .body(serde_json::to_vec(body).unwrap())
        .unwrap();
    client.request::<Value>(request).await
}

/// Reads an object that must be there.
pub(crate) async fn get(client: &Client, path: &str) -> Value {
    try_get(client, path)
        .await
        .unwrap_or_else(|| panic!("{path} is not there"))
}

/// Reads an object.
pub(crate) async fn try_get(client: &Client, path: &str) -> Option<Value> {
    let request = http::Request::get(path).body(Vec::new()).unwrap();
    client.request::<Value>(request).await.ok()
}

/// Waits until `true`; fails with `what` after [`DEADLINE`].
pub(crate) async fn until(what: &str, mut check: impl AsyncFnMut() -> bool) -> Duration {
    let begun = Instant::now();
    while !check().await {
        assert!(begun.elapsed() < DEADLINE, "not within {DEADLINE:?}: {what}");
        sleep(Duration::from_millis(20)).await;
    }
    begun.elapsed()
}
