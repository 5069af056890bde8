//! The program itself, against an API server of the test's making whose service proxy leads to a view.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use std::{fs, net::SocketAddr, path::Path, process::Command};

use axum::{Json, Router, extract::RawQuery, http::StatusCode, routing::get};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinSet};

const PROXY: &str = "/api/v1/namespaces/highwater/services/highwater-view/proxy/v1";

const SECRET: &str = "/api/v1/namespaces/secret/services/highwater-view/proxy/v1";

/// What the program did: exit code, standard output, standard error.
type Ended = (i32, String, String);

fn database(name: &str) -> Value {
    json!({
        "namespace": "demo", "name": name, "autoscaler": format!("{name}-as"), "canGrow": true,
        "decision": {"at": "2026-11-21T12:00:00Z", "reason": "BelowThreshold", "text": "52% used", "remedy": ""},
        "volumes": [{"claim": format!("data-{name}-0"), "storageClass": "fast", "request": 1, "size": 1 << 30, "reason": "BelowThreshold",
                     "text": "52% used", "sampledAt": "2026-11-21T12:00:00Z",
                     "usage": {"capacity": 1 << 30, "available": 1 << 29, "used": 1 << 29, "percent": 50}}],
    })
}

fn answer(databases: &[Value], next: Option<&str>) -> Value {
    json!({
        "replica": {"name": "highwater-decider-0", "leads": false, "version": "0.1.0", "at": "2026-11-21T12:00:00Z"},
        "databases": databases, "next": next,
    })
}

/// Two pages of databases; one of them by name; all others are refused.
async fn page(RawQuery(query): RawQuery) -> Json<Value> {
    let second = query.is_some_and(|q| q.contains("after=demo/shop-as"));
    Json(if second {
        answer(&[database("wiki")], None)
    } else {
        answer(&[database("shop")], Some("demo/shop-as"))
    })
}

fn refusal(code: u16, reason: &str, details: &Value) -> (StatusCode, Json<Value>) {
    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason,
                        "message": format!("refused: {reason}"), "details": details});
    (StatusCode::from_u16(code).unwrap(), Json(status))
}

/// An API server for as long as the set lives.
async fn server(tasks: &mut JoinSet<()>) -> SocketAddr {
    let shop = || async { Json(answer(&[database("shop")], None)) };
    let none = || async { refusal(404, "NotFound", &json!({})) };
    let forbidden = || async { refusal(403, "Forbidden", &json!({})) };
    let missing = || async {
        refusal(
            404,
            "NotFound",
            &json!({"kind": "services", "name": "highwater-view"}),
        )
    };
    let routes = Router::new()
        .route(&format!("{PROXY}/databases"), get(page))
        .route(&format!("{PROXY}/databases/demo/shop"), get(shop))
        .route(&format!("{PROXY}/databases/demo/none"), get(none))
        .route(&format!("{SECRET}/databases"), get(forbidden))
        .fallback(get(missing));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tasks.spawn(async move { axum::serve(listener, routes).await.unwrap() });
    address
}

async fn run(folder: &Path, arguments: &[&str]) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-highwater"));
    command.args(arguments).env("KUBECONFIG", folder.join("config"));
    let output = tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code().unwrap(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

async fn cluster(tasks: &mut JoinSet<()>) -> TempDir {
    let address = server(tasks).await;
    let folder = TempDir::new().unwrap();
    let config = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters: [{{name: c, cluster: {{server: 'http://{address}'}}}}]\n\
         users: [{{name: u, user: {{}}}}]\ncontexts: [{{name: c, context: {{cluster: c, user: u, namespace: demo}}}}]\n"
    );
    fs::write(folder.path().join("config"), config).unwrap();
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_shown_without_colour_when_piped() {
    let mut tasks = JoinSet::new();
    let folder = cluster(&mut tasks).await;
    let (code, out, err) = run(folder.path(), &["status"]).await;
    assert_eq!(code, 0, "{err}");
    assert!(
        out.starts_with("NAMESPACE") && out.contains("shop") && out.contains("wiki"),
        "{out}"
    );
    assert!(!out.contains('\u{1b}'), "{out}");
    let (code, out, _) = run(folder.path(), &["volumes", "--output", "json"]).await;
    let rows: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &rows[1]["claim"]), (0, &"data-wiki-0".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_database_is_explained_in_words_or_whole() {
    let mut tasks = JoinSet::new();
    let folder = cluster(&mut tasks).await;
    let (code, out, err) = run(folder.path(), &["why", "shop"]).await;
    assert_eq!(code, 0, "{err}");
    assert!(
        out.starts_with("demo/shop: BelowThreshold\n"),
        "the namespace is the context's: {out}"
    );
    let (_, out, _) = run(folder.path(), &["why", "demo/shop", "-o", "json"]).await;
    let whole: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(whole["databases"][0]["decision"]["reason"], "BelowThreshold");
    assert_eq!(whole["replica"]["leads"], false);
    let (code, out, err) = run(folder.path(), &["why", "demo/shop", "-o", "yaml"]).await;
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("reason: BelowThreshold"), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn exit_codes_tell_what_is_missing() {
    let mut tasks = JoinSet::new();
    let folder = cluster(&mut tasks).await;
    for (arguments, code, words) in [
        (&["why", "none"][..], 4, "refused: NotFound"),
        (&["why", "No/Name"], 4, "not the name of anything"),
        (
            &["status", "--highwater-namespace", "secret"],
            3,
            "ClusterRole highwater-view",
        ),
        (
            &["status", "--highwater-namespace", "elsewhere"],
            3,
            "there is no Service highwater-view in namespace elsewhere",
        ),
        (&["status", "--kubeconfig", "/nowhere"], 3, "kubeconfig"),
        (&["statsu"], 2, "unrecognized subcommand"),
        (
            &["backtest", "--policy", "/nowhere", "--usage", "-"],
            5,
            "cannot read /nowhere",
        ),
    ] {
        let (ended, out, err) = run(folder.path(), arguments).await;
        assert_eq!(ended, code, "{arguments:?}: {out}{err}");
        assert!(err.contains(words), "{arguments:?}: {err}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn completions_need_no_cluster() {
    let folder = TempDir::new().unwrap();
    let (code, out, _) = run(folder.path(), &["completions", "bash"]).await;
    assert!(code == 0 && out.contains("backtest"), "{out}");
}
