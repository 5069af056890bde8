//! Whether a database can grow is said before it has to.

use jiff::{SignedDuration, Timestamp};
use runtime::clock::{Clock, SystemClock};
use serde_json::{Value, json};

use crate::{
    bed::Bed,
    server::{get, send, until},
    world::{GIB, World, condition, percent},
};

const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
/// Of the class `fast`.
const LEASE: &str = "/apis/coordination.k8s.io/v1/namespaces/default/leases/external-resizer-loop-test";

/// A resizer's Lease, renewed last at this second of a minute long ago.
fn lease(second: u8) -> Value {
    let renewed = format!("2026-01-01T00:00:0{second}.000000Z");
    json!({"metadata": {"name": "external-resizer-loop-test"},
        "spec": {"holderIdentity": "resizer", "leaseDurationSeconds": 2, "renewTime": renewed}})
}

#[tokio::test]
async fn that_the_resizer_is_gone_is_told_before_it_is_needed() {
    let bed = Bed::new().await;
    let world = World::new(&bed, "resizer").await;
    world.database("pg", 1).await;
    world.autoscaler("pg-as", "pg", json!({})).await;
    send(&world.client, "POST", LEASES, &lease(0)).await;
    let decider = bed.decider().await;
    let mut agent = world.agent();
    agent.report_to(decider.address);
    let pv = world.pv("pg", 0);
    agent.measures(&pv, GIB, GIB / 2);
    let said = async || can_grow(&world, "pg-as").await;
    let is_said = async |why: &str| {
        until(why, async || {
            said().await.is_some_and(|[_, reason, _]| reason == why)
        })
        .await;
    };
    is_said("NobodyResizes").await;
    let [_, _, message] = said().await.unwrap();
    assert!(
        message.contains("the resizer of driver loop.test is gone: Lease default/external-resizer-loop-test"),
        "{message}"
    );
    // It is back, by a clock that is behind.
    send(&world.client, "PATCH", LEASE, &lease(5)).await;
    is_said("CanGrow").await;

    // It is gone again. A growth that was carried out since shows that somebody resizes without a Lease.
    is_said("NobodyResizes").await;
    agent.measures(&pv, GIB, percent(81, GIB));
    let request = world.requests_are(1).await.remove(0);
    world.grow_claim("data-pg-0", "2Gi").await;
    let ended = SystemClock.now() + SignedDuration::from_secs(1);
    let successful = json!({"status": {"phase": "Successful", "conditions": [
        {"type": "Successful", "status": "True", "lastTransitionTime": format!("{ended:.0}")}]}});
    let name = request["metadata"]["name"].as_str().unwrap();
    send(
        &world.client,
        "PATCH",
        &world.ops(&format!("{name}/status")),
        &successful,
    )
    .await;
    agent.measures(&pv, 2 * GIB, GIB);
    is_said("CanGrow").await;
    decider.stop().await;
}

/// What the autoscaler of this name says of its ability to grow: status, reason and message.
pub(crate) async fn can_grow(world: &World, name: &str) -> Option<[String; 3]> {
    let object = world.get_autoscaler(name).await;
    let condition = condition(&object, "CanGrow")?;
    Some(
        ["status", "reason", "message"].map(|field| condition[field].as_str().unwrap_or_default().to_owned()),
    )
}

/// Waits until it says that it cannot, for this reason and in these words.
pub(crate) async fn cannot_grow(world: &World, name: &str, reason: &str, words: &[&str]) {
    until(&format!("{name} cannot grow: {reason}"), async || {
        let said = can_grow(world, name).await;
        said.is_some_and(|[status, why, _]| status == "False" && why == reason)
    })
    .await;
    let [_, _, message] = can_grow(world, name).await.unwrap();
    for word in words {
        assert!(message.contains(word), "{name}: {message}");
    }
}

/// A class with a profile of its own.
async fn class(world: &World, name: &str, profile: Value) {
    let class = json!({"metadata": {"name": name}, "provisioner": "loop.test", "allowVolumeExpansion": true});
    send(
        &world.client,
        "POST",
        "/apis/storage.k8s.io/v1/storageclasses",
        &class,
    )
    .await;
    let mut spec = json!({"storageClassName": name});
    spec.as_object_mut()
        .unwrap()
        .extend(profile.as_object().unwrap().clone());
    let profile = json!({"apiVersion": "highwater.dev/v1alpha1", "kind": "StorageProfile",
                         "metadata": {"name": name}, "spec": spec});
    let path = "/apis/highwater.dev/v1alpha1/storageprofiles";
    send(&world.client, "POST", path, &profile).await;
}

/// Waits until what is made is younger than this claim, in the whole seconds that objects have.
async fn a_second_after(world: &World, claim: &str) {
    let claim = get(&world.client, &world.core("persistentvolumeclaims", claim)).await;
    let made = claim["metadata"]["creationTimestamp"].as_str().unwrap();
    let made: Timestamp = made.parse().unwrap();
    let passed = async || SystemClock.now().as_second() > made.as_second();
    until("a second has passed", passed).await;
}

/// Half full, all of them: nothing is needed.
#[tokio::test]
async fn each_thing_that_is_in_the_way_is_told_while_there_is_time() {
    let bed = Bed::new().await;
    let world = World::new(&bed, "barriers").await;
    class(&world, "narrow", json!({})).await;
    class(&world, "largest", json!({"maximumSize": "1Gi"})).await;
    let once = json!({"modifications": {"count": 1, "window": "24h"}});
    class(&world, "spent", once).await;
    let decider = bed.decider().await;
    let mut agent = world.agent();
    agent.report_to(decider.address);
    for (name, class) in [
        ("fixed", "fixed"),
        ("narrow", "narrow"),
        ("largest", "largest"),
        ("spent", "spent"),
        ("unseen", "fast"),
    ] {
        world.postgres(name).await;
        world.member(name, 0, class).await;
        if name == "spent" {
            // Claims that are older than their autoscaler may have been modified before it began to count.
            a_second_after(&world, "data-spent-0").await;
        }
        world.autoscaler(name, name, json!({})).await;
        if name != "unseen" {
            agent.measures(&world.pv(name, 0), GIB, GIB / 2);
        }
    }
    let all = json!({"narrow.storageclass.storage.k8s.io/requests.storage": "1Gi"});
    let quota = json!({"metadata": {"name": "disk"}, "spec": {"hard": all}});
    send(&world.client, "POST", &world.core("resourcequotas", ""), &quota).await;
    let used = json!({"status": {"hard": all, "used": all}});
    let path = world.core("resourcequotas", "disk/status");
    send(&world.client, "PATCH", &path, &used).await;

    for (name, reason, words) in [
        (
            "fixed",
            "NotExpandable",
            ["storage class \"fixed\"", "allowVolumeExpansion"],
        ),
        (
            "narrow",
            "QuotaExceeded",
            ["ResourceQuota disk", "leaves no growth"],
        ),
        ("largest", "AtMaximumSize", ["maximumSize 1Gi", "largest"]),
        (
            "spent",
            "BudgetSpent",
            ["allows 1 modifications", "is not known and counts as spent"],
        ),
        ("unseen", "NotMeasured", ["data-unseen-0", "agent"]),
    ] {
        cannot_grow(&world, name, reason, &words).await;
    }
    assert!(world.requests().await.is_empty());
    decider.stop().await;
}

/// Nobody has resized for the last request: that is in the way of the next one, too.
#[tokio::test]
async fn a_resizer_that_did_not_answer_is_in_the_way() {
    let bed = Bed::new().await;
    let world = World::new(&bed, "no-resizer").await;
    world.database("pg", 1).await;
    world.autoscaler("pg", "pg", json!({})).await;
    let decider = bed.decider().await;
    let mut agent = world.agent();
    agent.report_to(decider.address);
    let pv = world.pv("pg", 0);
    agent.measures(&pv, GIB, percent(81, GIB));
    let request = world.requests_are(1).await.remove(0);
    agent.measures(&pv, GIB, GIB / 2);
    let name = request["metadata"]["name"].as_str().unwrap();
    let failed = json!({"status": {"phase": "Failed", "conditions": [
        {"type": "Failed", "status": "True", "reason": "NobodyResizes",
         "lastTransitionTime": request["metadata"]["creationTimestamp"]}]}});
    let path = world.ops(&format!("{name}/status"));
    send(&world.client, "PATCH", &path, &failed).await;
    cannot_grow(&world, "pg", "NobodyResizes", &[name, "csi-resizer"]).await;
    decider.stop().await;
}
