//! A `PostgresOpsRequest` as the core's plain value.

pub(super) mod operation;

use api::ops::v1alpha1::{Apply, ChangedMember, ExpandedVolume, Phase, PostgresOpsRequest};
use control::whole::Whole;
use executor_core::{
    observed::Queued,
    request::{self as core, Request},
};
use jiff::Timestamp;
use kube::ResourceExt;
use units::{Bytes, Reason};

use crate::error::Error;

/// Fails where the object is not what its kind says.
pub(crate) fn request(whole: &Whole<PostgresOpsRequest>) -> Result<Request, Error> {
    let object = whole.typed()?;
    let spec = &object.spec;
    Ok(Request {
        namespace: object.namespace().unwrap_or_default(),
        name: object.name_any(),
        uid: object.uid().unwrap_or_default(),
        generation: object.metadata.generation.unwrap_or_default(),
        created: object
            .metadata
            .creation_timestamp
            .as_ref()
            .map_or(Timestamp::UNIX_EPOCH, |time| time.0),
        deleted: object.metadata.deletion_timestamp.as_ref().map(|time| time.0),
        finalizer: object
            .finalizers()
            .iter()
            .any(|name| name == api::names::FINALIZER),
        database: spec.database_ref.name.clone(),
        operation: operation::operation(whole, spec),
        apply: match spec.apply {
            Some(Apply::Always) => core::Apply::Always,
            _ => core::Apply::IfReady,
        },
        timeout: spec.timeout.as_ref().and_then(|text| text.get().ok()),
        max_retries: spec
            .max_retries
            .map_or(1, |retries| u32::try_from(retries).unwrap_or(0)),
        record: record(&object),
    })
}

fn record(object: &PostgresOpsRequest) -> core::Record {
    let status = object.status.clone().unwrap_or_default();
    core::Record {
        phase: phase(status.phase.as_ref()),
        conditions: status.conditions.iter().map(condition).collect(),
        volumes: status.volumes.iter().filter_map(volume).collect(),
        members: status.members.iter().filter_map(member).collect(),
        attempts: status
            .attempts
            .map_or(0, |attempts| u32::try_from(attempts).unwrap_or(0)),
        started_at: status.started_at.as_deref().and_then(time),
    }
}

/// A phase of a newer version is taken for "in the queue": whoever wrote it decides what becomes of it.
pub(crate) fn phase(phase: Option<&Phase>) -> core::Phase {
    match phase {
        None => core::Phase::New,
        Some(Phase::Pending) => core::Phase::Pending,
        Some(Phase::Progressing) => core::Phase::Progressing,
        Some(Phase::Successful) => core::Phase::Successful,
        Some(Phase::Failed) => core::Phase::Failed,
        Some(Phase::Approved) => core::Phase::Approved,
        Some(Phase::Denied) => core::Phase::Denied,
        Some(Phase::Skipped) => core::Phase::Skipped,
        Some(Phase::WaitingForApproval | Phase::Other(_)) => core::Phase::WaitingForApproval,
    }
}

fn condition(condition: &api::conditions::Condition) -> core::Condition {
    core::Condition {
        kind: condition.type_.clone(),
        status: condition.is_true(),
        reason: condition.reason.clone().unwrap_or_default(),
        message: condition.message.clone().unwrap_or_default(),
        since: condition.last_transition_time.as_deref().and_then(time),
    }
}

/// A line that cannot be read is left out; the plan is then made anew.
fn volume(line: &ExpandedVolume) -> Option<core::VolumeRecord> {
    let size = |text: &Option<String>| text.as_deref().and_then(|text| Bytes::parse_quantity(text).ok());
    let word = line.stage.as_deref()?;
    let reason = line
        .reason
        .as_deref()
        .and_then(Reason::of_word)
        .unwrap_or(Reason::Running);
    Some(core::VolumeRecord {
        claim: line.claim.clone(),
        from: size(&line.from)?,
        to: size(&line.to)?,
        stage: core::Stage::ALL
            .into_iter()
            .find(|stage| stage.as_str() == word)?,
        capacity: size(&line.capacity)?,
        reason,
        message: line.message.clone().unwrap_or_default(),
        since: line.since.as_deref().and_then(|text| text.parse().ok()),
    })
}

/// A line that cannot be read is left out; the member is then looked at as if for the first time.
fn member(line: &ChangedMember) -> Option<core::MemberRecord> {
    let word = line.stage.as_deref()?;
    let reason = line
        .reason
        .as_deref()
        .and_then(Reason::of_word)
        .unwrap_or(Reason::Running);
    Some(core::MemberRecord {
        ordinal: line.ordinal?.try_into().ok()?,
        stage: core::MemberStage::ALL
            .into_iter()
            .find(|stage| stage.as_str() == word)?,
        pod_uid: line.pod_uid.clone(),
        claim_uid: line.claim_uid.clone(),
        position: line.position.as_deref().and_then(|text| text.parse().ok()),
        timeline: line.timeline.and_then(|timeline| timeline.try_into().ok()),
        reason,
        message: line.message.clone().unwrap_or_default(),
        since: line.since.as_deref().and_then(time),
    })
}

pub(crate) fn time(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

/// A request as the others of its database see it.
pub(crate) fn queued(request: &Request) -> Queued {
    let record = &request.record;
    let held = record
        .condition(Reason::Running)
        .is_some_and(|running| !running.status && running.reason != Reason::Queued.as_str());
    Queued {
        name: request.name.clone(),
        uid: request.uid.clone(),
        kind: request.kind().to_owned(),
        online: request.operation.is_online_expansion(),
        created: request.created,
        phase: record.phase,
        deleting: request.deleted.is_some(),
        yielded: record.is_true(Reason::Yielded),
        held,
    }
}
