//! A driver that grows only what no node has: members are stopped one after the other, the primary last.

use std::time::Duration;

use anyhow::ensure;
use e2e::{Managed, faults, objects::kinds, scenario, writer};
use serde_json::{Value, json};
use units::Bytes;

const PATIENCE: Duration = Duration::from_secs(300);

async fn all_have(db: &Managed, size: &str) -> anyhow::Result<()> {
    let wanted = Bytes::parse_quantity(size)?;
    for claim in db.objects.list(&kinds::CLAIM).await? {
        let capacity = claim.pointer("/status/capacity/storage").and_then(Value::as_str);
        ensure!(
            Bytes::parse_quantity(capacity.unwrap_or_default())? >= wanted,
            "{}: {capacity:?}",
            claim["metadata"]["name"]
        );
    }
    Ok(())
}

#[tokio::test]
async fn three_members_grow_one_after_the_other_while_an_application_writes() {
    scenario("offline", async |world, objects| {
        let db = Managed::example(&objects, "ha.yaml").await?;
        db.until_phase("Ready").await?;
        let _only_offline = faults::offline_only(&world, &db.volumes(&world).await?)?;
        let ((), report) = writer::during(&db, async |_| {
            let request = db.also("offline.yaml").await?;
            db.finished(&request, PATIENCE).await.map(drop)
        })
        .await?;
        println!("longest gap in writes: {:.2} s", report.longest_gap.as_secs_f64());
        all_have(&db, "1Gi").await?;
        db.until_phase("Ready").await?;
        report.nothing_is_lost(&db).await
    })
    .await;
}

#[tokio::test]
async fn a_single_member_is_stopped_grown_and_started() {
    scenario("offline1", async |world, objects| {
        let db = Managed::create(&objects, "one", 1, "400Mi", json!({})).await?;
        db.until_phase("Ready").await?;
        let _only_offline = faults::offline_only(&world, &db.volumes(&world).await?)?;
        // The autoscaler's own way: it asks for Offline, as its policy says.
        db.autoscale(json!({"expansionMode": "Offline", "usageThreshold": 80, "upperBound": "4Gi"}))
            .await?;
        let volume = &db.volumes(&world).await?[0];
        volume.fill_to(85.0)?;
        let request = objects
            .until_any(&kinds::REQUEST, "request of the autoscaler", |request| {
                request["spec"]["volumeExpansion"]["mode"] == "Offline"
            })
            .await?;
        let name = request["metadata"]["name"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        db.finished(&name, PATIENCE).await?;
        all_have(&db, "500Mi").await?;
        db.until_phase("Ready").await.map(drop)
    })
    .await;
}

/// Nobody leads, so nobody can be switched over to: who led last is stopped first, and all rows are there afterwards.
#[tokio::test]
async fn three_full_members_are_stopped_grown_and_started() {
    scenario("offline3", async |world, objects| {
        let db = Managed::create(&objects, "ha", 3, "400Mi", json!({})).await?;
        db.until_phase("Ready").await?;
        let (volumes, report) = writer::during(&db, async |_| db.volumes(&world).await).await?;
        let _only_offline = faults::offline_only(&world, &volumes)?;
        let primary = db.primary().await?.pod;
        for volume in &volumes {
            volume.fill_up()?;
        }
        // Down it goes for want of room for WAL, and so does whoever takes over.
        while db.write_segment(&world, &primary).await.is_ok() {}
        db.until_phase("NotReady").await?;
        let section = json!({"apply": "Always", "volumeExpansion": {"mode": "Offline", "postgres": "700Mi"}});
        db.request("grow", "VolumeExpansion", section, PATIENCE).await?;
        all_have(&db, "700Mi").await?;
        db.until_all_ready(3).await?;
        report.nothing_is_lost(&db).await
    })
    .await;
}
