//! With real PostgreSQL on the volume: filled by SQL, and found full.

use std::time::Duration;

use e2e::{Database, Shape, objects::kinds, scenario, wait};
use serde_json::{Value, json};

const SERVER: Shape = Shape {
    size: "512Mi",
    class: "loop-xfs",
    postgres: true,
};

async fn ready(db: &Database) -> anyhow::Result<()> {
    let ready = |pod: &Value| wait::condition(pod, "Ready").is_some_and(|(status, ..)| status == "True");
    db.objects
        .until_some(&kinds::POD, &db.pod(), "ready", ready)
        .await?;
    Ok(())
}

#[tokio::test]
async fn sql_fills_the_volume_and_never_meets_its_end() {
    scenario("sql", async |world, objects| {
        let db = Database::create(&world, &objects, "pg", SERVER).await?;
        ready(&db).await?;
        db.autoscale(json!({"usageThreshold": 60})).await?;
        let volume = db.volume(&world).await?;
        let before = volume.space()?.capacity;
        db.sql(&world, "create table filling (payload text)").await?;
        // Each statement writes about 25 MB of rows and as much log; none may fail on the way through the threshold.
        let rows = "insert into filling select repeat(md5(i::text), 40) from generate_series(1, 20000) i";
        while volume.space()?.capacity == before {
            db.sql(&world, rows).await?;
        }
        db.settled(&world).await?;
        db.sql(&world, rows).await?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_full_database_that_is_down_is_grown_and_comes_back() {
    scenario("full", async |world, objects| {
        let db = Database::create(&world, &objects, "pg", SERVER).await?;
        ready(&db).await?;
        db.autoscale(json!({"trigger": "Off"})).await?;
        db.sql(&world, "create table kept (id int); insert into kept values (1)")
            .await?;
        let volume = db.volume(&world).await?;
        let before = volume.space()?.capacity;
        volume.fill_up()?;
        // With no block left the next checkpoint cannot be written and the server goes down.
        let down = async {
            while db
                .sql(
                    &world,
                    "insert into kept select generate_series(1, 100000); checkpoint",
                )
                .await
                .is_ok()
            {}
        };
        tokio::time::timeout(Duration::from_secs(60), down).await?;
        db.autoscale(json!({"trigger": "On"})).await?;
        volume.until_larger_than(before).await?;
        db.settled(&world).await?;
        let back = async { while db.sql(&world, "insert into kept values (2)").await.is_err() {} };
        tokio::time::timeout(wait::PATIENCE, back).await?;
        assert_eq!(
            db.sql(
                &world,
                "select count(*) from kept where id = 1 and ctid = '(0,1)'"
            )
            .await?,
            "1"
        );
        Ok(())
    })
    .await;
}
