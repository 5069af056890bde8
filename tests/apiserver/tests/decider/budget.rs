//! What a provider lets be modified, and what has been.

use serde_json::json;

use crate::{
    bed::Bed,
    server::send,
    world::{GIB, World, percent},
};

#[tokio::test]
async fn a_claim_edited_by_hand_has_spent_a_modification() {
    let bed = Bed::new().await;
    let world = World::new(&bed, "edited").await;
    // Older than the claims, so that nothing before them is unknown.
    world.autoscaler("pg-as", "pg", json!({})).await;
    world.database("pg", 1).await;
    let profiles = "/apis/highwater.dev/v1alpha1/storageprofiles";
    let profile = json!({"apiVersion": "highwater.dev/v1alpha1", "kind": "StorageProfile", "metadata": {"name": "once"},
        "spec": {"storageClassName": "fast", "modifications": {"count": 1, "window": "24h"}}});
    send(&world.client, "POST", profiles, &profile).await;
    let larger = json!({"spec": {"resources": {"requests": {"storage": "2Gi"}}}});
    let by_hand = world.core("persistentvolumeclaims", "data-pg-0?fieldManager=kubectl-edit");
    send(&world.client, "PATCH", &by_hand, &larger).await;
    world.grow_claim("data-pg-0", "2Gi").await;
    let decider = bed.decider().await;
    let mut agent = world.agent();
    agent.report_to(decider.address);
    agent.measures(&world.pv("pg", 0), 2 * GIB, percent(81, 2 * GIB));
    world.reason("pg-as", "BudgetSpent").await;
    assert!(world.requests().await.is_empty());
    send(&world.client, "DELETE", &format!("{profiles}/once"), &json!({})).await;
    world.requests_are(1).await;
    decider.stop().await;
}
