//! An API server of the test's making whose service proxy leads to a view, and the program that asks it.

use std::{fs, net::SocketAddr, path::Path, process::Command};

use axum::{Json, Router, extract::RawQuery, http::StatusCode, routing::get};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinSet};

pub(crate) const PROXY: &str = "/api/v1/namespaces/highwater/services/highwater-view/proxy/v1";

const SECRET: &str = "/api/v1/namespaces/secret/services/highwater-view/proxy/v1";

/// What the program did: exit code, standard output, standard error.
pub(crate) type Ended = (i32, String, String);

pub(crate) fn database(name: &str) -> Value {
    json!({
        "namespace": "demo", "name": name, "autoscaler": format!("{name}-as"), "canGrow": true,
        "decision": {"at": "2026-11-21T12:00:00Z", "reason": "BelowThreshold", "text": "52% used", "remedy": ""},
        "volumes": [{"claim": format!("data-{name}-0"), "storageClass": "fast", "request": 1, "size": 1 << 30, "reason": "BelowThreshold",
                     "text": "52% used", "sampledAt": "2026-11-21T12:00:00Z",
                     "usage": {"capacity": 1 << 30, "available": 1 << 29, "used": 1 << 29, "percent": 50}}],
    })
}

pub(crate) fn answer(databases: &[Value], next: Option<&str>) -> Value {
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

/// What an API server answers.
fn routes() -> Router {
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
    Router::new()
        .route(&format!("{PROXY}/databases"), get(page))
        .route(&format!("{PROXY}/databases/demo/shop"), get(shop))
        .route(&format!("{PROXY}/databases/demo/none"), get(none))
        .route(&format!("{SECRET}/databases"), get(forbidden))
        .fallback(get(missing))
}

/// An API server for as long as the set lives.
async fn serve(tasks: &mut JoinSet<()>, routes: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tasks.spawn(async move { axum::serve(listener, routes).await.unwrap() });
    address
}

pub(crate) fn program(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-highwater"));
    command.args(arguments).env("KUBECONFIG", folder.join("config"));
    command
}

pub(crate) async fn run(folder: &Path, arguments: &[&str]) -> Ended {
    let mut command = program(folder, arguments);
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

pub(crate) async fn cluster(tasks: &mut JoinSet<()>) -> TempDir {
    cluster_of(tasks, routes()).await
}

/// A folder with the kubeconfig of an API server that answers so.
pub(crate) async fn cluster_of(tasks: &mut JoinSet<()>, routes: Router) -> TempDir {
    let address = serve(tasks, routes).await;
    let folder = TempDir::new().unwrap();
    let config = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters: [{{name: c, cluster: {{server: 'http://{address}'}}}}]\n\
         users: [{{name: u, user: {{}}}}]\ncontexts: [{{name: c, context: {{cluster: c, user: u, namespace: demo}}}}]\n"
    );
    fs::write(folder.path().join("config"), config).unwrap();
    folder
}
