//! What `kubectl highwater` says of the real installation, through the API server's service proxy.

use e2e::{Database, Shape, scenario};
use serde_json::{Value, json};

#[tokio::test]
async fn a_growth_is_explained_and_the_installation_is_sound() {
    scenario("view", async |world, objects| {
        let db = Database::create(&world, &objects, "pg", Shape::default()).await?;
        db.autoscale(json!({})).await?;
        let volume = db.volume(&world).await?;
        let before = volume.space()?.capacity;
        volume.fill_to(90.0)?;
        volume.until_larger_than(before).await?;
        db.settled(&world).await?;

        let name = format!("{}/pg", objects.namespace());
        let text = world
            .kubectl(&["highwater", "why", &name, "--output", "json"])
            .await?;
        let answer: Value = serde_json::from_str(&text)?;
        let database = &answer["databases"][0];
        assert_eq!(database["decision"]["reason"], "BelowThreshold", "{text}");
        assert_eq!(database["last"]["reason"], "ThresholdExceeded", "{text}");
        assert!(
            database["volumes"][0]["usage"]["capacity"].as_u64() > Some(before),
            "{text}"
        );

        let words = world.kubectl(&["highwater", "why", &name]).await?;
        assert!(words.starts_with(&format!("{name}: BelowThreshold")), "{words}");
        let namespace = objects.namespace();
        let table = world
            .kubectl(&["highwater", "status", "--namespace", namespace])
            .await?;
        assert!(table.starts_with("NAMESPACE") && table.contains("yes"), "{table}");
        assert!(!table.contains('\u{1b}'), "no colour when piped: {table}");
        // Exit code 1, an error here, would name what is wrong.
        world
            .kubectl(&["highwater", "doctor", "--namespace", namespace])
            .await?;
        Ok(())
    })
    .await;
}
