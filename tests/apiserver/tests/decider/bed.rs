//! One API server for all tests of this file, one test at a time on it, and deciders in the test's own process.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use cluster::apiserver::ApiServer;
use control::{
    events::Events,
    leader::{Leader, LeaseArgs, Timing},
    watch::{Watches, Words},
    write::Fenced,
};
use decider::{
    args::OperatingMode,
    controller::{Context, Decide, Parts},
    ingest::{AsSaid, Ingest},
    metrics::Metrics,
    objects::Objects,
    store::Store,
};
use kube::Client;
use prometheus_client::{encoding::text::encode, registry::Registry};
use runtime::{build, clock::SystemClock, readiness::Readiness, tasks::Tasks};
use serde_json::json;
use tokio::{
    net::TcpListener,
    sync::{Mutex, MutexGuard, OnceCell},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use crate::server::{client, get, send, start};

static SERVER: OnceCell<ApiServer> = OnceCell::const_new();
/// A decider sees the whole server, so tests take turns.
static TURN: Mutex<()> = Mutex::const_new(());

/// The server, for one test.
pub(crate) struct Bed {
    pub(crate) client: Client,
    _turn: MutexGuard<'static, ()>,
}

/// A decider: everything of `decider::run` but flags, election and signals.
pub(crate) struct Decider {
    pub(crate) address: SocketAddr,
    registry: Registry,
    stop: CancellationToken,
    running: JoinHandle<anyhow::Result<()>>,
}

/// How a decider differs from the ordinary one.
pub(crate) struct How {
    pub(crate) leads: bool,
    pub(crate) stale_after: Duration,
    /// None as a rule: agents speak when a test has them speak.
    pub(crate) grace: Duration,
    pub(crate) decide: Decide,
}

impl Default for How {
    fn default() -> Self {
        Self {
            leads: true,
            stale_after: Duration::from_secs(10),
            grace: Duration::ZERO,
            decide: decider_core::decide,
        }
    }
}

impl Bed {
    /// Waits for the turn, and clears away what the test before has left.
    pub(crate) async fn new() -> Self {
        let turn = TURN.lock().await;
        let server = SERVER.get_or_init(start).await;
        let client = client(server, &mut build::registry("test")).await;
        for (group, plural) in [
            ("autoscaling.kubedb.com/v1alpha1", "postgresautoscalers"),
            ("ops.kubedb.com/v1alpha1", "postgresopsrequests"),
        ] {
            let list = get(&client, &format!("/apis/{group}/{plural}")).await;
            for item in list["items"].as_array().unwrap() {
                let (ns, name) = (&item["metadata"]["namespace"], &item["metadata"]["name"]);
                let path = format!(
                    "/apis/{group}/namespaces/{}/{plural}/{}",
                    ns.as_str().unwrap(),
                    name.as_str().unwrap()
                );
                send(&client, "DELETE", &path, &json!({})).await;
            }
        }
        for path in [
            "/apis/highwater.dev/v1alpha1/storageprofiles",
            "/apis/coordination.k8s.io/v1/namespaces/default/leases",
        ] {
            for item in get(&client, path).await["items"].as_array().unwrap() {
                let name = item["metadata"]["name"].as_str().unwrap();
                send(&client, "DELETE", &format!("{path}/{name}"), &json!({})).await;
            }
        }
        Self { client, _turn: turn }
    }

    /// A decider that leads.
    pub(crate) async fn decider(&self) -> Decider {
        self.decider_with(How::default()).await
    }

    /// A decider, running when this returns.
    pub(crate) async fn decider_with(&self, how: How) -> Decider {
        let How {
            leads,
            stale_after,
            grace,
            decide,
        } = how;
        let mut registry = build::registry("decider");
        let metrics = Metrics::register(&mut registry);
        let client = client(SERVER.get().unwrap(), &mut registry).await;
        let mut tasks = Tasks::new();
        let (stop, told) = (tasks.token(), CancellationToken::new());
        let tell = told.clone();
        let store = Arc::new(Store::default());
        let clock = Arc::new(SystemClock);
        let ingest = Ingest::new(
            Arc::clone(&store),
            AsSaid,
            clock.clone(),
            metrics.clone(),
            stop.clone(),
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tasks.spawn("ingest", async move { Ok(ingest.serve(listener).await?) });
        let readiness = Readiness::new(stop.clone());
        let watches = Watches::new(client.clone(), &readiness, &mut registry, stop.clone());
        let objects = Objects::watch(&watches, &Words::default(), &mut tasks);
        let (events, task) = Events::new(
            client.clone(),
            "decider",
            "decider-0",
            SystemClock,
            &mut registry,
            stop.clone(),
        );
        tasks.spawn("events", task);
        let context = Context::new(Parts {
            objects: objects.clone(),
            store,
            clock,
            decide,
            stale_after,
            grace,
            mode: OperatingMode::Standalone,
            writes: Fenced::new(
                client.clone(),
                leader(leads, &client),
                api::names::MANAGER_DECIDER,
            ),
            client,
            events,
            metrics,
        });
        tasks.spawn("controller", context.run(stop.clone()));
        // The first call waits for the test's word; a later one would be a second signal.
        let mut told = Some(told);
        let running = tokio::task::JoinSet::from_iter([tasks.run_until(async move || {
            match told.take() {
                Some(told) => told.cancelled().await,
                None => std::future::pending().await,
            }
            "the test"
        })]);
        objects.synced().await;
        Decider {
            address,
            registry,
            stop: tell,
            running: watch(running),
        }
    }
}

/// A task of its own for the process's tasks.
#[expect(clippy::disallowed_methods, reason = "a process in a test's process")]
fn watch(mut set: tokio::task::JoinSet<anyhow::Result<()>>) -> JoinHandle<anyhow::Result<()>> {
    tokio::spawn(async move { set.join_next().await.unwrap().unwrap() })
}

/// A leader without election, or a candidate whose election never begins.
fn leader(leads: bool, client: &Client) -> Leader {
    if leads {
        return Leader::alone();
    }
    let lease = LeaseArgs {
        namespace: "default".into(),
        name: "never".into(),
        pod_name: "never".into(),
        timing: Timing::default(),
    };
    let (leader, _election) = Leader::candidate(
        client.clone(),
        lease,
        SystemClock,
        &mut Registry::default(),
        CancellationToken::new(),
    );
    leader
}

impl Decider {
    /// The sum of all samples of a metric whose labels contain `label`.
    pub(crate) fn metric(&self, name: &str, label: &str) -> f64 {
        let mut text = String::new();
        encode(&mut text, &self.registry).unwrap();
        let lines = text
            .lines()
            .filter(|line| line.starts_with(name) && line.contains(label));
        lines
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum()
    }

    /// Requests to the API server that change something.
    pub(crate) fn writes(&self) -> f64 {
        let all = self.metric("highwater_decider_api_requests_total", "");
        let reads = ["get", "list", "watch"].map(|verb| {
            self.metric(
                "highwater_decider_api_requests_total",
                &format!("verb=\"{verb}\""),
            )
        });
        all - reads.iter().sum::<f64>()
    }

    /// Ends it as a signal would.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.running.await.unwrap().unwrap();
    }
}
