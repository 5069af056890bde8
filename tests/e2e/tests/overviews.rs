//! The two processes of KubeDB's overviews, step by step, from what the objects remember.

use std::time::Duration;

use anyhow::{Context, ensure};
use e2e::{
    Managed,
    history::{self, History, became, belongs_to, created, told, wrote},
    objects::kinds,
    scenario, wait, writer,
};
use jiff::Timestamp;
use runtime::clock::{Clock, SystemClock};
use serde_json::{Value, json};
use units::Bytes;

/// Field managers, one per process.
const USER: &str = "e2e";
const PROVISIONER: &str = "highwater-provisioner";
const DECIDER: &str = "highwater-decider";
const EXECUTOR: &str = "highwater-executor";
/// Two members come or go.
const SCALING: Duration = Duration::from_secs(240);

/// Steps 1 to 3 of both: a user creates a Postgres, the provisioner sees it and makes the PetSet and what belongs to it.
async fn is_provisioned(db: &Managed, history: &mut History) -> anyhow::Result<()> {
    let postgres = db.until_phase("Ready").await?;
    wrote(&postgres, USER, "spec/storage")?;
    history.then("1 a user creates a Postgres", created(&postgres)?)?;
    // The first that it writes of an object.
    let taken = wrote(&postgres, PROVISIONER, "metadata/finalizers")?;
    history.then("2 the provisioner, watching, sees it", taken)?;
    became(&postgres, "ProvisioningStarted", "True")?;
    // Objects are made in one second, so that only all of them together have an order.
    for (kind, name, owned) in [
        (kinds::SECRET, format!("{}-auth", db.name), false),
        (kinds::SERVICE, db.name.clone(), true),
        (kinds::PETSET, db.name.clone(), true),
    ] {
        let object = db.objects.get(&kind, &name).await?;
        ensure!(
            belongs_to(&object, "Postgres", &db.name) == owned,
            "{}",
            object["metadata"]
        );
        ensure!(
            created(&object)?.as_second() >= created(&postgres)?.as_second(),
            "{name}"
        );
        wrote(&object, PROVISIONER, "metadata/labels")?;
    }
    let set = db.objects.get(&kinds::PETSET, &db.name).await?;
    ensure!(created(&set)?.as_second() <= became(&postgres, "Provisioned", "True")?.as_second());
    Ok(())
}

#[tokio::test]
async fn storage_autoscaling_goes_through_its_ten_steps() {
    scenario("overview", async |world, objects| {
        let mut history = History::default();
        let db = Managed::example(&objects, "ha.yaml").await?;
        is_provisioned(&db, &mut history).await?;
        let set = objects.get(&kinds::PETSET, &db.name).await?;
        history.then("3 it creates the PetSet, Secrets and Services", created(&set)?)?;
        let mut bound = Vec::new();
        for claim in objects.list(&kinds::CLAIM).await? {
            let volume = claim["spec"]["volumeName"].as_str().context("a claim is bound")?;
            let volume = objects.get(&kinds::VOLUME, volume).await?;
            ensure!(
                volume["spec"]["capacity"]["storage"] == "512Mi",
                "{}",
                volume["spec"]
            );
            bound.push(created(&volume)?);
        }
        ensure!(bound.len() == 3, "{} volumes", bound.len());
        let first = bound.into_iter().min().context("three volumes")?;
        history.then("4 the PetSet's members get PersistentVolumes", first)?;

        let autoscaler = db.also("autoscaled.yaml").await?;
        let measured = |seen: &Value| {
            let volumes = seen.pointer("/status/volumes").and_then(Value::as_array);
            let below = |volume: &Value| volume["reason"] == "BelowThreshold" && volume["used"].is_string();
            volumes.is_some_and(|all| all.len() == 3 && all.iter().all(below))
        };
        let seen = objects
            .until_some(&kinds::AUTOSCALER, &autoscaler, "measured", measured)
            .await?;
        wrote(&seen, USER, "spec/databaseRef")?;
        wrote(&seen, DECIDER, "status/volumes")?;
        history.then("5 the user creates a PostgresAutoscaler", created(&seen)?)?;
        let decided = became(&seen, "Decision", "True")?;
        history.then("6 the decider, watching, sees it", decided)?;
        let since = seen.pointer("/status/volumes/2/since").and_then(Value::as_str);
        let since: Timestamp = since.context("a volume has a time")?.parse()?;
        history.then("7 it watches the volumes' usage against the threshold", since)?;

        let filled = SystemClock.now();
        db.volumes(&world).await?[1].fill_to(85.0)?;
        let asked = told(
            &objects,
            "PostgresAutoscaler",
            &autoscaler,
            "CreateOpsRequest",
            "",
        )
        .await?[0];
        history.then("- one volume exceeds the threshold", filled)?;
        history.then("8 the decider creates a PostgresOpsRequest", asked)?;
        let requests = objects.list(&kinds::REQUEST).await?;
        let [request] = requests.as_slice() else {
            anyhow::bail!("{} requests", requests.len());
        };
        ensure!(
            belongs_to(request, "PostgresAutoscaler", &autoscaler),
            "{}",
            request["metadata"]
        );
        ensure!(
            request["spec"]["type"] == "VolumeExpansion",
            "{}",
            request["spec"]
        );
        let name = request["metadata"]["name"]
            .as_str()
            .context("a request has a name")?;
        let running = told(&objects, "PostgresOpsRequest", name, "Running", "").await?[0];
        history.then("9 the executor, watching, sees it", running)?;
        let ended = db.finished(name, wait::PATIENCE).await?;
        let expanded = told(&objects, "PostgresOpsRequest", name, "VolumeExpansion", "").await?[0];
        history.then("10 it expands the storage of the database", expanded)?;
        became(&ended, "VolumeExpansion", "True")?;
        history.then("- and is done", became(&ended, "Successful", "True")?)?;
        for volume in ended["status"]["volumes"].as_array().into_iter().flatten() {
            stages(volume)?;
        }
        // Half as much again by the rule; what the rate of such a fill needs besides is not foreseen here.
        let size = |object: &Value, path| {
            let text = object.pointer(path).and_then(Value::as_str);
            Bytes::parse_quantity(text.unwrap_or_default())
        };
        let to = size(request, "/spec/volumeExpansion/postgres")?;
        ensure!(to >= Bytes::new(768 << 20), "{to}");
        for claim in objects.list(&kinds::CLAIM).await? {
            wrote(&claim, EXECUTOR, "spec/resources/requests/storage")?;
            let has = size(&claim, "/status/capacity/storage")?;
            ensure!(has == to, "{has} instead of {to}");
        }
        let postgres = objects.get(&kinds::POSTGRES, &db.name).await?;
        ensure!(size(&postgres, "/spec/storage/resources/requests/storage")? == to);
        ensure!(history::resumed(&postgres), "{}", postgres["status"]);
        history.print();
        Ok(())
    })
    .await;
}

/// Steps 4 to 10 of a scaling that has ended.
async fn is_scaled(
    db: &Managed,
    request: &str,
    members: u32,
    member: &str,
    moved: &str,
) -> anyhow::Result<()> {
    let mut history = History::default();
    let objects = &db.objects;
    let ended = db.finished(request, SCALING).await?;
    wrote(&ended, USER, "spec/horizontalScaling")?;
    history.then("4 the user creates a PostgresOpsRequest", created(&ended)?)?;
    let events =
        async |reason: &str, word: &str| told(objects, "PostgresOpsRequest", request, reason, word).await;
    history.then(
        "5 the executor, watching, sees it",
        events("Running", "").await?[0],
    )?;
    history.then(
        "6 it pauses the Postgres",
        events("PauseDatabase", "Successfully paused").await?[0],
    )?;
    history.then(
        "7 it adds, or removes, the first member",
        events(member, "member").await?[0],
    )?;
    became(&ended, "PatchPetset", "True")?;
    let set = objects.get(&kinds::PETSET, &db.name).await?;
    ensure!(set["spec"]["replicas"] == members, "{}", set["spec"]["replicas"]);
    history.then(
        "8 the PetSet has the wished number",
        wrote(&set, EXECUTOR, "spec/replicas")?,
    )?;
    let last = events(moved, "member").await?.pop().context("a member moved")?;
    history.then("- the last member streams, or is gone", last)?;
    history.then(
        "9 it sets spec.replicas of the Postgres",
        events("UpdateDatabase", "").await?[0],
    )?;
    let postgres = objects.get(&kinds::POSTGRES, &db.name).await?;
    ensure!(
        postgres["spec"]["replicas"] == members,
        "{}",
        postgres["spec"]["replicas"]
    );
    wrote(&postgres, EXECUTOR, "spec/replicas")?;
    history.then(
        "10 it resumes the Postgres",
        events("ResumeDatabase", "Successfully resumed").await?[0],
    )?;
    ensure!(history::resumed(&postgres), "{}", postgres["status"]);
    history.then("- and is done", events("Successful", "").await?[0])?;
    history.print();
    let found = db.members().await?;
    ensure!(found.len() == members as usize, "{found:?}");
    let claims = objects.list(&kinds::CLAIM).await?;
    ensure!(claims.len() == members as usize, "{} claims", claims.len());
    db.until_phase("Ready").await.map(drop)
}

#[tokio::test]
async fn horizontal_scaling_goes_through_its_ten_steps_up_and_down_while_an_application_writes() {
    scenario("scale", async |_, objects| {
        let db = Managed::example(&objects, "ha.yaml").await?;
        is_provisioned(&db, &mut History::default()).await?;
        let ((), report) = writer::during(&db, async |_| {
            let up = db.also("scale-up.yaml").await?;
            is_scaled(&db, &up, 5, "Joining", "HorizontalScaleUp").await?;
            let down = db.also("scale-down.yaml").await?;
            is_scaled(&db, &down, 3, "Leaving", "HorizontalScaleDown").await?;
            let section = json!({"horizontalScaling": {"replicas": 2}});
            db.request("to-two", "HorizontalScaling", section, SCALING)
                .await?;
            is_scaled(&db, "to-two", 2, "Leaving", "HorizontalScaleDown").await
        })
        .await?;
        println!("longest gap in writes: {:.2} s", report.longest_gap.as_secs_f64());
        report.nothing_is_lost(&db).await
    })
    .await;
}

/// Each volume passed the stages of an expansion, one after the other: those that it was seen at, for a kubelet can be done
/// before the executor looks again.
fn stages(volume: &Value) -> anyhow::Result<()> {
    let passed = volume["stages"].as_array().into_iter().flatten();
    let mut last = Timestamp::MIN;
    let mut words = Vec::new();
    for stage in passed {
        let at: Timestamp = stage["at"].as_str().context("a stage has a time")?.parse()?;
        ensure!(at >= last, "{volume}");
        last = at;
        words.extend(stage["stage"].as_str());
    }
    let way = [
        "Measured",
        "Decided",
        "Pending",
        "Resizing",
        "FileSystemPending",
        "Grown",
    ];
    let places: Option<Vec<usize>> = words
        .iter()
        .map(|word| way.iter().position(|stage| stage == word))
        .collect();
    let places = places.with_context(|| format!("an unknown stage: {volume}"))?;
    ensure!(places.is_sorted_by(|a, b| a < b), "{volume}");
    ensure!(
        places.starts_with(&[0, 1, 2]) && places.last() == Some(&5),
        "{volume}"
    );
    Ok(())
}
