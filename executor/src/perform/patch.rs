//! The bodies of writes, from the objects as they came. Pure.
//!
//! What a list cannot be merged into (a merge patch replaces lists) is written whole, with everything of others
//! kept as it is; the write's resourceVersion makes sure that it is still so.

mod stages;

use api::{
    conditions::{self, Condition, set_condition, time_text},
    kubedb::v1::{Postgres, condition::PAUSED},
    names::{ANNOTATION_HOLD, ANNOTATION_NUDGE, ANNOTATION_SEALED, DATA_TEMPLATE, FINALIZER},
    ops::v1alpha1::{ChangedMember, Decided, ExpandedVolume, PostgresOpsRequest, PostgresOpsRequestStatus},
    petset::v1::{Hold, PetSet},
};
use control::whole::Whole;
use executor_core::{
    SpecChange, Update,
    request::{MemberRecord, Phase, VolumeRecord},
};
use jiff::Timestamp;
use kube::{Resource, ResourceExt};
use serde_json::{Value, json};
use units::{Bytes, Reason};

use crate::passed::Passed;

/// The finalizers of a request with ours, or without.
pub(super) fn finalizers(request: &Whole<PostgresOpsRequest>, ours: bool) -> Value {
    let mut finalizers = request.finalizers().to_vec();
    finalizers.retain(|name| name != FINALIZER);
    if ours {
        finalizers.push(FINALIZER.to_owned());
    }
    json!({ "metadata": { "finalizers": finalizers } })
}

/// The status of a request after `update`. `volume_of` gives the volume's name of a claim; `passed` are the stages
/// that its claims were seen in.
pub(super) fn status(
    request: &PostgresOpsRequest,
    update: &Update,
    volume_of: impl Fn(&str) -> Option<String>,
    passed: &Passed,
    now: Timestamp,
) -> Value {
    let Update {
        phase,
        conditions,
        volumes,
        members,
        attempts,
        starts,
    } = update;
    let mut old = request.status.clone().unwrap_or_default();
    if *starts {
        old.volumes.iter_mut().for_each(|line| line.stages.clear());
    }
    let generation = request.metadata.generation;
    let mut all = old.conditions.clone();
    for new in conditions {
        let mut condition = Condition::new(&new.kind, new.status, &new.reason, new.message.clone());
        // A step condition has none, as KubeDB's.
        condition.reason.take_if(|reason| reason.is_empty());
        set_condition(&mut all, condition.observed(generation), now);
    }
    let mut status = json!({ "conditions": all, "observedGeneration": generation });
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            status[key] = value;
        }
    };
    set("phase", phase.map(|phase| json!(word(phase))));
    set("attempts", attempts.map(|attempts| json!(attempts)));
    set("startedAt", starts.then(|| json!(time_text(now))));
    let decided = Decided::of(request);
    let line = |new: &VolumeRecord| {
        let mut line = volume(&old, new, volume_of(&new.claim), now);
        if line.stages.is_empty() {
            line.stages.extend(stages::before(&new.claim, decided.as_ref()));
        }
        let seen = passed.of(&new.claim).iter().copied();
        for (stage, at) in seen.chain([(new.stage, now)]) {
            stages::pass(&mut line.stages, stage, at);
        }
        line
    };
    set(
        "volumes",
        volumes
            .as_ref()
            .map(|volumes| json!(volumes.iter().map(line).collect::<Vec<_>>())),
    );
    let set = request.spec.database_ref.name.as_str();
    let line = |new: &MemberRecord| member(&old, set, new, now);
    if let Some(members) = members {
        status["members"] = json!(members.iter().map(line).collect::<Vec<_>>());
    }
    json!({ "status": status })
}

fn member(old: &PostgresOpsRequestStatus, set: &str, new: &MemberRecord, now: Timestamp) -> ChangedMember {
    let MemberRecord {
        ordinal,
        stage,
        pod_uid,
        claim_uid,
        position,
        timeline,
        reason,
        message,
        since: _,
    } = new;
    let name = format!("{set}-{ordinal}");
    let stage = Some(stage.as_str().to_owned());
    let before = old
        .members
        .iter()
        .find(|line| line.name == name && line.stage == stage);
    ChangedMember {
        name,
        ordinal: i32::try_from(*ordinal).ok(),
        stage,
        pod_uid: pod_uid.clone(),
        claim_uid: claim_uid.clone(),
        position: position.map(|position| position.to_string()),
        timeline: timeline.and_then(|timeline| i64::try_from(timeline).ok()),
        reason: Some(reason.as_str().to_owned()),
        message: Some(message.clone()),
        since: before
            .and_then(|line| line.since.clone())
            .or_else(|| Some(time_text(now))),
    }
}

fn volume(
    old: &PostgresOpsRequestStatus,
    new: &VolumeRecord,
    volume: Option<String>,
    now: Timestamp,
) -> ExpandedVolume {
    let VolumeRecord {
        claim,
        from,
        to,
        stage,
        capacity,
        reason,
        message,
        since: _,
    } = new;
    let stage = Some(stage.as_str().to_owned());
    let before = old
        .volumes
        .iter()
        .find(|line| line.claim == *claim && line.stage == stage);
    ExpandedVolume {
        claim: claim.clone(),
        volume,
        from: Some(from.to_string()),
        to: Some(to.to_string()),
        stage,
        capacity: Some(capacity.to_string()),
        reason: Some(reason.as_str().to_owned()),
        message: Some(message.clone()),
        since: before
            .and_then(|line| line.since.clone())
            .or_else(|| Some(time_text(now))),
        stages: old
            .volumes
            .iter()
            .find(|line| line.claim == *claim)
            .map(|line| line.stages.clone())
            .unwrap_or_default(),
    }
}

/// The word of a phase that this process writes.
fn word(phase: Phase) -> &'static str {
    match phase {
        Phase::New | Phase::Pending => "Pending",
        Phase::WaitingForApproval => "WaitingForApproval",
        Phase::Approved => "Approved",
        Phase::Denied => "Denied",
        Phase::Progressing => "Progressing",
        Phase::Successful => "Successful",
        Phase::Failed => "Failed",
        Phase::Skipped => "Skipped",
    }
}

/// The conditions of a Postgres with our pause.
pub(super) fn pause(postgres: &Whole<Postgres>, message: &str, now: Timestamp) -> Value {
    let mut all = others(postgres);
    let condition = Condition {
        last_transition_time: Some(conditions::time_text(now)),
        ..Condition::new(PAUSED, true, Reason::PauseDatabase.as_str(), message)
            .observed(postgres.meta().generation)
    };
    all.push(json!(condition));
    json!({ "status": { "conditions": all } })
}

/// The conditions of a Postgres without a pause.
pub(super) fn resume(postgres: &Whole<Postgres>) -> Value {
    json!({ "status": { "conditions": others(postgres) } })
}

fn others(postgres: &Whole<Postgres>) -> Vec<Value> {
    let all = postgres.at("/status/conditions").and_then(Value::as_array);
    all.into_iter()
        .flatten()
        .filter(|condition| condition["type"] != PAUSED)
        .cloned()
        .collect()
}

/// The storage request of a claim.
pub(super) fn claim(to: Bytes) -> Value {
    json!({ "spec": { "resources": { "requests": { "storage": to.to_string() } } } })
}

/// The storage request of a Postgres.
pub(super) fn postgres(to: Bytes) -> Value {
    json!({ "spec": { "storage": { "resources": { "requests": { "storage": to.to_string() } } } } })
}

/// What a request has made of its members, in the Postgres.
pub(super) fn spec(change: &SpecChange) -> Value {
    let SpecChange {
        replicas,
        standby,
        streaming,
    } = change;
    let mut spec = json!({});
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            spec[key] = value;
        }
    };
    set("replicas", replicas.map(|replicas| json!(replicas)));
    set("standbyMode", standby.as_ref().map(|mode| json!(mode.as_str())));
    set(
        "streamingMode",
        streaming.as_ref().map(|mode| json!(mode.as_str())),
    );
    json!({ "spec": spec })
}

/// The number of members.
pub(super) fn replicas(to: u32) -> Value {
    json!({ "spec": { "replicas": to } })
}

/// The hold of one ordinal.
pub(super) fn hold(request: &Whole<PostgresOpsRequest>, ordinal: u32, until: Timestamp) -> Value {
    let hold = Hold {
        ordinal: i32::try_from(ordinal).unwrap_or(i32::MAX),
        request: request.name_any(),
        uid: request.uid().unwrap_or_default(),
        expires: until,
    };
    json!({ "metadata": { "annotations": { ANNOTATION_HOLD: hold.text() } } })
}

/// The request changes the PetSet no more.
pub(super) fn seal(request: &Whole<PostgresOpsRequest>) -> Value {
    json!({ "metadata": { "annotations": { ANNOTATION_SEALED: request.uid() } } })
}

/// No hold.
pub(super) fn release() -> Value {
    json!({ "metadata": { "annotations": { ANNOTATION_HOLD: null } } })
}

/// The annotation by which a pod is nudged.
pub(super) fn nudge(value: &str) -> Value {
    json!({ "metadata": { "annotations": { ANNOTATION_NUDGE: value } } })
}

/// All claim templates of a PetSet, `data` with its new size.
pub(super) fn template(petset: &Whole<PetSet>, to: Bytes) -> Option<Value> {
    let mut templates = petset.at("/spec/volumeClaimTemplates")?.as_array()?.clone();
    let data = templates
        .iter_mut()
        .find(|template| template["metadata"]["name"] == DATA_TEMPLATE)?;
    *data.pointer_mut("/spec/resources/requests/storage")? = json!(to.to_string());
    Some(json!({ "spec": { "volumeClaimTemplates": templates } }))
}

#[cfg(test)]
mod tests;
