//! What a user sees of the kinds: names, columns, subresources; and how writers share a list of conditions.

use kube::Client;
use serde_json::{Value, json};

use crate::{
    request::{collection, create},
    server::{client, send, table},
};

fn petset(name: &str) -> Value {
    json!({"apiVersion": "apps.k8s.appscode.com/v1", "kind": "PetSet", "metadata": {"name": name},
           "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}}, "serviceName": "s"}})
}

fn autoscaler(name: &str) -> Value {
    json!({"apiVersion": "autoscaling.kubedb.com/v1alpha1", "kind": "PostgresAutoscaler", "metadata": {"name": name},
           "spec": {"databaseRef": {"name": "db"}}})
}

async fn created(client: &Client, object: &Value) -> String {
    let answer = create(client, object).await;
    assert!(answer.is_accepted(), "{}", answer.message());
    format!(
        "{}/{}",
        collection(object),
        object["metadata"]["name"].as_str().unwrap()
    )
}

#[tokio::test]
async fn kinds_have_kubedbs_names() {
    let client = client().await;
    for (group, plural, short, categories) in [
        (
            "autoscaling.kubedb.com/v1alpha1",
            "postgresautoscalers",
            json!(["pgscaler"]),
            json!(["autoscaler", "kubedb", "appscode"]),
        ),
        (
            "ops.kubedb.com/v1alpha1",
            "postgresopsrequests",
            json!(["pgops"]),
            json!(["ops", "kubedb", "appscode"]),
        ),
        (
            "kubedb.com/v1",
            "postgreses",
            json!(["pg"]),
            json!(["datastore", "kubedb", "appscode", "all"]),
        ),
        (
            "catalog.kubedb.com/v1alpha1",
            "postgresversions",
            json!(["pgversion"]),
            json!(["catalog", "kubedb", "appscode"]),
        ),
        ("apps.k8s.appscode.com/v1", "petsets", Value::Null, Value::Null),
        (
            "highwater.dev/v1alpha1",
            "storageprofiles",
            Value::Null,
            json!(["highwater"]),
        ),
    ] {
        let list = send(&client, "GET", &format!("/apis/{group}"), &Value::Null)
            .await
            .body;
        let found = list["resources"]
            .as_array()
            .unwrap()
            .iter()
            .find(|kind| kind["name"] == plural)
            .unwrap()
            .clone();
        assert_eq!(
            (&found["shortNames"], &found["categories"]),
            (&short, &categories),
            "{plural}"
        );
        let cluster_wide = ["postgresversions", "storageprofiles"].contains(&plural);
        assert_eq!(found["namespaced"], !cluster_wide, "{plural}");
    }
}

#[tokio::test]
async fn columns_answer_the_first_question() {
    let client = client().await;
    for (path, columns) in [
        (
            "/apis/autoscaling.kubedb.com/v1alpha1/namespaces/demo/postgresautoscalers",
            vec!["Name", "Database", "Usage", "Full in", "Can grow", "Reason"],
        ),
        (
            "/apis/ops.kubedb.com/v1alpha1/namespaces/demo/postgresopsrequests",
            vec!["Name", "Type", "Status", "Age"],
        ),
        (
            "/apis/kubedb.com/v1/namespaces/demo/postgreses",
            vec!["Name", "Version", "Status", "Age"],
        ),
    ] {
        let table = table(&client, path).await;
        let names: Vec<&str> = table["columnDefinitions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|column| column["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, columns, "{path}");
    }
}

#[tokio::test]
async fn the_columns_of_an_autoscaler_are_filled_from_its_status() {
    let client = client().await;
    let path = created(&client, &autoscaler("columns")).await;
    let status = json!({"status": {"phase": "Current", "usage": "81%", "canGrow": "No", "fullIn": "3h", "reason": "AtUpperBound"}});
    assert!(
        send(&client, "PATCH", &format!("{path}/status"), &status)
            .await
            .is_accepted()
    );
    let row = table(&client, &path).await["rows"][0]["cells"].clone();
    assert_eq!(row, json!(["columns", "db", "81%", "3h", "No", "AtUpperBound"]));
}

#[tokio::test]
async fn status_is_written_apart_from_spec() {
    let client = client().await;
    let path = created(&client, &autoscaler("apart")).await;
    let both = json!({"spec": {"databaseRef": {"name": "other"}}, "status": {"phase": "Current"}});
    let answer = send(&client, "PATCH", &path, &both).await;
    assert_eq!(
        (
            &answer.body["spec"]["databaseRef"]["name"],
            &answer.body["status"]
        ),
        (&json!("other"), &Value::Null)
    );
    let again = json!({"spec": {"databaseRef": {"name": "third"}}, "status": {"phase": "Current"}});
    let answer = send(&client, "PATCH", &format!("{path}/status"), &again).await;
    assert_eq!(
        (
            &answer.body["spec"]["databaseRef"]["name"],
            &answer.body["status"]["phase"]
        ),
        (&json!("other"), &json!("Current"))
    );
    let unknown = json!({"status": {"phase": "Dreaming"}});
    assert_eq!(
        send(&client, "PATCH", &format!("{path}/status"), &unknown)
            .await
            .code,
        422
    );
}

#[tokio::test]
async fn a_petset_is_scaled_by_its_subresource() {
    let client = client().await;
    let path = created(&client, &petset("scaled")).await;
    let answer = send(
        &client,
        "PATCH",
        &format!("{path}/scale"),
        &json!({"spec": {"replicas": 3}}),
    )
    .await;
    assert!(answer.is_accepted(), "{}", answer.message());
    assert_eq!(
        send(&client, "GET", &path, &Value::Null).await.body["spec"]["replicas"],
        3
    );
}

/// The decider and the executor, or another operator, may hold conditions in one list.
#[tokio::test]
async fn two_writers_keep_each_others_conditions() {
    let client = client().await;
    let object = autoscaler("shared");
    let path = created(&client, &object).await;
    for (manager, type_) in [("one", "A"), ("two", "B")] {
        let condition =
            json!({"type": type_, "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"});
        let apply = json!({"apiVersion": object["apiVersion"], "kind": object["kind"], "metadata": {"name": "shared"},
                           "status": {"conditions": [condition]}});
        let answer = send(
            &client,
            "APPLY",
            &format!("{path}/status?fieldManager={manager}"),
            &apply,
        )
        .await;
        assert!(answer.is_accepted(), "{}", answer.message());
    }
    let status = send(&client, "GET", &path, &Value::Null).await.body["status"].clone();
    let types: Vec<&Value> = status["conditions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|condition| &condition["type"])
        .collect();
    assert_eq!(types, ["A", "B"]);
}

/// A misspelt field does not vanish without a word.
#[tokio::test]
async fn an_unknown_field_is_refused_as_kubectl_asks() {
    let client = client().await;
    let mut object = autoscaler("misspelt");
    object["spec"]["storge"] = json!({});
    let answer = create(&client, &object).await;
    assert_eq!(answer.code, 400);
    assert!(
        answer.message().contains("unknown field \"spec.storge\""),
        "{}",
        answer.message()
    );
}
