//! Members come and go while an application writes: no acknowledged row is lost.

use std::time::Duration;

use anyhow::ensure;
use e2e::{Managed, objects::kinds, scenario, writer};
use serde_json::json;

const SIZE: &str = "400Mi";
/// One member takes some ten seconds to come or go.
const PATIENCE: Duration = Duration::from_secs(240);

async fn scale(db: &Managed, name: &str, replicas: u32, more: serde_json::Value) -> anyhow::Result<()> {
    let mut section = json!({"replicas": replicas});
    if let (Some(section), serde_json::Value::Object(more)) = (section.as_object_mut(), more) {
        section.extend(more);
    }
    db.request(
        name,
        "HorizontalScaling",
        json!({"horizontalScaling": section}),
        PATIENCE,
    )
    .await?;
    let members = db.members().await?;
    ensure!(members.len() == replicas as usize, "{members:?}");
    let postgres = db.objects.get(&kinds::POSTGRES, &db.name).await?;
    ensure!(postgres["spec"]["replicas"] == replicas, "{}", postgres["spec"]);
    let claims = db.objects.list(&kinds::CLAIM).await?;
    ensure!(claims.len() == replicas as usize, "{} claims", claims.len());
    Ok(())
}

#[tokio::test]
async fn one_member_becomes_three_synchronous_ones_and_one_again() {
    scenario("single", async |_, objects| {
        let db = Managed::create(&objects, "one", 1, SIZE, json!({})).await?;
        db.until_phase("Ready").await?;
        let ((), report) = writer::during(&db, async |_| {
            scale(&db, "up", 3, json!({"streamingMode": "Synchronous"})).await?;
            db.until_phase("Ready").await?;
            scale(&db, "down", 1, json!({"streamingMode": "Asynchronous"})).await
        })
        .await?;
        println!("longest gap in writes: {:.2} s", report.longest_gap.as_secs_f64());
        db.until_phase("Ready").await?;
        report.nothing_is_lost(&db).await
    })
    .await;
}
