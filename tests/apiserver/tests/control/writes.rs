//! Fenced writes: what is stale, replaced or not ours to write is left alone.

use control::{
    leader::{Leader, LeaseArgs, Timing},
    retry::RetryClass,
    write::{Fenced, Target},
};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Api, Client, api::PostParams};
use runtime::{build, clock::SystemClock};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::server::{client, namespace};

pub(crate) fn fenced(client: &Client) -> Fenced {
    Fenced::new(client.clone(), Leader::alone(), "highwater-test")
}

pub(crate) fn map(namespace: &str, name: &str) -> ConfigMap {
    object(&json!({ "metadata": { "namespace": namespace, "name": name }, "data": { "k": "1" } }))
}

pub(crate) fn object<K: serde::de::DeserializeOwned>(json: &Value) -> K {
    serde_json::from_value(json.clone()).unwrap()
}

async fn value(client: &Client, namespace: &str, name: &str) -> String {
    let map = Api::<ConfigMap>::namespaced(client.clone(), namespace)
        .get(name)
        .await
        .unwrap();
    map.data.unwrap()["k"].clone()
}

fn set(value: &str) -> Value {
    json!({ "data": { "k": value } })
}

#[tokio::test]
async fn only_what_was_read_is_written() {
    let client = client().await;
    let namespace = namespace(&client, "fenced").await;
    let writer = fenced(&client);
    let made: ConfigMap = writer.create(&map(&namespace, "a")).await.unwrap();
    let seen = Target::of(&made);
    writer.merge::<ConfigMap>(&seen, set("2")).await.unwrap();

    let stale = writer.merge::<ConfigMap>(&seen, set("3")).await.unwrap_err();
    assert_eq!(stale.class(), RetryClass::Conflict, "{stale:?}");
    let stale = writer.apply::<ConfigMap>(&seen, set("3")).await.unwrap_err();
    assert_eq!(stale.class(), RetryClass::Conflict, "{stale:?}");
    let stale = writer.delete::<ConfigMap>(&seen).await.unwrap_err();
    assert_eq!(stale.class(), RetryClass::Conflict, "{stale:?}");
    assert_eq!(value(&client, &namespace, "a").await, "2");

    writer
        .merge::<ConfigMap>(&seen.clone().in_any_state(), set("4"))
        .await
        .unwrap();
    assert_eq!(value(&client, &namespace, "a").await, "4");
}

#[tokio::test]
async fn an_object_that_is_there_is_not_made_by_an_apply() {
    let client = client().await;
    let namespace = namespace(&client, "apply-new").await;
    let writer = fenced(&client);
    let made: ConfigMap = writer.apply_new(&namespace, "a", set("1")).await.unwrap();
    assert_eq!(value(&client, &namespace, "a").await, "1");
    let again = writer
        .apply_new::<ConfigMap>(&namespace, "a", set("2"))
        .await
        .unwrap_err();
    assert_eq!(again.class(), RetryClass::Conflict, "{again:?}");
    assert_eq!(value(&client, &namespace, "a").await, "1");
    let emptied: ConfigMap = writer.apply(&Target::of(&made), json!({})).await.unwrap();
    assert_eq!(emptied.data, None, "what was made so is this manager's alone");
}

#[tokio::test]
async fn another_object_of_the_same_name_is_not_meant() {
    let client = client().await;
    let namespace = namespace(&client, "replaced").await;
    let writer = fenced(&client);
    let first: ConfigMap = writer.create(&map(&namespace, "a")).await.unwrap();
    let first = Target::of(&first).in_any_state();
    writer.delete::<ConfigMap>(&first).await.unwrap();
    let gone = writer.merge::<ConfigMap>(&first, set("2")).await.unwrap_err();
    assert!(
        gone.is_not_found() && gone.class() == RetryClass::Conflict,
        "{gone:?}"
    );

    writer.create::<ConfigMap>(&map(&namespace, "a")).await.unwrap();
    for error in [
        writer.merge::<ConfigMap>(&first, set("2")).await.unwrap_err(),
        writer.apply::<ConfigMap>(&first, set("2")).await.unwrap_err(),
        writer.delete::<ConfigMap>(&first).await.unwrap_err(),
    ] {
        assert_eq!(error.class(), RetryClass::Conflict, "{error:?}");
    }
    assert_eq!(value(&client, &namespace, "a").await, "1");
    // A server-side apply of something gone must not make it anew.
    let other = Target {
        name: "b".to_owned(),
        ..first
    };
    writer.apply::<ConfigMap>(&other, set("2")).await.unwrap_err();
    assert!(
        Api::<ConfigMap>::namespaced(client, &namespace)
            .get_opt("b")
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn who_does_not_lead_sends_nothing() {
    let client = client().await;
    let namespace = namespace(&client, "not-leading").await;
    let made: ConfigMap = fenced(&client).create(&map(&namespace, "a")).await.unwrap();
    let args = LeaseArgs {
        namespace: namespace.clone(),
        name: "never-asked-for".to_owned(),
        pod_name: "a".to_owned(),
        timing: Timing::default(),
    };
    let (leader, _never_run) = Leader::candidate(
        client.clone(),
        args,
        SystemClock,
        &mut build::registry("test"),
        CancellationToken::new(),
    );
    let writer = Fenced::new(client.clone(), leader, "highwater-test");
    let seen = Target::of(&made);
    for error in [
        writer.merge::<ConfigMap>(&seen, set("2")).await.unwrap_err(),
        writer.apply::<ConfigMap>(&seen, set("2")).await.unwrap_err(),
        writer
            .create::<ConfigMap>(&map(&namespace, "b"))
            .await
            .unwrap_err(),
        writer.delete::<ConfigMap>(&seen).await.unwrap_err(),
    ] {
        assert!(
            error.is_not_leading() && error.class() == RetryClass::Transient,
            "{error:?}"
        );
    }
    assert_eq!(value(&client, &namespace, "a").await, "1");
    assert_eq!(
        Api::<ConfigMap>::namespaced(client, &namespace)
            .get_opt("b")
            .await
            .unwrap(),
        None
    );
}

#[tokio::test]
async fn a_dry_run_keeps_nothing_and_a_second_creation_says_so() {
    let client = client().await;
    let namespace = namespace(&client, "dry").await;
    let writer = fenced(&client);
    writer
        .dry_run()
        .create::<ConfigMap>(&map(&namespace, "a"))
        .await
        .unwrap();
    let made: ConfigMap = writer.create(&map(&namespace, "a")).await.unwrap();
    let again = writer
        .create::<ConfigMap>(&map(&namespace, "a"))
        .await
        .unwrap_err();
    assert!(again.is_already_exists() && !again.is_not_found(), "{again:?}");
    let seen = Target::of(&made);
    let tried: ConfigMap = writer.dry_run().merge(&seen, set("2")).await.unwrap();
    assert_eq!(tried.data.unwrap()["k"], "2");
    writer.dry_run().delete::<ConfigMap>(&seen).await.unwrap();
    assert_eq!(value(&client, &namespace, "a").await, "1");
}

#[tokio::test]
async fn an_apply_removes_what_it_no_longer_names_and_leaves_others_fields() {
    let client = client().await;
    let namespace = namespace(&client, "apply").await;
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), &namespace);
    let made = maps
        .create(&PostParams::default(), &map(&namespace, "a"))
        .await
        .unwrap();
    let writer = fenced(&client);
    let seen = Target::of(&made).in_any_state();
    let two = json!({ "data": { "x": "1", "y": "2" } });
    writer.apply::<ConfigMap>(&seen, two).await.unwrap();
    let one: ConfigMap = writer
        .apply(&seen, json!({ "data": { "x": "3" } }))
        .await
        .unwrap();
    let data = one.data.unwrap();
    assert_eq!(
        data.into_iter().collect::<Vec<_>>(),
        [("k".to_owned(), "1".to_owned()), ("x".to_owned(), "3".to_owned())]
    );
}
