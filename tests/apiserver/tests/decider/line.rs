//! From a crossing to a request, and from one request to the next.

use std::sync::{
    Barrier, LazyLock,
    atomic::{AtomicUsize, Ordering},
};

use api::ops::v1alpha1::Decided;
use decider_core::{Database, Decision, Policy, Profile, decide};
use jiff::Timestamp;
use runtime::clock::{Clock as _, SystemClock};
use serde_json::json;

use crate::{
    bed::{Bed, How},
    server::until,
    world::{GIB, World, condition, percent},
};

#[tokio::test]
async fn a_crossing_makes_exactly_one_request_and_the_next_crossing_the_next() {
    let bed = Bed::new().await;
    let world = World::new(&bed, "crossing").await;
    world.database("pg", 1).await;
    world.autoscaler("pg-as", "pg", json!({})).await;
    let decider = bed.decider().await;
    let mut agent = world.agent();
    agent.report_to(decider.address);
    let pv = world.pv("pg", 0);
    agent.measures(&pv, GIB, GIB / 2);
    world.reason("pg-as", "BelowThreshold").await;
    assert!(world.requests().await.is_empty());

    let now = || Timestamp::from_millisecond(SystemClock.now().as_millisecond()).unwrap();
    let before = now();
    agent.measures(&pv, GIB, percent(81, GIB));
    let request = world.requests_are(1).await.remove(0);
    let times = request["metadata"]["annotations"]["highwater.dev/decided"].as_str();
    let times: Decided = serde_json::from_str(times.unwrap()).unwrap();
    let way = [before, times.measured["data-pg-0"], times.at, SystemClock.now()];
    assert!(way.is_sorted(), "{way:?}");
    let autoscaler = world.reason("pg-as", "RequestOpen").await;

    let meta = &request["metadata"];
    let name = meta["name"].as_str().unwrap();
    assert!(
        name.starts_with("pgops-pg-") && name.len() == "pgops-pg-".len() + 6,
        "{name}"
    );
    assert_eq!(meta["labels"]["app.kubernetes.io/instance"], "pg");
    assert_eq!(meta["labels"]["app.kubernetes.io/managed-by"], "kubedb.com");
    let owner = &meta["ownerReferences"][0];
    assert_eq!(
        (owner["kind"].as_str(), owner["name"].as_str()),
        (Some("PostgresAutoscaler"), Some("pg-as"))
    );
    assert_eq!(owner["uid"], autoscaler["metadata"]["uid"]);
    assert_eq!(
        (
            owner["controller"].as_bool(),
            owner["blockOwnerDeletion"].as_bool()
        ),
        (Some(true), Some(true))
    );
    assert_eq!(
        request["spec"],
        json!({"type": "VolumeExpansion", "databaseRef": {"name": "pg"}, "apply": "Always", "maxRetries": 3,
               "timeout": "7m", "volumeExpansion": {"mode": "Online", "postgres": "1536Mi"}})
    );

    let status = &autoscaler["status"];
    assert_eq!(
        (status["phase"].as_str(), status["canGrow"].as_str()),
        (Some("Current"), Some("Yes"))
    );
    assert_eq!(status["usage"], "81%");
    let volume = &status["volumes"][0];
    assert_eq!(
        (volume["claim"].as_str(), volume["node"].as_str()),
        (Some("data-pg-0"), Some("node-1"))
    );
    assert_eq!(
        (volume["capacity"].as_str(), volume["reason"].as_str()),
        (Some("1Gi"), Some("ThresholdExceeded"))
    );
    let decision = &status["lastDecision"];
    assert_eq!(
        (decision["from"].as_str(), decision["to"].as_str()),
        (Some("1Gi"), Some("1536Mi"))
    );
    assert_eq!(decision["request"], name);
    let created = condition(&autoscaler, "CreateOpsRequest").expect("KubeDB's condition");
    assert_eq!(
        created["message"],
        format!("Successfully created PostgresOpsRequest crossing/{name}")
    );
    until("an Event", async || {
        world.has_event("pg-as", "CreateOpsRequest").await
    })
    .await;
    until("the Postgres owns it", async || {
        world.get_autoscaler("pg-as").await["metadata"]["ownerReferences"][0]["kind"] == "Postgres"
    })
    .await;

    // Carried out, but the agent still sees the filesystem of before: nothing is judged by it.
    world.grow_claim("data-pg-0", "1536Mi").await;
    world.end(&request, "Successful").await;
    world.reason("pg-as", "NotFollowed").await;
    agent.measures(&pv, GIB * 3 / 2, percent(81, GIB));
    world.reason("pg-as", "BelowThreshold").await;
    assert_eq!(world.requests().await.len(), 1);

    agent.measures(&pv, GIB * 3 / 2, percent(85, GIB * 3 / 2));
    let requests = world.requests_are(2).await;
    let sizes: Vec<_> = requests
        .iter()
        .map(|r| r["spec"]["volumeExpansion"]["postgres"].as_str().unwrap())
        .collect();
    assert_eq!(sizes, ["1536Mi", "2304Mi"]);
    for stage in ["crossing_to_request", "sample_age_at_decision"] {
        let of_both = |what| decider.metric(&format!("highwater_decider_{stage}_seconds_{what}"), "");
        let (count, sum) = (of_both("count"), of_both("sum"));
        assert!(count == 2.0 && sum < 10.0, "{stage}: {count} times, {sum} s");
    }
    // No write of an autoscaler that is another since.
    let refused = decider.metric("highwater_decider_api_requests_total", "code=\"409\"");
    assert!(refused == 0.0, "{refused} writes were refused as outdated");
    decider.stop().await;
}

#[tokio::test]
async fn a_failed_request_does_not_block_the_next() {
    let bed = Bed::new().await;
    let world = World::new(&bed, "failed").await;
    world.database("pg", 1).await;
    world.autoscaler("pg-as", "pg", json!({})).await;
    let decider = bed.decider().await;
    let mut agent = world.agent();
    agent.report_to(decider.address);
    agent.measures(&world.pv("pg", 0), GIB, percent(90, GIB));
    let first = world.requests_are(1).await.remove(0);
    world.end(&first, "Failed").await;
    let requests = world.requests_are(2).await;
    let second = requests
        .iter()
        .find(|r| r["metadata"]["name"] != first["metadata"]["name"])
        .unwrap();
    assert_eq!(second["metadata"]["annotations"]["highwater.dev/attempt"], "1");
    assert_eq!(
        second["spec"]["volumeExpansion"], first["spec"]["volumeExpansion"],
        "a retry asks for no more"
    );
    decider.stop().await;
}

/// Decides, and waits with the first growth until the other decider wants it too.
fn together(db: &Database, policy: &Policy, profile: &Profile, now: Timestamp) -> Decision {
    static FIRST: AtomicUsize = AtomicUsize::new(0);
    static BOTH: LazyLock<Barrier> = LazyLock::new(|| Barrier::new(2));
    let decision = decide(db, policy, profile, now);
    if matches!(decision, Decision::Expand { .. }) && FIRST.fetch_add(1, Ordering::SeqCst) < 2 {
        BOTH.wait();
    }
    decision
}

/// The worst case of leadership: both believe that they lead, and want the same at the same time.
#[tokio::test(flavor = "multi_thread", worker_threads = 6)]
async fn two_deciders_make_one_request() {
    let bed = Bed::new().await;
    let world = World::new(&bed, "two-deciders").await;
    world.database("pg", 3).await;
    world.autoscaler("pg-as", "pg", json!({})).await;
    let how = || How {
        decide: together,
        ..How::default()
    };
    let deciders = [bed.decider_with(how()).await, bed.decider_with(how()).await];
    let mut agent = world.agent();
    for ordinal in 0..3 {
        agent.measures(&world.pv("pg", ordinal), GIB, percent(90, GIB));
    }
    deciders
        .iter()
        .for_each(|decider| agent.report_to(decider.address));
    for decider in &deciders {
        until("both have wanted it", async || {
            decider.metric("highwater_decider_decisions_total", "ThresholdExceeded") >= 1.0
        })
        .await;
        until("and both hold since", async || {
            decider.metric("highwater_decider_autoscalers", "RequestOpen") >= 1.0
        })
        .await;
    }
    assert_eq!(world.requests().await.len(), 1);
    for decider in deciders {
        decider.stop().await;
    }
}

#[tokio::test]
async fn one_that_does_not_lead_decides_and_writes_nothing() {
    let bed = Bed::new().await;
    let world = World::new(&bed, "follower").await;
    world.database("pg", 1).await;
    world.autoscaler("pg-as", "pg", json!({})).await;
    let decider = bed
        .decider_with(How {
            leads: false,
            ..How::default()
        })
        .await;
    let mut agent = world.agent();
    agent.report_to(decider.address);
    agent.measures(&world.pv("pg", 0), GIB, percent(90, GIB));
    until("it has decided", async || {
        decider.metric("highwater_decider_decisions_total", "ThresholdExceeded") >= 1.0
    })
    .await;
    assert!(world.requests().await.is_empty());
    assert!(world.get_autoscaler("pg-as").await["status"].is_null());
    assert!(decider.writes() < 0.5);
    decider.stop().await;
}

/// A new decider knows from the objects alone what the old one did.
#[tokio::test]
async fn a_restart_doubles_nothing() {
    let bed = Bed::new().await;
    let world = World::new(&bed, "restart").await;
    world.database("pg", 1).await;
    world.autoscaler("pg-as", "pg", json!({})).await;
    let mut agent = world.agent();
    let pv = world.pv("pg", 0);
    agent.measures(&pv, GIB, percent(90, GIB));
    let decider = bed.decider().await;
    agent.report_to(decider.address);
    let request = world.requests_are(1).await.remove(0);
    world.reason("pg-as", "RequestOpen").await;
    agent.die().await;
    decider.stop().await;

    let decider = bed.decider().await;
    agent.report_to(decider.address);
    until("it holds", async || {
        decider.metric("highwater_decider_autoscalers", "RequestOpen") >= 1.0
    })
    .await;
    world.grow_claim("data-pg-0", "1536Mi").await;
    world.end(&request, "Successful").await;
    world.reason("pg-as", "NotFollowed").await;
    agent.die().await;
    decider.stop().await;

    let decider = bed.decider().await;
    agent.report_to(decider.address);
    until("it still waits for the filesystem", async || {
        decider.metric("highwater_decider_autoscalers", "NotFollowed") >= 1.0
    })
    .await;
    assert_eq!(world.requests().await.len(), 1);
    decider.stop().await;
}
