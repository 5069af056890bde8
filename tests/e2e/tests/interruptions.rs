//! Things that go away half-way: pods of Highwater, the autoscaler, the request, the mount.

use std::time::Duration;

use e2e::{Database, Objects, Shape, World, faults, objects::kinds, scenario, wait};
use kube::api::{DeleteParams, ListParams};
use serde_json::{Value, json};

/// Deletes every pod of one of Highwater's boxes, as a node drain or an upgrade does.
async fn restart(objects: &Objects, component: &str) -> anyhow::Result<()> {
    let highwater = Objects::new(objects.client(), "highwater");
    let selector = ListParams::default().labels(&format!("app.kubernetes.io/component={component}"));
    highwater
        .api(&kinds::POD)
        .delete_collection(&DeleteParams::default(), &selector)
        .await?;
    Ok(())
}

async fn request_in_progress(db: &Database) -> anyhow::Result<String> {
    let ours =
        |r: &Value| r["spec"]["databaseRef"]["name"] == db.name.as_str() && wait::phase(r) == "Progressing";
    let request = db
        .objects
        .until_any(&kinds::REQUEST, "request in progress", ours)
        .await?;
    Ok(request["metadata"]["name"]
        .as_str()
        .unwrap_or_default()
        .to_owned())
}

/// A growth that the driver delays, with `component` restarted while it is under way: one request, and all agrees.
async fn grows_although_restarted(component: &'static str) {
    scenario(&format!("restart-{component}"), async |world, objects| {
        let db = Database::create(&world, &objects, "pg", Shape::default()).await?;
        db.autoscale(json!({})).await?;
        let volume = db.volume(&world).await?;
        let before = volume.space()?.capacity;
        let _slow = faults::slow_controller(&world, &volume, Duration::from_secs(3))?;
        volume.fill_to(81.0)?;
        request_in_progress(&db).await?;
        restart(&objects, component).await?;
        volume.until_larger_than(before).await?;
        db.settled(&world).await?;
        assert_eq!(db.requests_ever(&world)?.len(), 1);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_restarted_decider_makes_no_second_request() {
    grows_although_restarted("decider").await;
}

#[tokio::test]
async fn a_restarted_executor_goes_on() {
    grows_although_restarted("executor").await;
}

#[tokio::test]
async fn a_restarted_agent_is_believed_again() {
    grows_although_restarted("agent").await;
}

/// No request is left, nothing is paused, and the sizes agree, whatever the volume had reached.
async fn nothing_left_behind(world: &World, db: &Database, request: &str) -> anyhow::Result<()> {
    db.objects
        .until(&kinds::REQUEST, request, "gone", |seen| seen.is_none())
        .await?;
    let unpaused = |pg: &Value| wait::condition(pg, "Paused").is_none_or(|(status, ..)| status == "False");
    db.objects
        .until_some(&kinds::POSTGRES, &db.name, "resumed", unpaused)
        .await?;
    db.settled(world).await?;
    Ok(())
}

#[tokio::test]
async fn an_autoscaler_deleted_midway_takes_its_request_along_in_order() {
    scenario("no-scaler", async |world, objects| {
        let db = Database::create(&world, &objects, "pg", Shape::default()).await?;
        db.autoscale(json!({})).await?;
        let volume = db.volume(&world).await?;
        let _slow = faults::slow_controller(&world, &volume, Duration::from_secs(3))?;
        volume.fill_to(81.0)?;
        let request = request_in_progress(&db).await?;
        objects.delete(&kinds::AUTOSCALER, &db.autoscaler()).await?;
        nothing_left_behind(&world, &db, &request).await
    })
    .await;
}

#[tokio::test]
async fn a_request_deleted_midway_lets_go_and_the_next_one_goes_on() {
    scenario("no-request", async |world, objects| {
        let db = Database::create(&world, &objects, "pg", Shape::default()).await?;
        db.autoscale(json!({})).await?;
        let volume = db.volume(&world).await?;
        let before = volume.space()?.capacity;
        let _slow = faults::slow_controller(&world, &volume, Duration::from_secs(3))?;
        volume.fill_to(81.0)?;
        let request = request_in_progress(&db).await?;
        objects.remove(&kinds::REQUEST, &request).await?;
        volume.until_larger_than(before).await?;
        let (_, _) = volume
            .until("under the threshold", |space| space.percent() < 80.0)
            .await?;
        nothing_left_behind(&world, &db, &request).await
    })
    .await;
}

#[tokio::test]
async fn a_claim_mounted_nowhere_grows_and_finishes_at_its_next_mount() {
    scenario("unmounted", async |world, objects| {
        let db = Database::create(&world, &objects, "pg", Shape::default()).await?;
        objects.remove(&kinds::POD, &db.pod()).await?;
        let request = json!({
            "apiVersion": "ops.kubedb.com/v1alpha1", "kind": "PostgresOpsRequest",
            "metadata": {"name": "by-hand", "namespace": objects.namespace()},
            "spec": {
                "type": "VolumeExpansion", "databaseRef": {"name": db.name}, "apply": "Always",
                "volumeExpansion": {"mode": "Online", "postgres": "600Mi"},
            },
        });
        objects.apply(&request).await?;
        let done = |r: &Value| wait::phase(r) == "Successful";
        let ended = objects
            .until_some(&kinds::REQUEST, "by-hand", "Successful", done)
            .await?;
        assert!(
            ended["status"].to_string().contains("next mount"),
            "{}",
            ended["status"]
        );
        for manifest in db.manifests().into_iter().filter(|m| m["kind"] == "Pod") {
            objects.apply(&manifest).await?;
        }
        let volume = db.volume(&world).await?;
        volume.until_larger_than(500 << 20).await?;
        let finished = |c: &Value| c["status"]["capacity"]["storage"] == "600Mi";
        objects
            .until_some(&kinds::CLAIM, &db.claim(), "finished", finished)
            .await?;
        db.settled(&world).await?;
        Ok(())
    })
    .await;
}
