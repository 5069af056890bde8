//! Fenced writes: what is stale, replaced or not ours to write is left alone; refusals have their class.

use control::{
    leader::{Leader, LeaseArgs, Timing},
    retry::RetryClass,
    write::{Cause, Error, Fenced, Target},
};
use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolumeClaim};
use kube::{
    Api, Client, Resource,
    api::{DeleteParams, Patch, PatchParams, PostParams},
};
use runtime::{build, clock::SystemClock};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use units::Reason;

use crate::server::{client, namespace};

fn fenced(client: &Client) -> Fenced {
    Fenced::new(client.clone(), Leader::alone(), "highwater-test")
}

fn map(namespace: &str, name: &str) -> ConfigMap {
    object(&json!({ "metadata": { "namespace": namespace, "name": name }, "data": { "k": "1" } }))
}

fn object<K: DeserializeOwned>(json: &Value) -> K {
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

// === What the API server refuses for reasons of its own ===

fn claim(namespace: &str, name: &str, size: &str) -> PersistentVolumeClaim {
    object(&json!({
        "metadata": { "namespace": namespace, "name": name },
        "spec": {
            "storageClassName": "fixed",
            "accessModes": ["ReadWriteOnce"],
            "resources": { "requests": { "storage": size } },
        },
    }))
}

async fn create<K>(api: Api<K>, json: Value) -> K
where
    K: Resource + Clone + DeserializeOwned + Serialize + std::fmt::Debug,
{
    api.create(&PostParams::default(), &object(&json)).await.unwrap()
}

fn refused(error: &Error, reason: Reason) {
    assert_eq!(error.class(), RetryClass::Blocked(reason), "{error:?}");
    assert!(matches!(&error.cause, Cause::Refused(status) if !status.message.is_empty()));
}

#[tokio::test]
async fn quota_and_limit_range_are_told_apart_from_other_refusals() {
    let client = client().await;
    let namespace = namespace(&client, "quota").await;
    let writer = fenced(&client);
    let quota = json!({ "metadata": { "name": "disk" }, "spec": { "hard": { "requests.storage": "5Gi" } } });
    let quotas = Api::<k8s_openapi::api::core::v1::ResourceQuota>::namespaced(client.clone(), &namespace);
    create(quotas.clone(), quota).await;
    // Nobody counts here: the test plays the controller that does.
    let counted = json!({ "status": {
        "hard": { "requests.storage": "5Gi" }, "used": { "requests.storage": "0" },
    } });
    quotas
        .patch_status("disk", &PatchParams::default(), &Patch::Merge(counted))
        .await
        .unwrap();
    // The admission's own view of quotas lags by a moment: until then the creation is let through.
    let error = loop {
        match writer
            .create::<PersistentVolumeClaim>(&claim(&namespace, "big", "6Gi"))
            .await
        {
            Ok(made) => writer
                .delete::<PersistentVolumeClaim>(&Target::of(&made))
                .await
                .unwrap(),
            Err(error) => break error,
        }
    };
    refused(&error, Reason::QuotaExceeded);

    quotas.delete("disk", &DeleteParams::default()).await.unwrap();
    let limits = Api::<k8s_openapi::api::core::v1::LimitRange>::namespaced(client.clone(), &namespace);
    let limit = json!({ "type": "PersistentVolumeClaim", "max": { "storage": "5Gi" } });
    create(
        limits,
        json!({ "metadata": { "name": "disk" }, "spec": { "limits": [limit] } }),
    )
    .await;
    let error = loop {
        match writer
            .create::<PersistentVolumeClaim>(&claim(&namespace, "big", "7Gi"))
            .await
        {
            Ok(made) => writer
                .delete::<PersistentVolumeClaim>(&Target::of(&made))
                .await
                .unwrap(),
            // Until the quota's deletion is seen.
            Err(error) if error.to_string().is_empty() => unreachable!("an error without words"),
            Err(error) if matches!(&error.cause, Cause::Refused(s) if s.message.contains("exceeded quota")) => {
                ()
            }
            Err(error) => break error,
        }
    };
    refused(&error, Reason::QuotaExceeded);
}

#[tokio::test]
async fn a_class_without_expansion_and_a_wrong_value_have_their_words() {
    let client = client().await;
    let namespace = namespace(&client, "fixed").await;
    let writer = fenced(&client);
    let classes = Api::<k8s_openapi::api::storage::v1::StorageClass>::all(client.clone());
    create(
        classes,
        json!({ "metadata": { "name": "fixed" }, "provisioner": "x.example" }),
    )
    .await;
    let made: PersistentVolumeClaim = writer.create(&claim(&namespace, "a", "1Gi")).await.unwrap();
    let bound = json!({ "status": { "phase": "Bound", "capacity": { "storage": "1Gi" } } });
    let bound: PersistentVolumeClaim = writer.merge_status(&Target::of(&made), bound).await.unwrap();
    let grow = |size: &str| json!({ "spec": { "resources": { "requests": { "storage": size } } } });
    let error = writer
        .merge::<PersistentVolumeClaim>(&Target::of(&bound), grow("2Gi"))
        .await
        .unwrap_err();
    refused(&error, Reason::NotExpandable);
    let error = writer
        .merge::<PersistentVolumeClaim>(&Target::of(&bound), grow("-1Gi"))
        .await
        .unwrap_err();
    assert_eq!(error.class(), RetryClass::Invalid, "{error:?}");
    let error = writer
        .create::<ConfigMap>(&map("no-such-namespace", "a"))
        .await
        .unwrap_err();
    assert!(
        error.is_not_found() && error.to_string().contains("no-such-namespace/a"),
        "{error:?}"
    );
}
