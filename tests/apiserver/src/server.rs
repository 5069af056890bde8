//! One API server with our definitions, for all tests of a file.

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
const DEADLINE: Duration = Duration::from_secs(60);

/// A client of the server, as its administrator.
async fn connect(server: &ApiServer) -> Client {
    let file = Kubeconfig::read_from(server.kubeconfig()).unwrap();
    let config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default())
        .await
        .unwrap();
    Client::try_from(config).unwrap()
}

/// One server for all tests of a file, one test at a time: a controller acts on all namespaces.
pub struct Shared {
    controllers: &'static [&'static str],
    server: OnceCell<ApiServer>,
    turn: Mutex<()>,
}

impl Shared {
    /// A server that the first test will start, with these of Kubernetes' own controllers.
    #[must_use]
    pub const fn new(controllers: &'static [&'static str]) -> Self {
        Self {
            controllers,
            server: OnceCell::const_new(),
            turn: Mutex::const_new(()),
        }
    }

    /// A client of the server, and the turn of the test that holds it.
    ///
    /// # Panics
    /// When the server does not come up.
    pub async fn turn(&self) -> (Client, MutexGuard<'_, ()>) {
        let turn = self.turn.lock().await;
        let server = self
            .server
            .get_or_init(async || start(self.controllers).await)
            .await;
        (connect(server).await, turn)
    }
}

/// Starts a server, its definitions established.
async fn start(controllers: &[&str]) -> ApiServer {
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
    if !controllers.is_empty() {
        server.start_controllers(controllers).unwrap();
    }
    server
}

/// Asks until the answer is there.
///
/// # Panics
/// When it is not within a minute.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, ask: impl Fn() -> F) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(start.elapsed() < DEADLINE, "not seen in time: {what}");
        sleep(Duration::from_millis(20)).await;
    }
}
