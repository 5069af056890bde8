//! The admin port over a real socket.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{net::SocketAddr, time::Duration};

use runtime::{admin::Admin, build, readiness::Readiness, watchdog::Watchdogs};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

/// Status code and body of one GET.
async fn get(addr: SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let code = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (code, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
}

#[tokio::test]
async fn probes_name_what_is_missing_and_metrics_are_there() {
    let stopping = CancellationToken::new();
    let last = CancellationToken::new();
    let readiness = Readiness::new(stopping.clone());
    let watchdogs = Watchdogs::default();
    let admin = Admin {
        readiness: readiness.clone(),
        watchdogs: watchdogs.clone(),
        registry: build::registry("agent"),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(admin.serve_on(listener, last.clone()));

    let gate = readiness.gate("watching Pods");
    assert_eq!(
        get(addr, "/ready").await,
        (503, "watching Pods: not yet\n".to_owned())
    );
    assert_eq!(get(addr, "/live").await, (200, "ok\n".to_owned()));
    gate.open();
    assert_eq!(get(addr, "/ready").await, (200, "ok\n".to_owned()));

    let dog = watchdogs.expect("sweeper", Duration::ZERO);
    let (code, body) = get(addr, "/live").await;
    assert_eq!(code, 503);
    assert!(body.starts_with("sweeper: silent for "), "{body}");
    dog.beat();

    let (code, body) = get(addr, "/metrics").await;
    assert_eq!(code, 200);
    assert!(body.contains("highwater_agent_build_info"), "{body}");
    assert_eq!(get(addr, "/elsewhere").await.0, 404);

    stopping.cancel();
    assert_eq!(get(addr, "/ready").await, (503, "shutting down\n".to_owned()));
    last.cancel();
    tasks.join_next().await.unwrap().unwrap().unwrap();
    assert!(TcpStream::connect(addr).await.is_err());
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = taken.local_addr().unwrap();
    let token = CancellationToken::new();
    let registry = build::registry("agent");
    let readiness = Readiness::new(token.clone());
    let error = runtime::admin::serve(addr, readiness, registry, token)
        .await
        .unwrap_err();
    assert!(error.to_string().contains(&addr.to_string()), "{error}");
}
