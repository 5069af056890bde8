//! Status: what the autoscaler's owner reads. Written only when it changes enough to matter: a database that
//! idles costs no write.

use std::time::Duration;

use api::{
    autoscaling::v1alpha1::{
        CanGrow, LastDecision, Phase, PostgresAutoscaler, PostgresAutoscalerStatus as Status, VolumeStatus,
    },
    conditions::{Condition, remove_condition, set_condition, time_text},
};
use control::{watch::Key, write::Error};
use decider_core::{Note, Record};
use jiff::Timestamp;
use serde_json::{Value, json};
use units::Reason;

use super::{
    Context, Gathered,
    apply::Growth,
    beside::{reference, target},
    outcome::Outcome,
};
use crate::objects::Autoscaler;

mod early;
mod full_in;
mod matters;

use matters::Due;

/// The condition that carries the last decision.
const DECISION: &str = "Decision";
/// Whether the database could grow if it had to, before it has to.
const CAN_GROW: &str = "CanGrow";
/// Its message while it could.
const ABLE: &str = "nothing keeps the volumes from growing when they have to";
/// KubeDB's: the last request was made.
const CREATE_OPS_REQUEST: &str = "CreateOpsRequest";
/// KubeDB's: it could not be made.
const FAILURE: &str = "Failure";
/// Conditions that are there while they hold, named as their reason.
const NOTES: [Reason; 5] = [
    Reason::SpecBehind,
    Reason::InvalidAnnotation,
    Reason::RuleFallback,
    Reason::ReadOnly,
    Reason::WALRetained,
];

/// Writes the status if it matters, and tells an Event when somebody should look. Answers after what time it is to
/// be looked at again, if something is held back until then.
pub(super) async fn write(
    context: &Context,
    key: &Key,
    autoscaler: &Autoscaler,
    gathered: &Gathered,
    outcome: &Outcome,
    growth: &Growth,
    now: Timestamp,
) -> Result<Option<Duration>, Error> {
    let before = &autoscaler.status.read();
    let untold = context.memory.untold(key);
    let after = next((autoscaler, before), gathered, outcome, growth, untold, now);
    if matches!(growth, Growth::Unwanted) {
        let since = early::Since {
            started: context.started,
            strangers: &gathered.strangers,
        };
        let wait = early::held_back(before, &after, &since, context.parts.grace, now);
        if wait.is_some() {
            return Ok(wait);
        }
    }
    let due = matters::due(before, &after, context.memory.usage_written(key), now);
    match due {
        Due::Never => return Ok(None),
        Due::In(wait) => return Ok(Some(wait)),
        Due::Now | Due::NowForUsage => {}
    }
    let written: PostgresAutoscaler = context
        .parts
        .writes
        .merge_status(&target(key, autoscaler), body(&after))
        .await?;
    context.memory.wrote(key, written.metadata.resource_version, now);
    if due == Due::NowForUsage {
        // Only now: a write that failed must not hold back its repetition.
        context.memory.set_usage_written(key, now);
    }
    context.memory.told(key);
    context.parts.metrics.status_written();
    if let Some(note) = full_in::warning(before, &after) {
        context
            .parts
            .events
            .warning(&reference(key, autoscaler), Reason::FullSoon, "Predict", note);
    }
    let reason = outcome.reason();
    if before.reason.as_deref() != Some(reason.as_str()) && needs_attention(reason) {
        context
            .parts
            .events
            .warning(&reference(key, autoscaler), reason, "Decide", outcome.message());
    }
    Ok(None)
}

/// The whole status as it should be, given the one that is stored.
fn next(
    (autoscaler, before): (&Autoscaler, &Status),
    gathered: &Gathered,
    outcome: &Outcome,
    growth: &Growth,
    untold: Option<LastDecision>,
    now: Timestamp,
) -> Status {
    let (reason, barrier) = (outcome.reason(), outcome.barrier());
    let mut status = Status {
        phase: Some(phase(autoscaler, reason)),
        observed_generation: autoscaler.generation,
        conditions: before.conditions.clone(),
        reason: Some(reason.as_str().to_owned()),
        last_decision: before.last_decision.clone(),
        can_grow: Some(match barrier {
            None => CanGrow::Yes,
            Some(_) => CanGrow::No,
        }),
        ..Status::default()
    };
    let mut set = |type_: &str, status_: bool, reason: Reason, message: String| {
        let condition =
            Condition::new(type_, status_, reason.as_str(), message).observed(autoscaler.generation);
        set_condition(&mut status.conditions, condition, now);
    };
    set(DECISION, !needs_attention(reason), reason, outcome.message());
    match &barrier {
        None => set(CAN_GROW, true, Reason::CanGrow, ABLE.to_owned()),
        Some(note) => set(CAN_GROW, false, note.reason, note.message()),
    }
    if let Some(growth) = untold {
        let message = format!(
            "Successfully created PostgresOpsRequest {}/{}",
            gathered.database.namespace,
            growth.request.as_deref().unwrap_or_default()
        );
        set(CREATE_OPS_REQUEST, true, Reason::CreateOpsRequest, message);
        status.last_decision = Some(growth);
    }
    match growth {
        Growth::Unwanted | Growth::Requested => drop(remove_condition(&mut status.conditions, FAILURE)),
        Growth::Refused(text) => set(FAILURE, true, Reason::CreateFailed, text.clone()),
    }
    let Some(record) = outcome.record() else {
        // Nothing new is known of the volumes; what was stays.
        status.volumes.clone_from(&before.volumes);
        status.usage.clone_from(&before.usage);
        status.full_in.clone_from(&before.full_in);
        return status;
    };
    notes(&mut status, record, autoscaler.generation, now);
    status.usage = record.fullest().map(|(_, percent)| percent.to_string());
    status.full_in = full_in::of_all(record, before);
    status.volumes = record
        .volumes
        .iter()
        .map(|v| volume(v, before, gathered, now))
        .collect();
    status
}

fn phase(autoscaler: &Autoscaler, reason: Reason) -> Phase {
    match reason {
        _ if autoscaler.deleting => Phase::Terminating,
        Reason::DatabaseNotFound | Reason::NotMeasured => Phase::InProgress,
        Reason::InvalidPolicy | Reason::InternalError | Reason::DuplicateAutoscaler => Phase::Failed,
        _ => Phase::Current,
    }
}

/// Sets the conditions that hold beside the decision, and takes away those that do not any more.
fn notes(status: &mut Status, record: &Record, generation: Option<i64>, now: Timestamp) {
    for reason in NOTES {
        let messages: Vec<String> = record
            .notes
            .iter()
            .filter(|note| note.reason == reason)
            .map(Note::message)
            .collect();
        if messages.is_empty() {
            remove_condition(&mut status.conditions, reason.as_str());
            continue;
        }
        let condition = Condition::new(reason.as_str(), true, reason.as_str(), messages.join("; "));
        set_condition(&mut status.conditions, condition.observed(generation), now);
    }
}

fn volume(
    record: &decider_core::VolumeRecord,
    before: &Status,
    gathered: &Gathered,
    now: Timestamp,
) -> VolumeStatus {
    let reason = record.reason.as_str();
    let known = before
        .volumes
        .iter()
        .find(|v| v.claim == record.claim && v.reason.as_deref() == Some(reason));
    VolumeStatus {
        claim: record.claim.clone(),
        volume: gathered.volumes.get(&record.claim).map(|pv| pv.to_string()),
        node: record.node.clone(),
        capacity: record.usage.map(|u| u.capacity.to_string()),
        used: record.usage.map(|u| u.used.to_string()),
        available: record.usage.map(|u| u.available.to_string()),
        used_percent: record.usage.map(|u| u.percent().get().into()),
        rate: record.trend.rate.map(|rate| rate.to_string()),
        full_in: full_in::of(record),
        reason: Some(reason.to_owned()),
        message: Some(record.text.clone()),
        since: known
            .and_then(|v| v.since.clone())
            .or_else(|| Some(time_text(now))),
    }
}

/// Reasons that somebody should do something about, or at least know: told as a warning when they begin.
const fn needs_attention(reason: Reason) -> bool {
    !reason.is_trigger()
        && !matches!(
            reason,
            Reason::TriggerOff
                | Reason::BelowThreshold
                | Reason::IfReadySuperseded
                | Reason::RequestOpen
                | Reason::ResizeInFlight
                | Reason::NotFollowed
                | Reason::Shadow
                | Reason::NotMeasured
        )
}

/// A merge patch that leaves nothing of the former status: absent fields are taken away.
fn body(status: &Status) -> Value {
    let mut fields = json!({
        "phase": null, "observedGeneration": null, "conditions": [], "usage": null, "canGrow": null, "fullIn": null,
        "reason": null, "volumes": [], "lastDecision": null,
    });
    if let (Value::Object(all), Value::Object(some)) = (&mut fields, json!(status)) {
        all.extend(some);
    }
    json!({ "status": fields })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_absent_is_taken_away() {
        let body = body(&Status {
            usage: Some("1%".into()),
            ..Status::default()
        });
        assert_eq!(body["status"]["usage"], "1%");
        assert!(
            body["status"]["canGrow"].is_null()
                && body["status"].as_object().unwrap().contains_key("canGrow")
        );
        assert_eq!(body["status"]["volumes"], json!([]));
    }
}
