//! One API server for all tests of this file, and a namespace for each.

use std::{path::PathBuf, time::Duration};

use cluster::apiserver::ApiServer;
use control::client::{ClientArgs, connect};
use k8s_openapi::api::core::v1::Namespace;
use kube::{Api, Client, api::PostParams, config::Kubeconfig, core::ObjectMeta};
use runtime::build;
use tempfile::TempDir;
use tokio::{
    sync::OnceCell,
    time::{Instant, sleep},
};

use crate::proxy::Proxy;

/// Enough on a busy machine; an idle one needs a second or two.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

static SERVER: OnceCell<ApiServer> = OnceCell::const_new();

async fn server() -> &'static ApiServer {
    let start = async || {
        tokio::task::spawn_blocking(cluster::apiserver::start)
            .await
            .unwrap()
            .unwrap()
    };
    SERVER.get_or_init(start).await
}

/// A client of the server, made for the runtime of the test that asks.
pub(crate) async fn client() -> Client {
    client_of(server().await.kubeconfig().to_owned()).await
}

async fn client_of(kubeconfig: PathBuf) -> Client {
    let args = ClientArgs {
        kubeconfig: Some(kubeconfig),
        api_connect_timeout: Duration::from_secs(5),
        api_read_timeout: Duration::from_secs(30),
    };
    connect(&args, "test", &mut build::registry("test"))
        .await
        .unwrap()
}

/// A client whose connection to the server can be cut.
pub(crate) async fn client_through_proxy() -> (Client, Proxy, TempDir) {
    let mut file = Kubeconfig::read_from(server().await.kubeconfig()).unwrap();
    let address = file.clusters[0]
        .cluster
        .as_mut()
        .unwrap()
        .server
        .as_mut()
        .unwrap();
    let proxy = Proxy::start(address.trim_start_matches("https://").to_owned()).await;
    *address = format!("https://{}", proxy.address());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kubeconfig");
    std::fs::write(&path, serde_json::to_vec(&file).unwrap()).unwrap();
    (client_of(path).await, proxy, folder)
}

/// Makes a namespace of this name.
pub(crate) async fn namespace(client: &Client, name: &str) -> String {
    let metadata = ObjectMeta {
        name: Some(name.to_owned()),
        ..ObjectMeta::default()
    };
    let namespace = Namespace {
        metadata,
        ..Namespace::default()
    };
    Api::all(client.clone())
        .create(&PostParams::default(), &namespace)
        .await
        .unwrap();
    name.to_owned()
}

/// Waits until `true`, and says for how long; fails with `what` after [`DEADLINE`].
pub(crate) async fn until(what: &str, mut check: impl AsyncFnMut() -> bool) -> Duration {
    let begun = Instant::now();
    while !check().await {
        assert!(begun.elapsed() < DEADLINE, "not within {DEADLINE:?}: {what}");
        sleep(Duration::from_millis(20)).await;
    }
    begun.elapsed()
}
