//! Why a growth does not get on: each cause is made for real, and told by the request's condition, by an Event and by the metric
//! of its reason; when it is over, the same request goes on, or the next one does. What kubelet and csi-resizer wrote meanwhile is
//! quoted beside each.

mod growth;

use anyhow::{Context, ensure};
use e2e::{
    Shape,
    driver::Driver,
    faults::{self, Code},
    objects::kinds,
    scenario,
    wait::phase,
};
use serde_json::{Value, json};
use units::{Bytes, Reason};

use growth::Growth;

/// The claim: `ControllerResizeInProgress`, and a condition `ControllerResizeError`, which csi-resizer takes away while it tries
/// again: "failed to expand pvc with rpc error: code = Internal desc = Could not resize volume "pvc-…": api error
/// VolumeModificationRateExceeded: You've reached the maximum modification rate per volume limit. …"
#[tokio::test]
async fn a_rate_limit_is_waited_out() {
    scenario("rate", async |world, objects| {
        let growth = Growth::of(&world, &objects).await?;
        let volume = growth.db.volume(&world).await?;
        let limit = faults::once_a_day(&world, &volume)?;
        growth.asks("first", "450Mi", json!({})).await?;
        growth.succeeds("first", "450Mi").await?;
        growth.asks("second", "500Mi", json!({})).await?;
        let words = "VolumeModificationRateExceeded";
        growth.waits_for("second", Reason::RateLimited, words).await?;
        ensure!(growth.resize().await? == "ControllerResizeInProgress");
        drop(limit);
        growth.succeeds("second", "500Mi").await
    })
    .await;
}

/// RESOURCE_EXHAUSTED is not final for csi-resizer: `ControllerResizeInProgress` without any condition of an error. Only the Event
/// `VolumeResizeFailed` speaks: "resize volume "pvc-…" by resizer "loop.csi.highwater.dev" failed: rpc error: code =
/// ResourceExhausted desc = not enough space left on VG: …"
#[tokio::test]
async fn a_full_pool_is_told_from_a_rate_limit_and_waited_out() {
    scenario("pool", async |world, objects| {
        let growth = Growth::of(&world, &objects).await?;
        let volume = growth.db.volume(&world).await?;
        let words = "not enough space left on VG: free=4194304, requested=52428800";
        let full = faults::refused_with(&world, &volume, Code::ResourceExhausted, words)?;
        growth.asks("grow", "450Mi", json!({})).await?;
        growth.waits_for("grow", Reason::PoolFull, words).await?;
        drop(full);
        growth.succeeds("grow", "450Mi").await
    })
    .await;
}

/// The claim: `ControllerResizeInfeasible`, and a condition `ControllerResizeError`: "failed to expand pvc with rpc error: code =
/// OutOfRange desc = size refused: 75161927680 bytes are more than the largest volume, 68719476736"
#[tokio::test]
async fn a_size_that_the_driver_cannot_have_fails_at_once_and_a_smaller_one_gets_the_claim_out() {
    scenario("infeasible", async |world, objects| {
        let growth = Growth::of(&world, &objects).await?;
        // The driver's own limit is 64Gi.
        growth.asks("far", "70Gi", json!({})).await?;
        growth.fails_for("far", Reason::Infeasible, "OutOfRange").await?;
        ensure!(growth.resize().await? == "ControllerResizeInfeasible");
        let failed = objects.get(&kinds::REQUEST, "far").await?;
        let volume = &failed["status"]["volumes"][0];
        ensure!(
            volume["reason"] == "Infeasible" && volume["stage"] == "Resizing",
            "{volume}"
        );
        growth.asks("smaller", "450Mi", json!({})).await?;
        growth.succeeds("smaller", "450Mi").await?;
        ensure!(growth.resize().await?.is_empty());
        Ok(())
    })
    .await;
}

/// By the autoscaler: from 400Mi it asks for 800Mi, which is refused, and then for half of that growth.
#[tokio::test]
async fn the_decider_asks_for_less_where_the_driver_cannot_have_that_much() {
    scenario("halved", async |world, objects| {
        let growth = Growth::of(&world, &objects).await?;
        let volume = growth.db.volume(&world).await?;
        let _most = faults::at_most(&world, &volume, Bytes::new(700 << 20))?;
        growth.db.autoscale(json!({"scalingThreshold": 100})).await?;
        volume.fill_to(85.0)?;
        let first = objects.until_any(&kinds::REQUEST, "request", |_| true).await?;
        let name = first["metadata"]["name"].as_str().unwrap_or_default();
        ensure!(
            first["spec"]["volumeExpansion"]["postgres"] == "800Mi",
            "{}",
            first["spec"]
        );
        growth.fails_for(name, Reason::Infeasible, "OutOfRange").await?;
        let smaller = |seen: &Value| seen["spec"]["volumeExpansion"]["postgres"] == "600Mi";
        let second = objects
            .until_any(&kinds::REQUEST, "smaller request", smaller)
            .await?;
        let name = second["metadata"]["name"].as_str().unwrap_or_default();
        growth.succeeds(name, "600Mi").await
    })
    .await;
}

/// The claim: `NodeResizeInProgress`, and conditions `FileSystemResizePending` and `NodeResizeError`: "failed to expand pvc with
/// Expander.NodeExpand failed to expand the volume : rpc error: code = Internal desc = xfs_growfs: …". The Event is the pod's.
#[tokio::test]
async fn a_node_that_cannot_grow_the_filesystem_is_judged_by_its_filesystem() {
    scenario("node", async |world, objects| {
        let growth = Growth::of(&world, &objects).await?;
        let before = growth.space().await?.capacity;
        let volume = growth.db.volume(&world).await?;
        let words = "xfs_growfs: XFS_IOC_FSGROWFSDATA xfsctl failed: Input/output error";
        let broken = faults::refused_on_the_node(&world, &volume, Code::Internal, words)?;
        growth.asks("grow", "450Mi", json!({})).await?;
        growth.waits_for("grow", Reason::NodeStepFailing, words).await?;
        let pv = objects.get(&kinds::VOLUME, &volume.name).await?;
        ensure!(
            pv["spec"]["capacity"]["storage"] == "450Mi",
            "the device has grown"
        );
        ensure!(growth.space().await?.capacity == before, "the filesystem has not");
        drop(broken);
        growth.succeeds("grow", "450Mi").await?;
        ensure!(growth.space().await?.capacity > before);
        Ok(())
    })
    .await;
}

/// The claim hears nothing of it: the API server would refuse the patch, which is tried first.
#[tokio::test]
async fn a_quota_is_found_before_anything_is_touched_and_the_next_request_fits_a_larger_one() {
    scenario("no-quota", async |world, objects| {
        objects.storage_quota("420Mi").await?;
        let growth = Growth::of(&world, &objects).await?;
        growth.asks("grow", "450Mi", json!({})).await?;
        let words = "ResourceQuota storage allows 420Mi";
        growth.fails_for("grow", Reason::QuotaExceeded, words).await?;
        objects.storage_quota("2Gi").await?;
        growth.asks("again", "450Mi", json!({})).await?;
        growth.succeeds("again", "450Mi").await
    })
    .await;
}

/// The claim: `ControllerResizeInProgress`, and a condition `ControllerResizeError` "… code = FailedPrecondition …". Having heard that
/// once, csi-resizer asks the driver again only when no pod uses the claim any more, and says so by an Event.
#[tokio::test]
async fn a_driver_that_grows_only_what_is_not_in_use_fails_an_online_request_at_once() {
    scenario("in-use", async |world, objects| {
        let growth = Growth::of(&world, &objects).await?;
        let volume = growth.db.volume(&world).await?;
        let _offline = faults::offline_only(&world, std::slice::from_ref(&volume))?;
        growth.asks("grow", "450Mi", json!({})).await?;
        growth
            .fails_for("grow", Reason::InUse, "FailedPrecondition")
            .await?;
        objects.remove(&kinds::POD, &growth.db.pod()).await?;
        volume.until_detached(&world).await?;
        growth.asks("again", "450Mi", json!({})).await?;
        let ended = growth.ends("again").await?;
        ensure!(phase(&ended) == "Successful", "{}", ended["status"]);
        let manifests = growth.db.manifests();
        let pod = manifests.iter().find(|manifest| manifest["kind"] == "Pod");
        objects.apply(pod.context("the database has a pod")?).await?;
        let done = |claim: &Value| claim["status"]["allocatedResourceStatuses"].is_null();
        objects
            .until_some(&kinds::CLAIM, &growth.db.claim(), "grown at its mount", done)
            .await?;
        growth.succeeds("again", "450Mi").await
    })
    .await;
}

/// A driver of its own, so that the others' resizer stays. The claim has no status and no condition, only the Event
/// `ExternalExpanding` "waiting for an external controller to expand this PVC", which every claim of a CSI driver gets.
#[tokio::test]
async fn a_driver_without_a_resizer_is_told_after_half_a_minute_and_one_that_comes_resizes() {
    scenario("mute", async |world, objects| {
        let driver = Driver::start(&world, "mute").await?;
        let shape = Shape {
            class: driver.class,
            ..Shape::default()
        };
        let growth = Growth::shaped(&world, &objects, shape).await?;
        let outcome = nobody_resizes(&growth, &driver).await;
        let stopped = driver.stop(&growth.db).await;
        outcome?;
        stopped
    })
    .await;
}

async fn nobody_resizes(growth: &Growth<'_>, driver: &Driver) -> anyhow::Result<()> {
    growth.asks("grow", "450Mi", json!({"timeout": "45s"})).await?;
    let words = "no resizer answers";
    growth.waits_for("grow", Reason::NobodyResizes, words).await?;
    growth.fails_for("grow", Reason::NobodyResizes, words).await?;
    ensure!(growth.resize().await?.is_empty());
    let _resizer = driver.resizer()?;
    growth.asks("again", "450Mi", json!({})).await?;
    growth.succeeds("again", "450Mi").await
}
