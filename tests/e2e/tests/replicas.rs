//! Volumes of three members grow together, whatever state each of them is in.

use std::time::Duration;

use anyhow::{Context, ensure};
use e2e::{Managed, World, faults, objects::kinds, scenario, wait};
use serde_json::{Value, json};

/// Capacities of the claims, by ordinal.
async fn capacities(db: &Managed) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    for ordinal in 0..3 {
        let claim = db
            .objects
            .get(&kinds::CLAIM, &format!("data-{}-{ordinal}", db.name))
            .await?;
        let capacity = claim.pointer("/status/capacity/storage").and_then(Value::as_str);
        found.push(capacity.unwrap_or_default().to_owned());
    }
    Ok(found)
}

fn to(size: &str) -> Value {
    json!({"volumeExpansion": {"mode": "Online", "postgres": size}})
}

/// One claim is refused until the deadline: what has grown stays, and the next request does the rest.
async fn what_has_grown_stays_and_the_next_request_goes_on(
    world: &World,
    db: &Managed,
) -> anyhow::Result<()> {
    let refusal = faults::refused(world, &db.volumes(world).await?[1], "the pool has no room")?;
    let mut section = to("500Mi");
    section["timeout"] = json!("8s");
    let failed = db
        .request("half", "VolumeExpansion", section, wait::PATIENCE)
        .await;
    let words = format!("{:#}", failed.err().context("a refused claim does not grow")?);
    ensure!(words.contains("the pool has no room"), "{words}");
    ensure!(
        capacities(db).await? == ["500Mi", "400Mi", "500Mi"],
        "{:?}",
        capacities(db).await?
    );
    drop(refusal);
    db.request("rest", "VolumeExpansion", to("500Mi"), wait::PATIENCE)
        .await?;
    ensure!(
        capacities(db).await? == ["500Mi"; 3],
        "{:?}",
        capacities(db).await?
    );
    Ok(())
}

/// A claim that somebody made larger by hand is left alone.
async fn a_larger_claim_is_left_alone(db: &Managed) -> anyhow::Result<()> {
    let claim = format!("data-{}-0", db.name);
    let larger = json!({"spec": {"resources": {"requests": {"storage": "800Mi"}}}});
    db.objects.merge(&kinds::CLAIM, &claim, &larger).await?;
    let has = |claim: &Value| claim.pointer("/status/capacity/storage") == Some(&json!("800Mi"));
    db.objects
        .until_some(&kinds::CLAIM, &claim, "larger", has)
        .await?;
    db.request("others", "VolumeExpansion", to("600Mi"), wait::PATIENCE)
        .await?;
    ensure!(
        capacities(db).await? == ["800Mi", "600Mi", "600Mi"],
        "{:?}",
        capacities(db).await?
    );
    Ok(())
}

/// The pod of the last member finds no node, and the volume of another fills: all three grow.
async fn one_near_full_grows_all_also_the_one_whose_pod_does_not_run(
    world: &World,
    db: &Managed,
) -> anyhow::Result<()> {
    let pod = format!("{}-2", db.name);
    let template = |selector: Value| {
        json!({"podTemplate": {"spec": {"nodeSelector": selector, "containers": [
            {"name": "postgres", "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}}},
        ]}}})
    };
    let volume = db.volumes(world).await?.remove(1);
    // A changed template reaches a pod when that is next made.
    db.apply(3, "600Mi", template(json!({"disk": "none"}))).await?;
    let nowhere = |set: &Value| set.pointer("/spec/template/spec/nodeSelector/disk").is_some();
    db.objects
        .until_some(&kinds::PETSET, &db.name, "changed", nowhere)
        .await?;
    db.objects.delete(&kinds::POD, &pod).await?;
    let told = db.until_said("ReplicaReady", "False", "no node takes it").await?;
    ensure!(told.contains(&pod), "{told}");

    db.autoscale(json!({"usageThreshold": 80, "upperBound": "4Gi"}))
        .await?;
    let before = volume.space()?.capacity;
    volume.fill_to(85.0)?;
    volume.until_larger_than(before).await?;
    let request = db
        .objects
        .until_any(&kinds::REQUEST, "finished request of the autoscaler", |request| {
            request["metadata"]["name"]
                .as_str()
                .is_some_and(|name| name.starts_with("pgops-"))
                && wait::phase(request) == "Successful"
        })
        .await?;
    let to = request
        .pointer("/spec/volumeExpansion/postgres")
        .cloned()
        .unwrap_or_default();
    for ordinal in 0..3 {
        let claim = db
            .objects
            .get(&kinds::CLAIM, &format!("data-{}-{ordinal}", db.name))
            .await?;
        ensure!(
            claim.pointer("/spec/resources/requests/storage") == Some(&to),
            "{}",
            claim["spec"]
        );
    }
    ensure!(
        request["status"].to_string().contains("next mount"),
        "{}",
        request["status"]
    );

    db.apply(3, "600Mi", template(json!({}))).await?;
    let anywhere = |set: &Value| set.pointer("/spec/template/spec/nodeSelector/disk").is_none();
    db.objects
        .until_some(&kinds::PETSET, &db.name, "changed back", anywhere)
        .await?;
    db.objects.delete(&kinds::POD, &pod).await?;
    db.until_all_ready(3).await?;
    let all = capacities(db).await?;
    ensure!(all.iter().all(|capacity| json!(capacity) == to), "{all:?}");
    Ok(())
}

#[tokio::test]
async fn three_volumes_grow_together_in_any_state() {
    scenario("replicas", async |world, objects| {
        let db = Managed::create(&objects, "ha", 3, "400Mi", json!({})).await?;
        db.until_phase("Ready").await?;
        what_has_grown_stays_and_the_next_request_goes_on(&world, &db).await?;
        a_larger_claim_is_left_alone(&db).await?;
        tokio::time::timeout(
            Duration::from_secs(180),
            one_near_full_grows_all_also_the_one_whose_pod_does_not_run(&world, &db),
        )
        .await?
    })
    .await;
}
