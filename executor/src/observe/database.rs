//! A Postgres and its PetSet as the core's plain values.

use api::{
    conditions::{Condition, find},
    kubedb::v1::{Phase, Postgres, condition},
    names::{
        ANNOTATION_RESOURCES_BEFORE, ANNOTATION_SEALED, ANNOTATION_UNMANAGED, CONTAINER_POSTGRES,
        DATA_TEMPLATE,
    },
    petset::v1::{Hold, PetSet},
};
use control::whole::Whole;
use executor_core::{
    observed::{Database, Held, Hold as CoreHold, Pause, PetSet as Set},
    request::Resources,
};
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use serde_json::Value;

use super::{
    claim::is_ready,
    request::{
        operation::{resources, standby, streaming},
        time,
    },
};

/// `pods` are those that use the database's claims.
pub(crate) fn database(object: &Postgres, pods: &[Pod]) -> Database {
    let status = object.status.clone().unwrap_or_default();
    let managed = is_managed(object);
    let ready = match managed {
        true => status.phase == Some(Phase::Ready),
        false => !pods.is_empty() && pods.iter().all(is_ready),
    };
    let text = |condition: &Condition| condition.message.clone().unwrap_or_default();
    let is_true = |kind: &str| find(&status.conditions, kind).filter(|condition| condition.is_true());
    Database {
        uid: object.uid().unwrap_or_default(),
        managed,
        ready,
        storage: object
            .spec
            .storage
            .as_ref()
            .and_then(|storage| storage.storage()?.ok()),
        replicas: object.spec.replicas.and_then(|replicas| replicas.try_into().ok()),
        standby: object.spec.standby_mode.as_ref().map(standby),
        streaming: object.spec.streaming_mode.as_ref().map(streaming),
        halted: object.spec.halted.unwrap_or(false),
        resources: object
            .spec
            .pod_template
            .as_ref()
            .map(|template| resources_of(&template["spec"]["containers"]))
            .unwrap_or_default(),
        paused: is_true(condition::PAUSED).map(|paused| Pause {
            message: text(paused),
            since: paused.last_transition_time.as_deref().and_then(time),
        }),
        acknowledged: is_true(condition::PAUSE_ACKNOWLEDGED).map(text),
    }
}

/// Whether a provisioner ever wrote the status: more is there than the pause, which is ours. None does for an object
/// that it is kept off.
fn is_managed(object: &Postgres) -> bool {
    let kept_off = object
        .annotations()
        .get(ANNOTATION_UNMANAGED)
        .is_some_and(|value| value == "true");
    !kept_off
        && object.status.as_ref().is_some_and(|status| {
            let foreign = status
                .conditions
                .iter()
                .any(|condition| condition.type_ != condition::PAUSED);
            status.phase.is_some() || status.observed_generation.is_some() || foreign
        })
}

/// A hold that cannot be read is none: its controller ignores it, too.
pub(crate) fn petset(object: &PetSet) -> Set {
    let status = object.status.clone().unwrap_or_default();
    let current = status.observed_generation >= object.metadata.generation;
    Set {
        unmanaged: object
            .annotations()
            .get(ANNOTATION_UNMANAGED)
            .is_some_and(|value| value == "true"),
        replicas: object.spec.replicas.map_or(1, number),
        present: status.replicas.filter(|_| current).map(number),
        sealed: object.annotations().get(ANNOTATION_SEALED).cloned(),
        hold: Hold::of(object).ok().flatten().map(|hold| CoreHold {
            ordinal: number(hold.ordinal),
            uid: hold.uid,
            expires: hold.expires,
        }),
        held: status.hold.map(|held| Held {
            ordinal: number(held.ordinal),
            uid: held.uid,
        }),
        resources: resources_of(&object.spec.template["spec"]["containers"]),
        resources_before: object
            .annotations()
            .get(ANNOTATION_RESOURCES_BEFORE)
            .and_then(|text| serde_json::from_str(text).ok())
            .map(|value| resources(&value)),
        name: object.name_any(),
        template: object.spec.claim_size(DATA_TEMPLATE).and_then(Result::ok),
    }
}

/// Resources of the container `postgres` among these.
fn resources_of(containers: &Value) -> Resources {
    let mut all = containers.as_array().into_iter().flatten();
    let container = all.find(|container| container["name"] == CONTAINER_POSTGRES);
    container
        .map(|container| resources(&container["resources"]))
        .unwrap_or_default()
}

fn number(number: i32) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

/// Message of a `Paused` condition, whatever its status.
pub(crate) fn pause_message(postgres: &Whole<Postgres>) -> Option<String> {
    let conditions = postgres.at("/status/conditions")?.as_array()?;
    let paused = conditions
        .iter()
        .find(|stored| stored["type"] == condition::PAUSED)?;
    paused["message"].as_str().map(str::to_owned)
}
