//! The client against a server that refuses, hangs and relents.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use control::{
    client::{ClientArgs, ConnectError, connect},
    retry::{RetryClass, classify},
};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Api, Client};
use prometheus_client::{encoding::text::encode, registry::Registry};
use runtime::build;
use tokio::{net::TcpListener, task::JoinSet};

const MAP: &str = r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"k":"v"}}"#;

/// A client, what it counts, how many requests came, and the task of the server.
struct Bench {
    client: Client,
    registry: Registry,
    requests: Arc<AtomicUsize>,
    _server: JoinSet<()>,
}

impl Bench {
    /// A server that answers the n-th request, from 0, by `answer`; none is no answer at all.
    async fn start(answer: fn(usize, &HeaderMap) -> Option<Response>) -> Self {
        let requests = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&requests);
        let routes = Router::new().fallback(move |headers: HeaderMap| {
            let number = count.fetch_add(1, Ordering::SeqCst);
            async move {
                match answer(number, &headers) {
                    Some(answer) => answer,
                    None => pending().await,
                }
            }
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = format!("http://{}", listener.local_addr().unwrap());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, routes).await.unwrap() });

        let folder = tempfile::tempdir().unwrap();
        let kubeconfig = folder.path().join("kubeconfig");
        std::fs::write(
            &kubeconfig,
            format!(
                r#"{{"clusters": [{{"name": "x", "cluster": {{"server": "{server}"}}}}], "users": [],
                "contexts": [{{"name": "x", "context": {{"cluster": "x"}}}}], "current-context": "x"}}"#
            ),
        )
        .unwrap();
        let args = ClientArgs {
            kubeconfig: Some(kubeconfig),
            api_connect_timeout: Duration::from_secs(1),
            api_read_timeout: Duration::from_secs(1),
        };
        let mut registry = build::registry("decider");
        let client = connect(&args, "decider", &mut registry).await.unwrap();
        Self {
            client,
            registry,
            requests,
            _server: tasks,
        }
    }

    async fn get(&self) -> Result<ConfigMap, kube::Error> {
        Api::<ConfigMap>::namespaced(self.client.clone(), "demo")
            .get("a")
            .await
    }

    fn counted(&self, code: &str) -> bool {
        let mut text = String::new();
        encode(&mut text, &self.registry).unwrap();
        let name = "highwater_decider_api_requests_total";
        let labels = format!(r#"{{verb="get",resource="configmaps",code="{code}"}}"#);
        text.lines()
            .any(|line| line.starts_with(&format!("{name}{labels} ")))
    }
}

#[tokio::test]
async fn waits_as_long_as_the_server_asks_and_tries_again() {
    let bench = Bench::start(|number, _| {
        Some(if number == 0 {
            (StatusCode::TOO_MANY_REQUESTS, [("Retry-After", "1")], "{}").into_response()
        } else {
            MAP.into_response()
        })
    })
    .await;
    let begun = Instant::now();
    let map = bench.get().await.unwrap();
    assert_eq!(map.data.unwrap()["k"], "v");
    assert!(begun.elapsed() >= Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_eq!(bench.requests.load(Ordering::SeqCst), 2);
    assert!(bench.counted("429") && bench.counted("200"));
}

#[tokio::test]
async fn gives_up_after_three_repetitions() {
    let bench = Bench::start(|_, _| Some((StatusCode::SERVICE_UNAVAILABLE, "{}").into_response())).await;
    let error = bench.get().await.unwrap_err();
    assert_eq!(classify(&error), RetryClass::Transient, "{error:?}");
    assert_eq!(bench.requests.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn does_not_wait_for_a_server_that_says_nothing() {
    let bench = Bench::start(|_, _| None).await;
    let begun = Instant::now();
    let error = bench.get().await.unwrap_err();
    assert_eq!(classify(&error), RetryClass::Transient, "{error:?}");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert!(bench.counted("none"));
}

#[tokio::test]
async fn says_who_it_is() {
    let bench = Bench::start(|_, headers| {
        let agent = headers.get("user-agent")?.to_str().ok()?;
        (agent == format!("highwater-decider/{}", build::VERSION)).then(|| MAP.into_response())
    })
    .await;
    bench.get().await.unwrap();
}

#[tokio::test]
async fn a_missing_kubeconfig_is_named() {
    let args = ClientArgs {
        kubeconfig: Some("/nonexistent/kubeconfig".into()),
        api_connect_timeout: Duration::from_secs(1),
        api_read_timeout: Duration::from_secs(1),
    };
    let error = connect(&args, "decider", &mut build::registry("decider"))
        .await
        .err()
        .unwrap();
    assert!(matches!(error, ConnectError::Kubeconfig(..)), "{error}");
    assert!(error.to_string().contains("/nonexistent/kubeconfig"), "{error}");
}
