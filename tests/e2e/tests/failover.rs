//! Primaries that fail without going away: one whose machine hangs, one whose WAL has no room.

use std::time::Duration;

use anyhow::ensure;
use e2e::{Managed, World, node, objects::kinds, scenario, writer};
use serde_json::{Value, json};

const SIZE: &str = "400Mi";
/// `ttl` of the leader's key, and the ten seconds that the rest may take.
const FROZEN: Duration = Duration::from_secs(20 + 10);
/// How long a primary may keep writes from a standby that could take them.
const FULL: Duration = Duration::from_secs(15);

#[tokio::test]
async fn a_frozen_primary_is_replaced_and_loses_its_label() {
    scenario("frozen", async |_, objects| {
        let db = Managed::create(&objects, "ha", 3, SIZE, json!({})).await?;
        db.until_phase("Ready").await?;
        let ((), report) = writer::during(&db, async |mut seen: writer::Watched| {
            let before = db.primary().await?;
            let frozen = node::freeze(&before.uid)?;
            seen.interruption().await?;
            // It cannot take its label off itself.
            let role = |pod: &Value| pod["metadata"]["labels"]["kubedb.com/role"] != "primary";
            objects
                .until(&kinds::POD, &before.pod, "no primary", |pod| pod.is_none_or(role))
                .await?;
            let now = db.primary().await?;
            ensure!(now.pod != before.pod, "{} still leads", now.pod);
            drop(frozen);
            db.until_all_ready(3).await
        })
        .await?;
        report.gap_at_most("frozen primary", FROZEN)?;
        report.little_is_lost(&db).await
    })
    .await;
}

/// Sixteen segments of WAL and nothing else: more than any member keeps for later.
///
/// # Errors
/// When there is no room for them.
async fn write_wal(world: &World, db: &Managed, pod: &str) -> anyhow::Result<()> {
    for _ in 0..16 {
        db.write_segment(world, pod).await?;
    }
    Ok(())
}

/// The volume of the primary alone is full: a standby takes over at once, the full member is named with the remedy, and the
/// remedy works.
#[tokio::test]
async fn a_primary_whose_wal_has_no_room_hands_over_and_says_what_it_needs() {
    scenario("walfull", async |world, objects| {
        let db = Managed::create(&objects, "ha", 3, SIZE, json!({})).await?;
        db.until_phase("Ready").await?;
        let ((), report) = writer::during(&db, async |mut seen: writer::Watched| {
            let before = db.primary().await?;
            db.volume(&world, &before).await?.fill_up()?;
            let _down = write_wal(&world, &db, &before.pod).await;
            seen.interruption().await?;
            let now = db.primary().await?;
            ensure!(now.pod != before.pod, "{} still leads", now.pod);
            // The standby that was full has no room for what it is sent.
            write_wal(&world, &db, &now.pod).await?;
            let told = db.until_said("ReplicaReady", "False", "VolumeExpansion").await?;
            ensure!(told.contains(&before.pod), "{told}");
            db.until_phase("Critical").await?;
            let section =
                json!({"volumeExpansion": {"mode": "Online", "postgres": "800Mi"}, "apply": "Always"});
            db.request("grow", "VolumeExpansion", section, Duration::from_secs(120))
                .await?;
            db.until_all_ready(3).await
        })
        .await?;
        report.gap_at_most("WAL full on the primary", FULL)?;
        report.little_is_lost(&db).await
    })
    .await;
}

#[tokio::test]
async fn a_synchronous_database_loses_no_row_when_its_primary_is_gone() {
    scenario("sync", async |_, objects| {
        let synchronous = json!({"streamingMode": "Synchronous"});
        let db = Managed::create(&objects, "ha", 3, SIZE, synchronous).await?;
        db.until_phase("Ready").await?;
        let ((), report) = writer::during(&db, async |mut seen: writer::Watched| {
            let before = db.primary().await?;
            db.kill(&before).await?;
            seen.interruption().await?;
            db.until_all_ready(3).await
        })
        .await?;
        report.gap_at_most("synchronous, forced deletion", FROZEN)?;
        report.nothing_is_lost(&db).await
    })
    .await;
}
