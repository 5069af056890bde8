//! What is put into a database at its start, what it archives, and WAL that is kept for nobody.

use std::time::Duration;

use anyhow::{Context, ensure};
use e2e::{Managed, Objects, Volume, World, history, objects::kinds, scenario, wait};
use serde_json::{Value, json};

async fn sql(db: &Managed, world: &World, statement: &str) -> anyhow::Result<String> {
    db.psql(world, &format!("{}-0", db.name), statement).await
}

/// A Secret that a Postgres names is read once a minute, for Secrets are not watched; then follow Patroni's loop, and a check.
const SETTINGS: Duration = Duration::from_secs(120);

/// Asks until this is the answer. Patroni carries out settings in its own loop, which nothing tells of.
async fn until_sql(db: &Managed, world: &World, question: &str, answer: &str) -> anyhow::Result<()> {
    let answered = async {
        while sql(db, world, question).await? != answer {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(SETTINGS, answered)
        .await
        .with_context(|| format!("{question} is not answered with {answer}"))?
}

/// The database of an example, with a table to fill.
async fn filling(objects: &Objects, world: &World, file: &str) -> anyhow::Result<Managed> {
    let db = Managed::example(objects, file).await?;
    db.until_phase("Ready").await?;
    sql(&db, world, "create table filling (payload text)").await?;
    Ok(db)
}

/// Changes which slots Patroni keeps, as its own program does.
async fn slots(db: &Managed, world: &World, setting: &str) -> anyhow::Result<()> {
    let settings = "/etc/patroni/patroni.yml";
    let edit = [
        "patronictl",
        "-c",
        settings,
        "edit-config",
        "--force",
        "--set",
        setting,
    ];
    db.run(world, &format!("{}-0", db.name), &edit).await.map(drop)
}

/// Waits until no WAL is kept for anybody.
async fn until_nothing_is_kept(db: &Managed) -> anyhow::Result<()> {
    let over = |postgres: &Value| wait::condition(postgres, "WALRetained").is_none();
    let objects = &db.objects;
    objects
        .until_within(SETTINGS, &kinds::POSTGRES, &db.name, "nothing kept", |postgres| {
            postgres.is_some_and(over)
        })
        .await
        .map(drop)
}

/// Writes WAL: some forty megabytes of it.
const WAL: &str = "insert into filling select repeat(md5(i::text), 60) from generate_series(1, 15000) i; select pg_switch_wal()";

#[tokio::test]
async fn an_init_script_has_run_before_the_database_is_ready() {
    scenario("init", async |world, objects| {
        let script = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "first", "namespace": objects.namespace()},
            "data": {"schema.sql": "create table seeded as select 42 as answer;"},
        });
        objects.apply(&script).await?;
        let init = json!({"init": {"script": {"configMap": {"name": "first"}}}});
        let db = Managed::create(&objects, "one", 1, "400Mi", init).await?;
        db.until_phase("Ready").await?;
        ensure!(sql(&db, &world, "select answer from seeded").await? == "42");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn wal_kept_by_an_abandoned_slot_is_told_until_the_slot_is_dropped() {
    scenario("slot", async |world, objects| {
        let db = filling(&objects, &world, "standalone.yaml").await?;
        // Patroni keeps the slots that its settings name, and drops all others.
        slots(&db, &world, "slots.abandoned.type=physical").await?;
        until_sql(
            &db,
            &world,
            "select slot_name from pg_replication_slots",
            "abandoned",
        )
        .await?;
        let written = async {
            loop {
                sql(&db, &world, WAL).await?;
                let kept = "select count(*) from pg_replication_slots where slot_name = 'abandoned' and \
                            pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) > 60000000";
                if sql(&db, &world, kept).await? == "1" {
                    return anyhow::Ok(());
                }
            }
        };
        tokio::time::timeout(wait::PATIENCE, written)
            .await
            .context("no WAL is kept")??;
        let told = db.until_said("WALRetained", "True", "SlotRetainsWal").await?;
        ensure!(
            told.contains("abandoned") && told.contains("drop the slot"),
            "{told}"
        );
        a_growth_tells_what_it_goes_to(&db, &world).await?;
        slots(&db, &world, "slots=null").await?;
        until_nothing_is_kept(&db).await
    })
    .await;
}

/// A growth for the sake of what is kept: its record, its Event and `why` name the slot.
async fn a_growth_tells_what_it_goes_to(db: &Managed, world: &World) -> anyhow::Result<()> {
    // By little: what is kept must stay a twentieth of the volume, else it is no longer worth telling.
    db.autoscale(json!({"usageThreshold": 80, "scalingThreshold": 5, "upperBound": "4Gi"}))
        .await?;
    let volume = &db.volumes(world).await?[0];
    let before = volume.space()?.capacity;
    volume.fill_to(81.0)?;
    volume.until_larger_than(before).await?;
    let objects = &db.objects;
    let autoscaler = format!("{}-storage", db.name);
    let pinned = "WALRetained: replication slot abandoned is inactive and keeps";
    history::told(
        objects,
        "PostgresAutoscaler",
        &autoscaler,
        "CreateOpsRequest",
        pinned,
    )
    .await?;
    let recorded = |seen: &Value| {
        seen["status"]["lastDecision"]["message"]
            .as_str()
            .is_some_and(|text| text.contains(pinned))
            && wait::condition(seen, "WALRetained").is_some_and(|(status, ..)| status == "True")
    };
    objects
        .until_some(&kinds::AUTOSCALER, &autoscaler, "told of the slot", recorded)
        .await?;
    let name = format!("{}/{}", objects.namespace(), db.name);
    let words = world.kubectl(&["highwater", "why", &name]).await?;
    for word in ["note", "last"] {
        let mut lines = words.lines().filter(|line| line.trim_start().starts_with(word));
        ensure!(lines.any(|line| line.contains(pinned)), "no {word} in {words}");
    }
    let requests = objects.list(&kinds::REQUEST).await?;
    let request = requests[0]["metadata"]["name"]
        .as_str()
        .context("a request's name")?;
    db.finished(request, SETTINGS).await.map(drop)
}

#[tokio::test]
async fn an_archive_takes_wal_away_and_one_that_fails_is_told() {
    scenario("archive", async |world, objects| {
        let db = filling(&objects, &world, "archive.yaml").await?;
        sql(&db, &world, WAL).await?;
        let archive = Volume::of(&world, &objects, "ledger-archive", "ledger-0").await?;
        let arrived = async {
            while std::fs::read_dir(&archive.mount)?.count() == 0 {
                tokio::time::sleep(Duration::from_millis(200)).await; // a folder of another machine
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(wait::PATIENCE, arrived)
            .await
            .context("nothing was archived")??;

        let settings = |command: &str| {
            json!({
                "apiVersion": "v1", "kind": "Secret",
                "metadata": {"name": "ledger-settings", "namespace": objects.namespace()},
                "stringData": {"user.conf": format!("archive_mode = on\narchive_command = '{command}'\n")},
            })
        };
        objects.apply(&settings("exit 7")).await?;
        until_sql(&db, &world, "show archive_command", "exit 7").await?;
        sql(&db, &world, WAL).await?;
        let told = db.until_said("WALRetained", "True", "ArchiverFailing").await?;
        ensure!(told.contains("archive_command"), "{told}");
        objects.apply(&settings("true")).await?;
        until_nothing_is_kept(&db).await
    })
    .await;
}
