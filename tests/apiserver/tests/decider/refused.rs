//! An API server that refuses the status for a while: what it refused is written once it does not.

use serde_json::json;

use crate::{
    bed::Bed,
    server::{send, try_send, until},
    world::{GIB, World, condition, percent},
};

const POLICIES: &str = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies";
const BINDINGS: &str = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings";

/// Refuses every status of the namespace's autoscalers, from when this returns.
async fn refuse_status(world: &World) {
    let policy = json!({"metadata": {"name": "no-status"}, "spec": {
        "matchConstraints": {"resourceRules": [{
            "apiGroups": ["autoscaling.kubedb.com"], "apiVersions": ["*"], "operations": ["UPDATE"],
            "resources": ["postgresautoscalers/status"]}]},
        "validations": [{"expression": "false", "message": "not now"}]}});
    send(&world.client, "POST", POLICIES, &policy).await;
    let binding = json!({"metadata": {"name": "no-status"}, "spec": {
        "policyName": "no-status", "validationActions": ["Deny"],
        "matchResources": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": world.ns}}}}});
    send(&world.client, "POST", BINDINGS, &binding).await;
    let tried = format!("{}/status?dryRun=All", world.autoscalers("pg-as"));
    until("it is refused", async || {
        let status = json!({"status": {"fullIn": "1h"}});
        try_send(&world.client, "PATCH", &tried, &status).await.is_err()
    })
    .await;
}

#[tokio::test]
async fn a_status_that_was_refused_is_written_when_it_is_not() {
    let bed = Bed::new().await;
    let world = World::new(&bed, "refused").await;
    world.database("pg", 1).await;
    world.autoscaler("pg-as", "pg", json!({})).await;
    let decider = bed.decider().await;
    let mut agent = world.agent();
    agent.report_to(decider.address);
    let pv = world.pv("pg", 0);
    agent.measures(&pv, GIB, GIB / 2);
    world.reason("pg-as", "BelowThreshold").await;
    refuse_status(&world).await;

    let refused = || {
        decider.metric("highwater_decider_api_requests_total", "code=\"422\"")
            + decider.metric("highwater_decider_api_requests_total", "code=\"403\"")
    };
    let before = refused();
    agent.measures(&pv, GIB, percent(90, GIB));
    let request = world.requests_are(1).await.remove(0);
    until("it was refused, and again", async || refused() - before > 1.5).await;
    let name = request["metadata"]["name"].as_str().unwrap();
    // What guards against growing without end does not wait for the status.
    until("the growth is kept in the annotation", async || {
        let autoscaler = world.get_autoscaler("pg-as").await;
        assert_eq!(autoscaler["status"]["reason"], "BelowThreshold");
        let kept = &autoscaler["metadata"]["annotations"]["highwater.dev/modifications"];
        kept.as_str().is_some_and(|text| text.contains(name))
    })
    .await;

    for path in [BINDINGS, POLICIES] {
        send(&world.client, "DELETE", &format!("{path}/no-status"), &json!({})).await;
    }
    // The growth was decided long ago; it is told all the same.
    let autoscaler = world.reason("pg-as", "RequestOpen").await;
    assert_eq!(autoscaler["status"]["lastDecision"]["request"], name);
    assert!(
        condition(&autoscaler, "CreateOpsRequest").is_some(),
        "{autoscaler}"
    );
    assert_eq!(world.requests().await.len(), 1);
    decider.stop().await;
}
