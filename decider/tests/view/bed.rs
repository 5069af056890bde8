//! A decider that follows, with objects of the test's making, and its view on a free port.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use api::join;
use control::{
    events::Events,
    leader::{Leader, LeaseArgs, Timing},
    watch::Key,
    write::Fenced,
};
use decider::{
    args::OperatingMode,
    controller::{Context, Decide, Parts},
    metrics::Metrics,
    objects::{Autoscaler, Claim, Class, Objects, PodClaims, Postgres, Volume},
    store::Store,
    view::View,
};
use decider_core::PolicySpec;
use kube::{Client, Config};
use prometheus_client::registry::Registry;
use runtime::clock::ManualClock;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;
use units::Bytes;

pub(crate) struct Bed {
    pub(crate) objects: Objects,
    address: SocketAddr,
    context: Arc<Context>,
    stop: CancellationToken,
    tasks: JoinSet<anyhow::Result<()>>,
}

impl Bed {
    /// A decider that decides so; nothing is synced yet.
    pub(crate) async fn new(decide: Decide) -> Self {
        let nobody = Config::new("http://127.0.0.1:9".parse().unwrap());
        let client = Client::try_from(nobody).unwrap();
        let (mut registry, stop) = (Registry::default(), CancellationToken::new());
        let clock = ManualClock::new("2026-11-21T12:00:00Z".parse().unwrap());
        let (events, _sender) = Events::new(
            client.clone(),
            "decider",
            "decider-1",
            clock.clone(),
            &mut registry,
            stop.clone(),
        );
        let lease = LeaseArgs {
            namespace: "default".into(),
            name: "never".into(),
            pod_name: "never".into(),
            timing: Timing::default(),
        };
        let (follower, _election) =
            Leader::candidate(client.clone(), lease, clock.clone(), &mut registry, stop.clone());
        let objects = Objects::default();
        let context = Context::new(Parts {
            objects: objects.clone(),
            store: Arc::new(Store::default()),
            clock: Arc::new(clock),
            decide,
            stale_after: Duration::from_secs(10),
            grace: Duration::ZERO,
            mode: OperatingMode::Standalone,
            writes: Fenced::new(client.clone(), follower, "test"),
            client,
            events,
            metrics: Metrics::register(&mut registry),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(View::new(Arc::clone(&context), "decider-1".into()).serve(listener, stop.clone()));
        Self {
            objects,
            address,
            context,
            stop,
            tasks,
        }
    }

    /// Has the decider take in what there is.
    pub(crate) async fn start(&mut self) {
        let Objects {
            autoscalers,
            postgreses,
            sets,
            requests,
            claims,
            volumes,
            pods,
            classes,
            profiles,
            resizers: _,
            quotas,
            limits,
        } = &self.objects;
        autoscalers.set_synced();
        postgreses.set_synced();
        sets.set_synced();
        requests.set_synced();
        claims.set_synced();
        volumes.set_synced();
        pods.set_synced();
        classes.set_synced();
        profiles.set_synced();
        quotas.set_synced();
        limits.set_synced();
        self.tasks.spawn(Arc::clone(&self.context).run(self.stop.clone()));
        while !self.context.is_filled() {
            tokio::task::yield_now().await;
        }
    }

    /// A Postgres with one bound claim of a GiB, and its autoscaler `<name>-as`.
    pub(crate) fn database(&self, namespace: &str, name: &str) {
        self.database_that_retains(namespace, name, None);
    }

    /// The same, whose condition WALRetained says this.
    pub(crate) fn database_that_retains(&self, namespace: &str, name: &str, wal: Option<&str>) {
        let (set, claim, pv) = (
            Key::new(namespace, name),
            format!("data-{name}-0"),
            format!("pv-{name}"),
        );
        let o = &self.objects;
        o.postgreses.put(
            set.clone(),
            Postgres {
                database: join::Database {
                    namespace: namespace.into(),
                    name: name.into(),
                    uid: format!("uid-{name}").into(),
                },
                deleting: false,
                size: Some(Bytes::GIB),
                wal_retained: wal.map(str::to_owned),
            },
        );
        o.claims.put(
            Key::new(namespace, &claim),
            Claim {
                uid: format!("uid-{claim}").into(),
                volume: pv.as_str().into(),
                bound: true,
                class: "fast".into(),
                request: Bytes::GIB,
                capacity: Bytes::GIB,
                ..Claim::default()
            },
        );
        o.volumes.put(
            Key::new("", &pv),
            Volume {
                claim: Key::new(namespace, &claim),
                claim_uid: decider::Uid::default(),
                capacity: Bytes::GIB,
            },
        );
        o.pods.put(
            Key::new(namespace, &format!("{name}-0")),
            PodClaims {
                uid: "pod".into(),
                node: "node-1".into(),
                ended: false,
                claims: [claim.into()].into(),
            },
        );
        o.classes.put(
            Key::new("", "fast"),
            Class {
                expandable: true,
                provisioner: "loop.test".into(),
            },
        );
        o.autoscalers.put(
            Key::new(namespace, &format!("{name}-as")),
            Autoscaler {
                uid: format!("uid-as-{name}").into(),
                database: name.into(),
                policy: PolicySpec {
                    trigger: Some("On".into()),
                    ..PolicySpec::default()
                }
                .into(),
                ..Autoscaler::default()
            },
        );
    }

    /// Asks; answers with code and content.
    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        let text = self
            .send(&format!(
                "GET {path} HTTP/1.1\r\nHost: view\r\nConnection: close\r\n\r\n"
            ))
            .await;
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let code = head.split(' ').nth(1).unwrap().parse().unwrap();
        (code, serde_json::from_str(body).unwrap_or_default())
    }

    /// Sends any bytes, and gives all that comes back.
    pub(crate) async fn send(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        text
    }

    /// Ends it; what ran must have ended well.
    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap().unwrap();
        }
    }
}
