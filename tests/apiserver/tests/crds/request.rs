//! Requests on objects of our kinds, checked as strictly as kubectl has it done.

use std::time::Duration;

use kube::Client;
use serde_json::Value;
use tokio::time::Instant;

use crate::server::{Answer, DEADLINE, send};

/// Where objects like this one are.
pub(crate) fn collection(object: &Value) -> String {
    let (version, kind) = (
        object["apiVersion"].as_str().unwrap(),
        object["kind"].as_str().unwrap(),
    );
    let crds = api::crds::all().unwrap();
    let (_, crd) = crds
        .iter()
        .find(|(_, crd)| {
            let group = crd["spec"]["group"].as_str().unwrap();
            crd["spec"]["names"]["kind"] == kind && version.starts_with(&format!("{group}/"))
        })
        .unwrap_or_else(|| panic!("{version} {kind} is no kind of ours"));
    let namespace = match crd["spec"]["scope"].as_str() {
        Some("Namespaced") => format!(
            "namespaces/{}/",
            object["metadata"]["namespace"].as_str().unwrap_or("demo")
        ),
        _ => String::new(),
    };
    format!(
        "/apis/{version}/{namespace}{}",
        crd["spec"]["names"]["plural"].as_str().unwrap()
    )
}

/// Asks what creating the object would give; nothing is kept.
pub(crate) async fn try_create(client: &Client, object: &Value) -> Answer {
    send(
        client,
        "POST",
        &format!("{}?dryRun=All&fieldValidation=Strict", collection(object)),
        object,
    )
    .await
}

/// The same until the answer is as wanted, or the last one: policies come into force a moment after they are
/// created, and nothing tells when.
pub(crate) async fn try_create_until(
    client: &Client,
    object: &Value,
    wanted: impl Fn(&Answer) -> bool,
) -> Answer {
    let until = Instant::now() + DEADLINE;
    loop {
        let answer = try_create(client, object).await;
        if wanted(&answer) || Instant::now() > until {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Creates the object.
pub(crate) async fn create(client: &Client, object: &Value) -> Answer {
    send(
        client,
        "POST",
        &format!("{}?fieldValidation=Strict", collection(object)),
        object,
    )
    .await
}

/// Asks what merging `patch` into the object of this name would give; nothing is kept.
pub(crate) async fn try_patch(client: &Client, object: &Value, patch: &Value) -> Answer {
    let name = object["metadata"]["name"].as_str().unwrap();
    let path = format!("{}/{name}?dryRun=All&fieldValidation=Strict", collection(object));
    send(client, "PATCH", &path, patch).await
}

/// Merges `patch` into `object`, as RFC 7396 has it.
pub(crate) fn merged(object: &Value, patch: &Value) -> Value {
    let (Value::Object(fields), Value::Object(changes)) = (object, patch) else {
        return patch.clone();
    };
    let mut fields = fields.clone();
    for (key, change) in changes {
        if change.is_null() {
            fields.remove(key);
        } else {
            let old = fields.get(key).cloned().unwrap_or_else(|| serde_json::json!({}));
            fields.insert(key.clone(), merged(&old, change));
        }
    }
    Value::Object(fields)
}
