//! The client against a server that answers, refuses, hangs and babbles as a test says.

#![allow(clippy::unwrap_used, reason = "a test may fail at any line")]

use std::{net::SocketAddr, time::Duration};

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, Method, StatusCode, Uri},
};
use database::patroni::{Credentials, Error, Patroni};
use serde_json::{Value, json};
use tokio::{
    io::AsyncReadExt as _,
    net::TcpListener,
    task::{JoinSet, yield_now},
};

/// Long enough for a busy machine, where an answer is expected.
const PATIENT: Duration = Duration::from_secs(20);
/// Where none is.
const SHORT: Duration = Duration::from_millis(200);

fn credentials() -> Credentials {
    Credentials {
        username: "admin".into(),
        password: "s3:cret".into(),
    }
}

/// Serves until the set is dropped.
async fn serving(router: Router) -> (SocketAddr, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let mut server = JoinSet::new();
    server.spawn(async move { axum::serve(listener, router).await.unwrap() });
    (addr, server)
}

fn answering(status: u16, body: &'static str) -> Router {
    Router::new().fallback(move || async move { (StatusCode::from_u16(status).unwrap(), body) })
}

#[tokio::test]
async fn reads_go_without_credentials() {
    let router = Router::new().fallback(|method: Method, uri: Uri, headers: HeaderMap| async move {
        assert!(headers.get("authorization").is_none());
        match (method, uri.path()) {
            (Method::GET, "/cluster") => {
                json!({"members": [{"name": "db-0", "role": "leader", "state": "running"}]})
            }
            (Method::GET, "/patroni") => {
                json!({"state": "running", "role": "primary", "xlog": {"location": 5}})
            }
            (Method::GET, "/config") => json!({"ttl": 20}),
            _ => Value::Null,
        }
        .to_string()
    });
    let (addr, _server) = serving(router).await;
    let patroni = Patroni::new(PATIENT);
    assert!(patroni.cluster(addr).await.unwrap().leader().is_some());
    assert_eq!(patroni.member(addr).await.unwrap().furthest().unwrap().0, 5);
    assert_eq!(patroni.config(addr).await.unwrap(), json!({"ttl": 20}));
}

#[tokio::test]
async fn changes_carry_credentials_and_a_body() {
    let router = Router::new().fallback(
        |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| async move {
            // admin:s3:cret
            if headers
                .get("authorization")
                .is_none_or(|value| value != "Basic YWRtaW46czM6Y3JldA==")
            {
                return (StatusCode::UNAUTHORIZED, "not authenticated".to_owned());
            }
            let said: Value = serde_json::from_slice(&body).unwrap();
            let text = match (method, uri.path()) {
                (Method::PATCH, "/config") => said.to_string(),
                (Method::POST, "/switchover") => format!("{} to {}", said["leader"], said["candidate"]),
                _ => return (StatusCode::NOT_IMPLEMENTED, String::new()),
            };
            (StatusCode::OK, text)
        },
    );
    let (addr, _server) = serving(router).await;
    let patroni = Patroni::new(PATIENT);
    let patch = json!({"member_slots_ttl": 0});
    assert_eq!(
        patroni.patch_config(addr, &credentials(), &patch).await.unwrap(),
        patch
    );
    let moved = patroni
        .switchover(addr, &credentials(), "db-0", Some("db-1"))
        .await;
    assert_eq!(moved.unwrap(), "\"db-0\" to \"db-1\"");
    let moved = patroni.switchover(addr, &credentials(), "db-0", None).await;
    assert_eq!(moved.unwrap(), "\"db-0\" to null");

    let wrong = Credentials {
        password: "else".into(),
        ..credentials()
    };
    let refused = patroni.switchover(addr, &wrong, "db-0", None).await;
    assert!(matches!(refused, Err(Error::Unauthorised(text)) if text == "not authenticated"));
}

#[tokio::test]
async fn a_refusal_keeps_patronis_words() {
    let (addr, _server) = serving(answering(412, "switchover is not possible:\n no good candidates")).await;
    let refused = Patroni::new(PATIENT)
        .switchover(addr, &credentials(), "db-0", None)
        .await;
    let Err(Error::Refused { status, text }) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(
        (status, text.as_str()),
        (412, "switchover is not possible: no good candidates")
    );
}

#[tokio::test]
async fn what_is_not_patroni_is_not_understood() {
    let (addr, _server) = serving(answering(200, "<html>It works!</html>")).await;
    let seen = Patroni::new(PATIENT).cluster(addr).await;
    assert!(matches!(seen, Err(Error::NotUnderstood(..))), "{seen:?}");
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let router = Router::new().fallback(|| async { "x".repeat(2 * 1024 * 1024) });
    let (addr, _server) = serving(router).await;
    let seen = Patroni::new(PATIENT).config(addr).await;
    assert!(matches!(seen, Err(Error::NotUnderstood(..))), "{seen:?}");
}

#[tokio::test]
async fn nobody_there() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    drop(listener);
    let seen = Patroni::new(PATIENT).cluster(addr).await;
    assert!(matches!(seen, Err(Error::Unreachable(..))), "{seen:?}");
}

#[tokio::test]
async fn one_that_hangs_up_is_unreachable_and_one_that_hangs_times_out() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let mut server = JoinSet::new();
    server.spawn(async move {
        let (mut first, _) = listener.accept().await.unwrap();
        first.read_u8().await.unwrap();
        drop(first);
        let (second, _) = listener.accept().await.unwrap();
        loop {
            yield_now().await;
            second.readable().await.unwrap();
            let mut heard = [0; 512];
            if second.try_read(&mut heard).is_ok_and(|heard| heard == 0) {
                return; // the client has closed: it gave up
            }
        }
    });
    let seen = Patroni::new(PATIENT).cluster(addr).await;
    assert!(matches!(seen, Err(Error::Unreachable(..))), "{seen:?}");
    let seen = Patroni::new(SHORT).cluster(addr).await;
    assert!(matches!(seen, Err(Error::TimedOut(..))), "{seen:?}");
    server.join_next().await.unwrap().unwrap();
}
