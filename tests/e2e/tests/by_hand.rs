//! What a user can get wrong by hand ends in a condition that says what to do; done, the database comes up.

use std::time::Duration;

use anyhow::{Context, ensure};
use e2e::{Managed, Objects, objects::kinds, scenario, wait};
use serde_json::{Value, json};

const SIZE: &str = "400Mi";

/// A database of one member with something wrong in its spec; waits for the word and the remedy.
async fn wrong(
    objects: &Objects,
    name: &str,
    spec: Value,
    reason: &str,
    says: &[&str],
) -> anyhow::Result<Managed> {
    let db = Managed::create(objects, name, 1, SIZE, spec).await?;
    let told = db.until_said("Failure", "True", reason).await?;
    println!("{name}: {told}");
    for words in says {
        ensure!(told.contains(words), "{name}: not {words:?} in {told}");
    }
    Ok(db)
}

#[tokio::test]
async fn a_missing_image_and_class_a_full_node_and_a_quota_are_told_with_the_remedy() {
    scenario("by-hand", async |_, objects| {
        let version = format!("missing-{}", objects.namespace());
        objects
            .apply(&json!({
                "apiVersion": "catalog.kubedb.com/v1alpha1", "kind": "PostgresVersion", "metadata": {"name": version},
                "spec": {"version": "15.0", "db": {"image": "localhost/nowhere:1"}},
            }))
            .await?;
        let storage = |class: &str| {
            json!({
                "storageClassName": class, "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": SIZE}},
            })
        };
        let large = json!({"spec": {"containers": [{"name": "postgres", "resources": {"requests": {"cpu": "1000"}}}]}});
        let all = async {
            tokio::try_join!(
                wrong(
                    &objects,
                    "image",
                    json!({"version": version}),
                    "ImagePullFailed",
                    &["pod image-0", "localhost/nowhere:1", "correct the image", "spec.db.image"]
                ),
                wrong(
                    &objects,
                    "class",
                    json!({"storage": storage("nowhere")}),
                    "ClaimPending",
                    &["data-class-0", "nowhere", "spec.storage.storageClassName"]
                ),
                wrong(
                    &objects,
                    "node",
                    json!({"podTemplate": large}),
                    "Unschedulable",
                    &["pod node-0", "Insufficient cpu", "resources", "spec.podTemplate"]
                ),
            )
        };
        let told = all.await;
        objects.delete(&kinds::VERSION, &version).await?;
        told.map(drop)
    })
    .await;
}

#[tokio::test]
async fn at_its_quota_a_database_says_so_and_comes_up_when_that_is_raised() {
    scenario("by-quota", async |_, objects| {
        objects.storage_quota("100Mi").await?;
        let counted = |quota: &Value| quota.pointer("/status/hard").is_some();
        objects
            .until_some(&kinds::QUOTA, "storage", "counted", counted)
            .await?;
        let db = wrong(
            &objects,
            "quota",
            json!({}),
            "QuotaExceeded",
            &["storage", "exceeded quota"],
        )
        .await?;
        objects.storage_quota("1Gi").await?;
        db.until_phase("Ready").await.map(drop)
    })
    .await;
}

/// The password that members replicate with was changed in the database alone.
#[tokio::test]
async fn a_member_that_never_streams_ends_the_request_with_where_to_look() {
    scenario("no-stream", async |world, objects| {
        let db = Managed::create(&objects, "one", 1, SIZE, json!({})).await?;
        db.until_phase("Ready").await?;
        db.psql(&world, "one-0", "alter role replicator password 'another'")
            .await?;
        let section = json!({"horizontalScaling": {"replicas": 2}, "timeout": "15s", "maxRetries": 0});
        let ended = db
            .request("up", "HorizontalScaling", section, Duration::from_secs(120))
            .await;
        let words = format!("{:#}", ended.err().context("it cannot stream")?);
        println!("{words}");
        ensure!(words.contains("one-1") && words.contains("log"), "{words}");
        let request = objects.get(&kinds::REQUEST, "up").await?;
        ensure!(wait::phase(&request) == "Failed", "{}", request["status"]);
        let told = db.until_said("ReplicaReady", "False", "one-1").await?;
        ensure!(told.contains("log"), "{told}");
        Ok(())
    })
    .await;
}
