//! A database that is started again, given other resources, stopped, deleted and taken up again: its rows stay.

use std::time::Duration;

use anyhow::ensure;
use e2e::{Managed, objects::kinds, scenario, writer};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(240);

async fn uids(db: &Managed) -> anyhow::Result<Vec<Value>> {
    let pods = db.objects.list(&kinds::POD).await?;
    Ok(pods
        .into_iter()
        .map(|pod| pod["metadata"]["uid"].clone())
        .collect())
}

/// Every pod is another one afterwards; the application notices one switchover.
async fn restart(db: &Managed) -> anyhow::Result<()> {
    let before = uids(db).await?;
    db.request("restart", "Restart", json!({"restart": {}}), PATIENCE)
        .await?;
    let after = uids(db).await?;
    ensure!(
        after.len() == 2 && after.iter().all(|uid| !before.contains(uid)),
        "{before:?} {after:?}"
    );
    Ok(())
}

/// Running pods are given the resources, and so are those to come.
async fn resize(db: &Managed) -> anyhow::Result<()> {
    let before = uids(db).await?;
    let resources = json!({"requests": {"cpu": "120m", "memory": "96Mi"}, "limits": {"memory": "640Mi"}});
    let section = json!({"verticalScaling": {"mode": "InPlace", "postgres": {"resources": resources}}});
    db.request("resize", "VerticalScaling", section, PATIENCE).await?;
    for pod in db.objects.list(&kinds::POD).await? {
        let running = pod.pointer("/status/containerStatuses/0/resources/limits/memory");
        ensure!(running == Some(&json!("640Mi")), "{}", pod["status"]);
    }
    let postgres = db.objects.get(&kinds::POSTGRES, &db.name).await?;
    ensure!(
        postgres["spec"].to_string().contains("640Mi"),
        "{}",
        postgres["spec"]
    );
    ensure!(
        uids(db).await? == before,
        "pods were replaced although this API server resizes them"
    );
    Ok(())
}

async fn no_pods(db: &Managed) -> anyhow::Result<()> {
    for ordinal in 0..2 {
        let pod = format!("{}-{ordinal}", db.name);
        db.objects
            .until(&kinds::POD, &pod, "gone", |seen| seen.is_none())
            .await?;
    }
    ensure!(
        db.objects.list(&kinds::CLAIM).await?.len() == 2,
        "claims are kept"
    );
    Ok(())
}

#[tokio::test]
async fn a_database_is_restarted_resized_halted_deleted_and_taken_up_again() {
    scenario("lifecycle", async |_, objects| {
        let keep = json!({"deletionPolicy": "Halt"});
        let db = Managed::create(&objects, "ha", 2, "400Mi", keep.clone()).await?;
        db.until_phase("Ready").await?;
        let ((), report) = writer::during(&db, async |_| {
            restart(&db).await?;
            db.until_phase("Ready").await?;
            resize(&db).await?;
            db.until_all_ready(2).await
        })
        .await?;
        println!("longest gap in writes: {:.2} s", report.longest_gap.as_secs_f64());
        report.nothing_is_lost(&db).await?;

        db.apply(2, "400Mi", json!({"deletionPolicy": "Halt", "halted": true}))
            .await?;
        db.until_phase("Halted").await?;
        no_pods(&db).await?;
        db.apply(2, "400Mi", keep.clone()).await?;
        db.until_all_ready(2).await?;
        report.nothing_is_lost(&db).await?;

        objects.remove(&kinds::POSTGRES, &db.name).await?;
        no_pods(&db).await?;
        db.apply(2, "400Mi", json!({"deletionPolicy": "WipeOut"})).await?;
        db.until_all_ready(2).await?;
        report.nothing_is_lost(&db).await?;

        objects.remove(&kinds::POSTGRES, &db.name).await?;
        let claims = objects.list(&kinds::CLAIM).await?;
        let kept = claims
            .iter()
            .filter(|claim| claim["metadata"].get("deletionTimestamp").is_none());
        ensure!(kept.count() == 0, "{claims:?}");
        let secrets = objects.list(&kinds::SECRET).await?;
        ensure!(secrets.is_empty(), "{} Secrets are left", secrets.len());
        Ok(())
    })
    .await;
}
