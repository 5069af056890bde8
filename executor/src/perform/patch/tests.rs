use api::{kubedb::v1::Postgres, ops::v1alpha1::PostgresOpsRequest, petset::v1::PetSet};
use control::whole::Whole;
use executor_core::{
    Update,
    request::{Condition, Phase, Stage, VolumeRecord},
};
use jiff::Timestamp;
use serde_json::{Value, json};
use units::{Bytes, Reason};

use super::{finalizers, pause, resume, status, template};
use crate::passed::Passed;

const NOW: &str = "2026-11-21T10:00:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn postgres() -> Whole<Postgres> {
    serde_json::from_value(json!({
        "metadata": {"name": "pg", "generation": 3}, "spec": {"version": "16.4"},
        "status": {"phase": "Ready", "conditions": [
            {"type": "Ready", "status": "True", "foreign": {"kept": true}},
            {"type": "Paused", "status": "False", "message": "of before"}]}
    }))
    .unwrap()
}

fn ready() -> Value {
    json!({"type": "Ready", "status": "True", "foreign": {"kept": true}})
}

#[test]
fn a_pause_replaces_a_pause_and_keeps_what_others_wrote_to_the_letter() {
    let body = pause(&postgres(), "for r", now());
    let paused = json!({"type": "Paused", "status": "True", "reason": "PauseDatabase", "message": "for r",
        "lastTransitionTime": NOW, "observedGeneration": 3});
    assert_eq!(body, json!({"status": {"conditions": [ready(), paused]}}));
    assert_eq!(resume(&postgres()), json!({"status": {"conditions": [ready()]}}));
}

#[test]
fn a_postgres_without_status_can_be_paused() {
    let bare: Whole<Postgres> =
        serde_json::from_value(json!({"metadata": {"name": "pg"}, "spec": {"version": "1"}})).unwrap();
    assert_eq!(
        pause(&bare, "for r", now())["status"]["conditions"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(resume(&bare), json!({"status": {"conditions": []}}));
}

#[test]
fn others_finalizers_stay() {
    let request: Whole<PostgresOpsRequest> = serde_json::from_value(
        json!({"metadata": {"name": "r", "finalizers": ["a/b", "highwater.dev/executor"]}, "spec": {}}),
    )
    .unwrap();
    assert_eq!(
        finalizers(&request, false),
        json!({"metadata": {"finalizers": ["a/b"]}})
    );
    assert_eq!(
        finalizers(&request, true),
        json!({"metadata": {"finalizers": ["a/b", "highwater.dev/executor"]}})
    );
}

#[test]
fn only_the_template_named_data_changes_and_what_we_do_not_know_stays() {
    let petset: Whole<PetSet> = serde_json::from_value(json!({
        "metadata": {"name": "pg"},
        "spec": {"volumeClaimTemplates": [
            {"metadata": {"name": "logs"}, "spec": {"resources": {"requests": {"storage": "1Gi"}}}},
            {"metadata": {"name": "data", "creationTimestamp": null}, "later": 1,
             "spec": {"volumeMode": "Filesystem", "resources": {"requests": {"storage": "1Gi"}}}}]}
    }))
    .unwrap();
    let body = template(&petset, Bytes::GIB.checked_mul_ratio(3, 1).unwrap()).unwrap();
    let templates = &body["spec"]["volumeClaimTemplates"];
    assert_eq!(templates[0]["spec"]["resources"]["requests"]["storage"], "1Gi");
    assert_eq!(templates[1]["spec"]["resources"]["requests"]["storage"], "3Gi");
    assert_eq!(
        (&templates[1]["later"], &templates[1]["spec"]["volumeMode"]),
        (&json!(1), &json!("Filesystem"))
    );
}

#[test]
fn a_set_without_such_a_template_cannot_be_patched() {
    let petset: Whole<PetSet> =
        serde_json::from_value(json!({"metadata": {"name": "pg"}, "spec": {"volumeClaimTemplates": []}}))
            .unwrap();
    assert_eq!(template(&petset, Bytes::GIB), None);
}

#[test]
fn a_status_keeps_others_conditions_and_the_time_of_a_stage() {
    let request: PostgresOpsRequest = serde_json::from_value(json!({
        "metadata": {"name": "r", "generation": 1}, "spec": {},
        "status": {"phase": "Progressing", "startedAt": "2026-11-21T09:00:00Z", "conditions": [
            {"type": "Foreign", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}],
            "volumes": [{"claim": "a", "stage": "Resizing", "since": "2026-11-21T09:30:00Z",
                         "stages": [{"stage": "Pending", "at": "2026-11-21T09:29:59.000Z"}]}]}
    }))
    .unwrap();
    let line = |claim: &str, stage| VolumeRecord {
        claim: claim.into(),
        from: Bytes::GIB,
        to: Bytes::GIB,
        stage,
        capacity: Bytes::GIB,
        reason: Reason::Resizing,
        message: "at work".into(),
        since: None,
    };
    let mut passed = Passed::default();
    for (stage, second) in [(Stage::Pending, 1), (Stage::Resizing, 2)] {
        let at = now()
            .checked_sub(jiff::SignedDuration::from_secs(10 - second))
            .unwrap();
        passed.see(vec![("a".into(), stage)], at);
    }
    let mut update = Update {
        phase: Some(Phase::Failed),
        conditions: vec![Condition {
            kind: "Failed".into(),
            status: true,
            reason: "Infeasible".into(),
            message: "no".into(),
            since: None,
        }],
        volumes: Some(vec![line("a", Stage::Resizing), line("b", Stage::Grown)]),
        members: None,
        attempts: None,
        starts: false,
    };
    let body = status(
        &request,
        &update,
        |claim| Some(format!("pv-{claim}")),
        &passed,
        now(),
    );
    let status = &body["status"];
    assert_eq!(status["phase"], "Failed");
    assert_eq!(status["conditions"][0]["type"], "Foreign");
    assert_eq!(status["conditions"][1]["lastTransitionTime"], NOW);
    assert_eq!(status["volumes"][0]["since"], "2026-11-21T09:30:00Z");
    assert_eq!(
        (&status["volumes"][1]["since"], &status["volumes"][1]["volume"]),
        (&json!(NOW), &json!("pv-b"))
    );
    assert!(
        status.get("startedAt").is_none() && status.get("attempts").is_none(),
        "what is absent stays as it is"
    );
    assert_eq!(
        status["volumes"][0]["stages"],
        json!([{"stage": "Pending", "at": "2026-11-21T09:29:59.000Z"}, {"stage": "Resizing", "at": "2026-11-21T09:59:52.000Z"}]),
        "the first time that a stage was seen"
    );
    assert_eq!(
        status["volumes"][1]["stages"],
        json!([{"stage": "Grown", "at": "2026-11-21T10:00:00.000Z"}])
    );
    update.starts = true;
    let body = super::status(&request, &update, |_| None, &Passed::default(), now());
    let again = &body["status"]["volumes"][0]["stages"];
    assert_eq!(
        again.as_array().map(Vec::len),
        Some(1),
        "of the present attempt: {again}"
    );
}

#[test]
fn what_the_decider_says_of_its_decision_comes_first_in_each_attempt() {
    let decided = json!({"at": "2026-11-21T09:29:58.25Z", "measured": {"a": "2026-11-21T09:29:58.2Z"}});
    let request: PostgresOpsRequest = serde_json::from_value(json!({
        "metadata": {"name": "r", "annotations": {"highwater.dev/decided": decided.to_string()}}, "spec": {},
        "status": {"volumes": [{"claim": "a", "stages": [{"stage": "Pending", "at": "2026-11-21T09:29:59.000Z"}]}]}
    }))
    .unwrap();
    let line = |claim: &str| VolumeRecord {
        claim: claim.into(),
        from: Bytes::GIB,
        to: Bytes::GIB,
        stage: Stage::Resizing,
        capacity: Bytes::GIB,
        reason: Reason::Resizing,
        message: "at work".into(),
        since: None,
    };
    let update = Update {
        volumes: Some(vec![line("a"), line("b")]),
        starts: true,
        ..Update::default()
    };
    let body = status(&request, &update, |_| None, &Passed::default(), now());
    let volumes = &body["status"]["volumes"];
    let resizing = json!({"stage": "Resizing", "at": "2026-11-21T10:00:00.000Z"});
    let decided = json!({"stage": "Decided", "at": "2026-11-21T09:29:58.250Z"});
    let measured = json!({"stage": "Measured", "at": "2026-11-21T09:29:58.200Z"});
    assert_eq!(volumes[0]["stages"], json!([measured, decided, resizing]));
    assert_eq!(
        volumes[1]["stages"],
        json!([decided, resizing]),
        "it was not measured"
    );
}
