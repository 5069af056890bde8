//! The status as a patch. Pure.

use api::{
    conditions::{Condition, remove_condition, set_condition},
    petset::v1::{PetSet, condition},
};
use jiff::Timestamp;
use provisioner_core::petset::{Note, Status};
use serde_json::{Value, json};

/// The patch that makes the status so; conditions of others stay.
pub(super) fn body(set: &PetSet, status: &Status, now: Timestamp) -> Value {
    let Status {
        observed_generation,
        replicas,
        ready,
        available,
        current,
        updated,
        current_revision,
        update_revision,
        collision_count,
        hold,
        notes,
    } = status;
    let mut conditions = set
        .status
        .as_ref()
        .map(|status| status.conditions.clone())
        .unwrap_or_default();
    for (type_, note) in [
        (condition::REPLICAS_CREATED, &notes.created),
        (condition::REPLICAS_READY, &notes.ready),
        (condition::HELD, &notes.held),
    ] {
        put(&mut conditions, type_, note.as_ref(), *observed_generation, now);
    }
    json!({ "status": {
        "observedGeneration": observed_generation,
        "replicas": replicas,
        "readyReplicas": ready,
        "availableReplicas": available,
        "currentReplicas": current,
        "updatedReplicas": updated,
        "currentRevision": current_revision,
        "updateRevision": update_revision,
        "collisionCount": collision_count,
        "hold": hold.as_ref().map(|hold| json!({ "ordinal": hold.ordinal, "uid": hold.uid })),
        "conditions": if conditions.is_empty() { Value::Null } else { json!(conditions) },
    } })
}

fn put(
    conditions: &mut Vec<Condition>,
    type_: &str,
    note: Option<&Note>,
    generation: Option<i64>,
    now: Timestamp,
) -> bool {
    match note {
        None => remove_condition(conditions, type_),
        Some(Note {
            is_true,
            reason,
            message,
        }) => {
            let condition = Condition::new(type_, *is_true, reason, message.clone()).observed(generation);
            set_condition(conditions, condition, now)
        }
    }
}
