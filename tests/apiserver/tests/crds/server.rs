//! One API server for all tests of this file, with the generated definitions and policies in it.

use std::time::Duration;

use cluster::apiserver::ApiServer;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{
    Api, Client, Config,
    api::PostParams,
    client::Body,
    config::{KubeConfigOptions, Kubeconfig},
    runtime::wait::{await_condition, conditions},
};
use serde_json::{Value, json};
use tokio::{sync::OnceCell, time::Instant};

/// Enough on a busy machine; an idle one needs a second.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

static SERVER: OnceCell<ApiServer> = OnceCell::const_new();

/// What the API server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: u16,
    pub(crate) body: Value,
    /// The texts of the `Warning` headers.
    pub(crate) warnings: Vec<String>,
}

impl Answer {
    pub(crate) fn is_accepted(&self) -> bool {
        (200..300).contains(&self.code)
    }

    /// The message of a refusal.
    pub(crate) fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }
}

/// A client of the server, made for the runtime of the test that asks.
pub(crate) async fn client() -> Client {
    let server = SERVER.get_or_init(start).await;
    connect(server).await
}

async fn connect(server: &ApiServer) -> Client {
    let file = Kubeconfig::read_from(server.kubeconfig()).unwrap();
    let config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default())
        .await
        .unwrap();
    Client::try_from(config).unwrap()
}

async fn start() -> ApiServer {
    let server = cluster::apiserver::start().unwrap();
    let client = connect(&server).await;
    for (name, crd) in api::crds::all().unwrap() {
        let answer = send(
            &client,
            "POST",
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
            &crd,
        )
        .await;
        assert!(answer.is_accepted(), "{name}: {}", answer.message());
        assert!(answer.warnings.is_empty(), "{name}: {:?}", answer.warnings);
    }
    for policy in api::policies::all() {
        let plural =
            format!("{}s", policy["kind"].as_str().unwrap().to_lowercase()).replace("policys", "policies");
        let path = format!("/apis/admissionregistration.k8s.io/v1/{plural}");
        let answer = send(&client, "POST", &path, &policy).await;
        assert!(
            answer.is_accepted(),
            "{}: {}",
            policy["metadata"]["name"],
            answer.message()
        );
    }
    let crds = Api::<CustomResourceDefinition>::all(client.clone());
    for (_, crd) in api::crds::all().unwrap() {
        let name = crd["metadata"]["name"].as_str().unwrap();
        let established = await_condition(crds.clone(), name, conditions::is_crd_established());
        tokio::time::timeout(DEADLINE, established)
            .await
            .expect(name)
            .unwrap();
        serves(&client, &crd).await;
    }
    let namespace = serde_json::from_value(json!({"metadata": {"name": "demo"}})).unwrap();
    let namespaces = Api::<k8s_openapi::api::core::v1::Namespace>::all(client.clone());
    namespaces
        .create(&PostParams::default(), &namespace)
        .await
        .unwrap();
    server
}

/// Established comes a moment before the API server serves the kind.
async fn serves(client: &Client, crd: &Value) {
    let text = |pointer: &str| crd.pointer(pointer).unwrap().as_str().unwrap();
    let path = format!(
        "/apis/{}/{}/{}",
        text("/spec/group"),
        text("/spec/versions/0/name"),
        text("/spec/names/plural")
    );
    let until = Instant::now() + DEADLINE;
    while send(client, "GET", &path, &Value::Null).await.code == 404 {
        assert!(Instant::now() < until, "{path} is not served");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// What `kubectl get` asks for.
pub(crate) async fn table(client: &Client, path: &str) -> Value {
    exchange(
        client,
        "GET",
        path,
        "application/json;as=Table;v=v1;g=meta.k8s.io",
        &Value::Null,
    )
    .await
    .body
}

/// One request, as it is, and its answer, whatever it is. `APPLY` is a PATCH of server-side apply.
pub(crate) async fn send(client: &Client, method: &str, path: &str, object: &Value) -> Answer {
    exchange(client, method, path, "application/json", object).await
}

async fn exchange(client: &Client, method: &str, path: &str, accept: &str, object: &Value) -> Answer {
    let body = if object.is_null() {
        Vec::new()
    } else {
        serde_json::to_vec(object).unwrap()
    };
    let kind = match method {
        "PATCH" => "application/merge-patch+json",
        "APPLY" => "application/apply-patch+yaml",
        _ => "application/json",
    };
    let method = if method == "APPLY" { "PATCH" } else { method };
    let request = http::Request::builder()
        .method(method)
        .uri(path)
        .header("Content-Type", kind)
        .header("Accept", accept)
        .body(Body::from(body))
        .unwrap();
    let response = client.send(request).await.unwrap();
    let code = response.status().as_u16();
    let warnings = response
        .headers()
        .get_all("Warning")
        .iter()
        .map(|value| text_of(value.to_str().unwrap()))
        .collect();
    let bytes = response.into_body().collect_bytes().await.unwrap();
    Answer {
        code,
        body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        warnings,
    }
}

/// The text in `299 - "text"`.
fn text_of(header: &str) -> String {
    let quoted = header.split_once('"').map_or(header, |(_, text)| text);
    quoted
        .trim_end_matches('"')
        .replace("\\\"", "\"")
        .replace("\\\\", "\\")
}
