//! Volumes that fill are grown: once per crossing, again at the next one, up to the bound.

use e2e::{Database, Shape, World, agree, objects::kinds, scenario, wait};
use serde_json::{Value, json};
use units::{Bytes, Reason};

/// Fills the volume above the threshold and waits until it has grown and everything agrees.
async fn cross(world: &World, db: &Database) -> anyhow::Result<agree::Sizes> {
    let volume = db.volume(world).await?;
    let before = volume.space()?.capacity;
    volume.fill_to(81.0)?;
    volume.until_larger_than(before).await?;
    db.settled(world).await
}

#[tokio::test]
async fn a_crossing_makes_one_request_and_the_next_another() {
    scenario("again", async |world, objects| {
        let db = Database::create(&world, &objects, "pg", Shape::default()).await?;
        db.autoscale(json!({})).await?;
        let first = cross(&world, &db).await?;
        assert!(first.requested > Bytes::new(400 << 20), "{first:?}");
        assert_eq!(db.requests_ever(&world)?.len(), 1);
        let second = cross(&world, &db).await?;
        assert!(second.requested > first.requested, "{first:?} {second:?}");
        assert_eq!(db.requests_ever(&world)?.len(), 2);
        Ok(())
    })
    .await;
}

/// Counted from the API server's audit log, so that requests made and deleted in between count too.
#[tokio::test]
async fn thirty_crossings_make_thirty_requests() {
    scenario("thirty", async |world, objects| {
        let db = Database::create(&world, &objects, "pg", Shape::default()).await?;
        db.autoscale(json!({"scalingRules": [{"appliesUpto": "", "threshold": "32Mi"}]}))
            .await?;
        for crossing in 1..=30 {
            cross(&world, &db).await?;
            let made = db.requests_ever(&world)?;
            assert_eq!(made.len(), crossing, "{made:?}");
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn growth_stops_at_the_upper_bound_and_says_so() {
    scenario("bound", async |world, objects| {
        let db = Database::create(&world, &objects, "pg", Shape::default()).await?;
        db.autoscale(json!({"upperBound": "450Mi"})).await?;
        let sizes = cross(&world, &db).await?;
        assert_eq!(sizes.requested, Bytes::new(450 << 20));
        db.volume(&world).await?.fill_to(90.0)?;
        let message = db.until_reason(Reason::AtUpperBound).await?;
        assert!(
            message.contains("450Mi") && message.contains("upperBound"),
            "{message}"
        );
        assert_eq!(db.requests_ever(&world)?.len(), 1);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_trigger_that_is_off_does_nothing_until_it_is_on() {
    scenario("off", async |world, objects| {
        let db = Database::create(&world, &objects, "pg", Shape::default()).await?;
        db.autoscale(json!({"trigger": "Off"})).await?;
        let volume = db.volume(&world).await?;
        let before = volume.space()?.capacity;
        volume.fill_to(85.0)?;
        db.until_reason(Reason::TriggerOff).await?;
        assert_eq!(db.requests_ever(&world)?.len(), 0);
        db.autoscale(json!({"trigger": "On"})).await?;
        volume.until_larger_than(before).await?;
        db.settled(&world).await?;
        assert_eq!(db.requests_ever(&world)?.len(), 1);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn the_rule_of_the_present_size_decides() {
    scenario("tiers", async |world, objects| {
        let db = Database::create(
            &world,
            &objects,
            "pg",
            Shape {
                size: "512Mi",
                ..Shape::default()
            },
        )
        .await?;
        let rules = json!([
            {"appliesUpto": "", "threshold": "10%"},
            {"appliesUpto": "600Mi", "threshold": "512Mi"},
        ]);
        db.autoscale(json!({"scalingRules": rules})).await?;
        let first = cross(&world, &db).await?;
        assert!(
            first.requested >= Bytes::new(1000 << 20),
            "the small size grows by 512Mi: {first:?}"
        );
        let second = cross(&world, &db).await?;
        let (from, to) = (first.requested.get(), second.requested.get());
        assert!(
            to > from && to < from + from / 5,
            "the large size grows by a tenth: {first:?} {second:?}"
        );
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn two_databases_grow_at_once_each_by_its_own_request() {
    scenario("two", async |world, objects| {
        let one = Database::create(&world, &objects, "one", Shape::default()).await?;
        let two = Database::create(&world, &objects, "two", Shape::default()).await?;
        one.autoscale(json!({})).await?;
        two.autoscale(json!({})).await?;
        let (first, second) = tokio::join!(cross(&world, &one), cross(&world, &two));
        first?;
        second?;
        assert_eq!(one.requests().await?.len(), 1);
        assert_eq!(two.requests().await?.len(), 1);
        assert_eq!(one.requests_ever(&world)?.len(), 2, "in the whole namespace");
        Ok(())
    })
    .await;
}

/// Manifests in Git keep the size of the beginning: applying them again must change nothing that runs.
#[tokio::test]
async fn the_first_manifests_applied_again_change_nothing_and_are_told() {
    scenario("behind", async |world, objects| {
        let db = Database::create(&world, &objects, "pg", Shape::default()).await?;
        db.autoscale(json!({})).await?;
        let grown = cross(&world, &db).await?;
        let pod = objects.get(&kinds::POD, &db.pod()).await?;
        objects.apply(&db.postgres()).await?;
        let behind =
            |a: &Value| wait::condition(a, "SpecBehind").is_some_and(|(status, ..)| status == "True");
        let told = objects
            .until_some(&kinds::AUTOSCALER, &db.autoscaler(), "SpecBehind", behind)
            .await?;
        let (_, _, message) = wait::condition(&told, "SpecBehind").unwrap_or_default();
        assert!(
            message.contains(&grown.requested.to_string()),
            "names the value to commit: {message}"
        );
        let sizes = agree::gather(&world, &db).await?;
        assert_eq!(
            (sizes.requested, sizes.filesystem),
            (grown.requested, grown.filesystem)
        );
        assert_eq!(
            objects.get(&kinds::POD, &db.pod()).await?["metadata"]["uid"],
            pod["metadata"]["uid"]
        );
        assert_eq!(db.requests_ever(&world)?.len(), 1);
        Ok(())
    })
    .await;
}
