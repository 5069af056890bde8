//! A PostgresOpsRequest as the decider needs it, and what the decider writes on those it makes.

use std::collections::BTreeMap;

use api::{
    conditions,
    ops::v1alpha1::{Apply, ExpandedVolume, Phase, PostgresOpsRequest, RequestType},
};
use jiff::Timestamp;
use kube::ResourceExt;
use serde::{Deserialize, Serialize};
use units::{Bytes, Reason};

use crate::Uid;

/// Annotation of a request: the size it starts from, a quantity.
pub const BASE: &str = "highwater.dev/base";
/// Annotation of a request: how many requests of its autoscaler had ended at its base before.
pub const ATTEMPT: &str = "highwater.dev/attempt";
/// Annotation of a request: what each claim had when it was decided, JSON. Only a filesystem that has grown
/// beyond this has followed.
pub const SEEN: &str = "highwater.dev/seen";

/// A VolumeExpansion request. Other types do not concern the decider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Its uid.
    pub uid: String,
    /// The Postgres, in its namespace.
    pub database: String,
    /// Uid of the autoscaler that made it; empty if it was made by hand.
    pub autoscaler: Uid,
    /// Its phase; Pending if nobody has written one.
    pub phase: Phase,
    /// When it was made.
    pub created: Timestamp,
    /// When it began to run, if it has: waiting for its turn, or for the database to be Ready, is over.
    pub started: Option<Timestamp>,
    /// When it ended, if it has.
    pub ended: Option<Timestamp>,
    /// Why it failed, if it did and says so.
    pub failure: Option<Reason>,
    /// A claim has grown for it, as far as its status says, whatever became of the others.
    pub grew_some: bool,
    /// It carries `apply: IfReady`, and the executor says that it waits for the database to be Ready.
    pub waits_for_ready: bool,
    /// The size it starts from.
    pub base: Option<Bytes>,
    /// Its attempt at that size.
    pub attempt: u32,
    /// The size it asks for.
    pub to: Option<Bytes>,
    /// What each claim had before.
    pub seen: BTreeMap<String, Before>,
}

/// What a claim had when a growth was decided, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// `status.capacity` of the claim.
    pub claim: u64,
    /// Capacity of the filesystem.
    pub filesystem: u64,
}

impl Request {
    /// `None` for other types than VolumeExpansion.
    #[must_use]
    pub fn of(object: PostgresOpsRequest) -> Option<Self> {
        if object.spec.type_ != Some(RequestType::VolumeExpansion) {
            return None;
        }
        let status = object.status.clone().unwrap_or_default();
        let phase = status.phase.clone().unwrap_or(Phase::Pending);
        let created = object.metadata.creation_timestamp.as_ref().map(|t| t.0)?;
        let annotation = |key: &str| object.annotations().get(key);
        let maker = |o: &&k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference| {
            o.kind == "PostgresAutoscaler"
        };
        let size = object
            .spec
            .volume_expansion
            .as_ref()
            .and_then(|v| v.postgres.as_ref());
        let seen: BTreeMap<String, Before> = annotation(SEEN)
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        Some(Self {
            uid: object.uid()?,
            database: object.spec.database_ref.name.clone(),
            autoscaler: object
                .owner_references()
                .iter()
                .find(maker)
                .map(|o| o.uid.as_str().into())
                .unwrap_or_default(),
            ended: phase
                .is_final()
                .then(|| ended(&phase, &status.conditions).unwrap_or(created)),
            failure: (phase == Phase::Failed)
                .then(|| failure(&status.conditions))
                .flatten(),
            started: conditions::find(&status.conditions, Reason::Running.as_str())
                .filter(|c| c.is_true())
                .and_then(|c| c.last_transition_time.as_ref()?.parse().ok()),
            grew_some: status.volumes.iter().any(|line| has_grown(line, &seen)),
            waits_for_ready: waits_for_ready(&object, &phase, &status.conditions),
            phase,
            created,
            base: annotation(BASE).and_then(|text| Bytes::parse_quantity(text).ok()),
            attempt: annotation(ATTEMPT)
                .and_then(|text| text.parse().ok())
                .unwrap_or(0),
            to: size.and_then(|text| text.bytes().ok()),
            seen,
        })
    }

    /// It can still change something.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.ended.is_none()
    }

    /// It ended without doing what it was made for.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        matches!(self.phase, Phase::Failed | Phase::Denied)
    }

    /// It ended without any claim having grown for it, as far as it says. One that failed may have grown some before it did: what
    /// the provider has modified is spent.
    #[must_use]
    pub fn grew_nothing(&self) -> bool {
        let ended_early = self.has_failed() || self.phase == Phase::Skipped;
        ended_early && !self.grew_some
    }
}

#[cfg(test)]
impl Request {
    /// One of a test's autoscaler, of which nothing but this is known.
    pub(crate) fn made(uid: &str, phase: Phase, created: Timestamp) -> Self {
        Self {
            uid: uid.into(),
            database: "pg".into(),
            autoscaler: "a".into(),
            phase,
            created,
            started: None,
            ended: None,
            failure: None,
            grew_some: false,
            waits_for_ready: false,
            base: None,
            attempt: 0,
            to: Some(Bytes::GIB),
            seen: BTreeMap::new(),
        }
    }
}

/// What the executor writes of a request in its queue that waits for the database to be Ready.
fn waits_for_ready(object: &PostgresOpsRequest, phase: &Phase, conditions: &[conditions::Condition]) -> bool {
    let running = conditions::find(conditions, Reason::Running.as_str());
    object.spec.apply == Some(Apply::IfReady)
        && matches!(phase, Phase::Pending | Phase::Approved)
        && running
            .is_some_and(|c| !c.is_true() && c.reason.as_deref() == Some(Reason::DatabaseNotReady.as_str()))
}

/// The device has grown: the claim has more than before, or says that only the node's step is to come. What the claim had is taken
/// from the decision where it is known, since a request that is tried again begins with what it left.
fn has_grown(line: &ExpandedVolume, seen: &BTreeMap<String, Before>) -> bool {
    let size = |text: &Option<String>| Bytes::parse_quantity(text.as_deref()?).ok();
    let before = seen.get(&line.claim).map(|before| Bytes::new(before.claim));
    let before = before.or_else(|| size(&line.from));
    let has_more = size(&line.capacity)
        .zip(before)
        .is_some_and(|(has, had)| has > had);
    let stage = line.stage.as_deref().and_then(Reason::of_word);
    has_more
        || matches!(
            stage,
            Some(Reason::FileSystemPending | Reason::FinishesAtNextMount)
        )
}

/// The reason of the condition that says so.
fn failure(conditions: &[conditions::Condition]) -> Option<Reason> {
    let word = conditions::find(conditions, Phase::Failed.as_str())?
        .reason
        .as_deref()?;
    Reason::of_word(word)
}

/// The time of the condition that is named as the phase, else of the last one.
fn ended(phase: &Phase, conditions: &[conditions::Condition]) -> Option<Timestamp> {
    let own = conditions::find(conditions, phase.as_str());
    let times = own.into_iter().chain(conditions.iter().rev());
    times
        .filter_map(|c| c.last_transition_time.as_ref()?.parse().ok())
        .next()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Request;

    #[test]
    fn a_failed_request_that_grew_a_claim_has_not_grown_nothing() {
        let request = |phase: &str, lines: serde_json::Value| {
            let object = serde_json::from_value(json!({
                "metadata": {"name": "r", "namespace": "demo", "uid": "u", "creationTimestamp": "2026-11-21T12:00:00Z",
                    "annotations": {"highwater.dev/seen": r#"{"data-pg-0": {"claim": 1073741824, "filesystem": 1000000000}}"#}},
                "spec": {"type": "VolumeExpansion", "databaseRef": {"name": "pg"}},
                "status": {"phase": phase, "volumes": lines},
            }));
            Request::of(object.unwrap()).unwrap()
        };
        let line = |claim: &str, from: &str, stage: &str, capacity: &str| json!({"claim": claim, "from": from, "to": "2Gi", "stage": stage, "capacity": capacity});
        let untouched = line("data-pg-2", "1Gi", "Resizing", "1Gi");
        for (grew, one) in [
            (false, untouched.clone()),
            (false, line("data-pg-1", "2Gi", "Grown", "2Gi")),
            (true, line("data-pg-1", "1Gi", "Grown", "2Gi")),
            (true, line("data-pg-1", "1Gi", "FileSystemPending", "1Gi")),
            // Tried again: it began with what the first try had grown.
            (true, line("data-pg-0", "2Gi", "Grown", "2Gi")),
        ] {
            let failed = request("Failed", json!([one, untouched]));
            assert!(failed.has_failed());
            assert_eq!(failed.grew_nothing(), !grew, "{one}");
        }
        assert!(!request("Progressing", json!([untouched])).grew_nothing());
        assert!(request("Skipped", json!([])).grew_nothing());
    }

    #[test]
    fn a_request_waits_for_ready_when_the_executor_says_so() {
        let waits = |apply: &str, phase: &str, status: &str, reason: &str| {
            let object = serde_json::from_value(json!({
                "metadata": {"name": "r", "namespace": "demo", "uid": "u", "creationTimestamp": "2026-11-21T12:00:00Z"},
                "spec": {"type": "VolumeExpansion", "databaseRef": {"name": "pg"}, "apply": apply},
                "status": {"phase": phase, "conditions": [
                    {"type": "Running", "status": status, "reason": reason}]},
            }));
            Request::of(object.unwrap()).unwrap().waits_for_ready
        };
        assert!(waits("IfReady", "Pending", "False", "DatabaseNotReady"));
        assert!(waits("IfReady", "Approved", "False", "DatabaseNotReady"));
        assert!(!waits("IfReady", "Pending", "False", "Queued"));
        assert!(!waits("IfReady", "Progressing", "True", "Running"));
        assert!(!waits("IfReady", "Skipped", "False", "DatabaseNotReady"));
        assert!(!waits("Always", "Pending", "False", "DatabaseNotReady"));
    }
}
