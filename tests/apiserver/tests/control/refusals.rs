//! What the API server refuses for reasons of its own: each refusal has its class.

use control::{
    retry::RetryClass,
    write::{Cause, Error, Target},
};
use k8s_openapi::api::{
    core::v1::{ConfigMap, LimitRange, PersistentVolumeClaim, ResourceQuota},
    storage::v1::StorageClass,
};
use kube::{
    Api, Resource,
    api::{DeleteParams, Patch, PatchParams, PostParams},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use units::Reason;

use crate::{
    server::{client, namespace},
    writes::{fenced, map, object},
};

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
    let quotas = Api::<ResourceQuota>::namespaced(client.clone(), &namespace);
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
    let limits = Api::<LimitRange>::namespaced(client.clone(), &namespace);
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
            Err(error) if matches!(&error.cause, Cause::Refused(s) if s.message.contains("exceeded quota")) =>
                {}
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
    let classes = Api::<StorageClass>::all(client.clone());
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
