//! What there is of a set, without what must differ: uids, times, hashes, the kind itself.

use std::collections::BTreeMap;

use k8s_openapi::api::{
    apps::v1::ControllerRevision,
    core::v1::{PersistentVolumeClaim, Pod},
};
use kube::{Resource, ResourceExt, api::ListParams};
use serde_json::{Value, json};

use super::side::Side;
use crate::world::SET;

/// A set and its objects at one time.
pub(crate) struct Snapshot {
    /// Comparable with the other side's.
    pub(crate) state: Value,
    /// Equal if nothing was written in between.
    pub(crate) version: Vec<String>,
    /// The status speaks of the present spec.
    pub(crate) is_observed: bool,
}

impl Snapshot {
    pub(crate) async fn of(side: &Side) -> Snapshot {
        let all = ListParams::default();
        let set = side.sets().get(SET).await.unwrap();
        let pods = side.api::<Pod>().list(&all).await.unwrap().items;
        let claims = side
            .api::<PersistentVolumeClaim>()
            .list(&all)
            .await
            .unwrap()
            .items;
        let revisions = side.api::<ControllerRevision>().list(&all).await.unwrap().items;
        let images: BTreeMap<String, Value> = revisions.iter().map(|r| (r.name_any(), image(r))).collect();
        let status = &set.data["status"];
        let by_name = |pods: &[Pod]| -> BTreeMap<String, Value> {
            pods.iter()
                .map(|one| (one.name_any(), pod(one, &images)))
                .collect()
        };
        let mut history: Vec<_> = revisions.iter().map(|r| (r.revision, image(r))).collect();
        history.sort_by_key(|(number, _)| *number);
        let state = json!({
            "status": {
                "replicas": count(status, "replicas"), "ready": count(status, "readyReplicas"),
                "available": count(status, "availableReplicas"), "current": count(status, "currentReplicas"),
                "updated": count(status, "updatedReplicas"),
                "currentRevision": named(&images, &status["currentRevision"]),
                "updateRevision": named(&images, &status["updateRevision"]),
            },
            "pods": by_name(&pods),
            "claims": claims.iter().map(|one| (one.name_any(), claim(one))).collect::<BTreeMap<_, _>>(),
            "history": history,
        });
        let version = version(&pods).chain(version(&claims)).chain(version(&revisions));
        Snapshot {
            is_observed: status["observedGeneration"] == json!(set.metadata.generation),
            version: version.chain([set.resource_version().unwrap()]).collect(),
            state,
        }
    }
}

fn version<K: Resource>(objects: &[K]) -> impl Iterator<Item = String> {
    objects.iter().map(|object| object.resource_version().unwrap())
}

/// A StatefulSet's zero is often left out.
fn count(status: &Value, field: &str) -> i64 {
    status[field].as_i64().unwrap_or(0)
}

fn image(revision: &ControllerRevision) -> Value {
    let data = revision
        .data
        .as_ref()
        .map(|data| data.0.clone())
        .unwrap_or_default();
    data["spec"]["template"]["spec"]["containers"][0]["image"].clone()
}

fn named(images: &BTreeMap<String, Value>, revision: &Value) -> Value {
    images
        .get(revision.as_str().unwrap_or_default())
        .cloned()
        .unwrap_or_default()
}

fn owners(object: &impl Resource) -> Vec<(String, String, bool)> {
    let kind = |kind: &str| if kind == "StatefulSet" { "PetSet" } else { kind }.to_owned();
    let owners = object.owner_references().iter();
    owners
        .map(|owner| {
            (
                kind(&owner.kind),
                owner.name.clone(),
                owner.controller == Some(true),
            )
        })
        .collect()
}

fn pod(pod: &Pod, images: &BTreeMap<String, Value>) -> Value {
    let mut labels = pod.labels().clone();
    let revision = labels.remove("controller-revision-hash").unwrap_or_default();
    let (spec, status) = (pod.spec.clone().unwrap(), pod.status.clone().unwrap());
    let ready = status
        .conditions
        .unwrap_or_default()
        .into_iter()
        .find(|condition| condition.type_ == "Ready");
    json!({
        "labels": labels, "revision": named(images, &json!(revision)), "owners": owners(pod),
        "annotations": pod.annotations(), "terminating": pod.metadata.deletion_timestamp.is_some(),
        "generateName": pod.metadata.generate_name,
        "image": spec.containers[0].image, "hostname": spec.hostname, "subdomain": spec.subdomain, "volumes": spec.volumes,
        "phase": status.phase, "ready": ready.map(|ready| ready.status),
    })
}

fn claim(claim: &PersistentVolumeClaim) -> Value {
    json!({
        "labels": claim.labels(), "owners": owners(claim), "spec": claim.spec,
        "terminating": claim.metadata.deletion_timestamp.is_some(),
    })
}
