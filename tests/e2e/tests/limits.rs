//! What forbids growth is said, with the object to change, and nothing is tried meanwhile.

use e2e::{Database, Shape, World, agree, scenario};
use serde_json::json;
use units::Reason;

async fn refused(world: &World, db: &Database, reason: Reason, names: &str) -> anyhow::Result<()> {
    let volume = db.volume(world).await?;
    let before = volume.space()?.capacity;
    volume.fill_to(90.0)?;
    let message = db.until_reason(reason).await?;
    assert!(message.contains(names), "{reason}: {message}");
    assert_eq!(db.requests_ever(world)?.len(), 0);
    assert_eq!(volume.space()?.capacity, before);
    agree::check(world, db).await?;
    Ok(())
}

#[tokio::test]
async fn a_class_without_expansion_is_named() {
    scenario("fixed", async |world, objects| {
        let db = Database::create(
            &world,
            &objects,
            "pg",
            Shape {
                class: "loop-xfs-fixed",
                ..Shape::default()
            },
        )
        .await?;
        db.autoscale(json!({})).await?;
        refused(&world, &db, Reason::NotExpandable, "loop-xfs-fixed").await
    })
    .await;
}

#[tokio::test]
async fn a_claim_at_its_quota_is_held_and_grows_when_the_quota_does() {
    scenario("quota", async |world, objects| {
        objects.storage_quota("400Mi").await?;
        let db = Database::create(&world, &objects, "pg", Shape::default()).await?;
        db.autoscale(json!({})).await?;
        refused(&world, &db, Reason::QuotaExceeded, "storage").await?;
        let volume = db.volume(&world).await?;
        let before = volume.space()?.capacity;
        objects.storage_quota("2Gi").await?;
        volume.until_larger_than(before).await?;
        db.settled(&world).await?;
        Ok(())
    })
    .await;
}
