//! What is written on the autoscaler beside its status: its owner, and its past.

use api::{autoscaling::v1alpha1::PostgresAutoscaler, names::ANNOTATION_MODIFICATIONS};
use control::{
    watch::Key,
    write::{Error, Target},
};
use jiff::Timestamp;
use k8s_openapi::{api::core::v1::ObjectReference, apimachinery::pkg::apis::meta::v1::OwnerReference};
use kube::Resource;
use serde_json::json;

use super::{Context, Gathered, apply::Created};
use crate::objects::{Autoscaler, Modification};

/// Modifications kept in the annotation: far more than the guard's day can hold.
const MOST_MODIFICATIONS: usize = 32;

/// Notes the growth on the autoscaler, where it outlives the request. What failed did not grow anything.
pub(super) async fn remember(
    context: &Context,
    key: &Key,
    autoscaler: &Autoscaler,
    gathered: &Gathered,
    created: &Created,
    now: Timestamp,
) -> Result<(), Error> {
    if autoscaler.modifications.iter().any(|m| m.request == created.name) {
        return Ok(());
    }
    let failed = |m: &&Modification| {
        gathered
            .ended
            .iter()
            .any(|(k, r)| *k.name == *m.request && r.has_failed())
    };
    let mut kept: Vec<Modification> = autoscaler
        .modifications
        .iter()
        .filter(|m| !failed(m))
        .cloned()
        .collect();
    kept.push(Modification {
        request: created.name.clone(),
        at: api::conditions::time_text(now),
        from: created.from.to_string(),
        to: created.to.to_string(),
    });
    let newest = kept.split_off(kept.len().saturating_sub(MOST_MODIFICATIONS));
    let text = json!(newest).to_string();
    let patch = json!({ "metadata": { "annotations": { ANNOTATION_MODIFICATIONS: text } } });
    let target = target(key, autoscaler).in_any_state();
    context
        .writes
        .merge::<PostgresAutoscaler>(&target, patch)
        .await
        .map(drop)
}

/// Makes the Postgres the owner of its autoscaler, so that they go together, as KubeDB does.
pub(super) async fn own(
    context: &Context,
    key: &Key,
    autoscaler: &Autoscaler,
    gathered: &Gathered,
) -> Result<(), Error> {
    let uid = &gathered.database_uid;
    let is_owner = |o: &OwnerReference| o.kind == "Postgres" && o.uid == *uid;
    let wanted = gathered.db.exists && gathered.db.other_autoscalers.is_empty() && !autoscaler.deleting;
    if !wanted || uid.is_empty() || autoscaler.owners.iter().any(is_owner) {
        return Ok(());
    }
    // A Postgres of the same name that is gone owns nothing any more.
    let mut owners: Vec<OwnerReference> = autoscaler
        .owners
        .iter()
        .filter(|o| o.kind != "Postgres" || o.name != autoscaler.database)
        .cloned()
        .collect();
    let controlled = owners.iter().any(|o| o.controller == Some(true));
    owners.push(OwnerReference {
        api_version: api::kubedb::v1::Postgres::api_version(&()).into_owned(),
        kind: api::kubedb::v1::Postgres::kind(&()).into_owned(),
        name: autoscaler.database.clone(),
        uid: uid.clone(),
        // The API server allows one controller.
        controller: Some(!controlled),
        block_owner_deletion: Some(true),
    });
    let patch = json!({ "metadata": { "ownerReferences": owners } });
    let written = context
        .writes
        .merge::<PostgresAutoscaler>(&target(key, autoscaler), patch)
        .await;
    match written {
        Ok(_) => Ok(()),
        // Written meanwhile, by our own status among others: the watch brings us back.
        Err(error) if error.class() == control::retry::RetryClass::Conflict => Ok(()),
        Err(error) => Err(error),
    }
}

/// The autoscaler as it was read.
pub(super) fn target(key: &Key, autoscaler: &Autoscaler) -> Target {
    Target {
        namespace: key.namespace.to_string(),
        name: key.name.to_string(),
        uid: autoscaler.uid.clone(),
        resource_version: Some(autoscaler.resource_version.clone()),
    }
}

/// The autoscaler as an Event names it.
pub(super) fn reference(key: &Key, autoscaler: &Autoscaler) -> ObjectReference {
    ObjectReference {
        api_version: Some(PostgresAutoscaler::api_version(&()).into_owned()),
        kind: Some(PostgresAutoscaler::kind(&()).into_owned()),
        namespace: Some(key.namespace.to_string()),
        name: Some(key.name.to_string()),
        uid: Some(autoscaler.uid.clone()),
        ..ObjectReference::default()
    }
}
