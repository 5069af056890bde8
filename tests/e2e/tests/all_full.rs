//! All members are full and all pods are gone: whoever comes back first must not lead with rows missing.

use anyhow::ensure;
use e2e::{Managed, objects::kinds, scenario, wait, writer};
use serde_json::json;

#[tokio::test]
async fn three_full_members_whose_pods_are_all_deleted_lose_no_row() {
    scenario("allfull", async |world, objects| {
        let db = Managed::create(&objects, "ha", 3, "400Mi", json!({})).await?;
        db.until_phase("Ready").await?;
        let (volumes, report) = writer::during(&db, async |_| db.volumes(&world).await).await?;
        for volume in &volumes {
            volume.fill_up()?;
        }
        for member in db.members().await? {
            objects.delete(&kinds::POD, &member.pod).await?;
        }
        db.autoscale(json!({"usageThreshold": 80, "upperBound": "4Gi"}))
            .await?;
        db.until_all_ready(3).await?;
        report.nothing_is_lost(&db).await?;
        let requests = objects.list(&kinds::REQUEST).await?;
        ensure!(
            requests
                .iter()
                .all(|request| wait::phase(request) == "Successful"),
            "{requests:?}"
        );
        Ok(())
    })
    .await;
}
