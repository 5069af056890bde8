//! One API server and one StatefulSet controller for all tests of this file, one test at a time: a PetSet controller acts on all
//! namespaces.

use std::{future::Future, time::Duration};

use cluster::apiserver::ApiServer;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{
    Api, Client, Config,
    api::PostParams,
    config::{KubeConfigOptions, Kubeconfig},
    runtime::wait::{await_condition, conditions::is_crd_established},
};
use tokio::{
    sync::{Mutex, MutexGuard, OnceCell},
    time::{Instant, sleep, timeout},
};

/// Far above what anything here takes on a busy machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// The one that is compared with, and those whose work both count on: claims stay while a pod uses them, and go with
/// their owners.
const CONTROLLERS: [&str; 3] = [
    "statefulset-controller",
    "persistentvolumeclaim-protection-controller",
    "garbage-collector-controller",
];

static SERVER: OnceCell<ApiServer> = OnceCell::const_new();
static TURN: Mutex<()> = Mutex::const_new(());

/// A client of the server, and the turn of the test that holds it.
pub(crate) async fn turn() -> (Client, MutexGuard<'static, ()>) {
    let turn = TURN.lock().await;
    let server = SERVER.get_or_init(start).await;
    (connect(server).await, turn)
}

async fn connect(server: &ApiServer) -> Client {
    let file = Kubeconfig::read_from(server.kubeconfig()).unwrap();
    let config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default())
        .await
        .unwrap();
    Client::try_from(config).unwrap()
}

async fn start() -> ApiServer {
    let mut server = tokio::task::spawn_blocking(|| cluster::apiserver::start().unwrap())
        .await
        .unwrap();
    let client = connect(&server).await;
    let crds: Api<CustomResourceDefinition> = Api::all(client);
    for (name, crd) in api::crds::all().unwrap() {
        let crd: CustomResourceDefinition = serde_json::from_value(crd).unwrap();
        let crd = crds
            .create(&PostParams::default(), &crd)
            .await
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        let name = crd.metadata.name.unwrap();
        let established = await_condition(crds.clone(), &name, is_crd_established());
        timeout(DEADLINE, established)
            .await
            .expect("established in time")
            .unwrap();
    }
    // After the definitions: the garbage collector looks for new ones only now and then.
    server.start_controllers(&CONTROLLERS).unwrap();
    server
}

/// Asks until the answer is there.
pub(crate) async fn until<T, F: Future<Output = Option<T>>>(what: &str, ask: impl Fn() -> F) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(start.elapsed() < DEADLINE, "not seen in time: {what}");
        sleep(Duration::from_millis(20)).await;
    }
}
