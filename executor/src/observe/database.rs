//! A Postgres and its PetSet as the core's plain values.

use api::{
    conditions::{Condition, find},
    kubedb::v1::{Phase, Postgres, condition},
    names::DATA_TEMPLATE,
    petset::v1::PetSet,
};
use executor_core::observed::{Database, Pause, PetSet as Set};
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;

use super::{claim::is_ready, request::time};
use crate::whole::Whole;

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
        paused: is_true(condition::PAUSED).map(|paused| Pause {
            message: text(paused),
            since: paused.last_transition_time.as_deref().and_then(time),
        }),
        acknowledged: is_true(condition::PAUSE_ACKNOWLEDGED).map(text),
    }
}

/// Whether a provisioner ever wrote the status: more is there than the pause, which is ours.
fn is_managed(object: &Postgres) -> bool {
    object.status.as_ref().is_some_and(|status| {
        let foreign = status
            .conditions
            .iter()
            .any(|condition| condition.type_ != condition::PAUSED);
        status.phase.is_some() || status.observed_generation.is_some() || foreign
    })
}

pub(crate) fn petset(object: &PetSet) -> Set {
    Set {
        name: object.name_any(),
        template: object.spec.claim_size(DATA_TEMPLATE).and_then(Result::ok),
    }
}

/// Message of a `Paused` condition, whatever its status.
pub(crate) fn pause_message(postgres: &Whole<Postgres>) -> Option<String> {
    let conditions = postgres.at("/status/conditions")?.as_array()?;
    let paused = conditions
        .iter()
        .find(|stored| stored["type"] == condition::PAUSED)?;
    paused["message"].as_str().map(str::to_owned)
}
