//! A replicated database from nothing but a `Postgres`, and what its clients notice when a member goes. Alone in its file: seconds are
//! measured, and tests of one file run beside each other.

use std::time::Duration;

use anyhow::{Context, ensure};
use e2e::{Managed, Member, World, objects::kinds, scenario, writer};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::json;

/// The smallest volumes on which three members live well.
const SIZE: &str = "400Mi";
/// `ttl` of the leader's key: a leader that says nothing is replaced after it.
const TTL: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_postgres_becomes_a_replicated_database_that_survives_its_members() {
    scenario("available", async |world, objects| {
        let db = Managed::create(&objects, "ha", 3, SIZE, json!({})).await?;
        db.until_phase("Ready").await?;
        let roles: Vec<_> = db
            .members()
            .await?
            .into_iter()
            .map(|member| member.role)
            .collect();
        ensure!(
            roles.iter().filter(|role| *role == "primary").count() == 1 && roles.len() == 3,
            "{roles:?}"
        );
        what_is_there(&db).await?;

        // How long clients may be without writes.
        let clean = "clean deletion of the primary's pod";
        notice(&db, clean, Duration::from_secs(4), async |primary| {
            db.objects.delete(&kinds::POD, &primary.pod).await
        })
        .await?;
        notice(
            &db,
            "SIGKILL of postgres",
            Duration::from_secs(8),
            async |primary| kill_postmaster(&world, &db, &primary).await,
        )
        .await?;
        let forced = "forced deletion of the primary's pod";
        notice(&db, forced, TTL + Duration::from_secs(10), async |primary| {
            db.kill(&primary).await
        })
        .await?;
        Ok(())
    })
    .await;
}

/// Everything that belongs to the database, and that neither its claims nor its Secrets go with it.
async fn what_is_there(db: &Managed) -> anyhow::Result<()> {
    for name in [
        db.name.clone(),
        format!("{}-standby", db.name),
        format!("{}-pods", db.name),
    ] {
        db.objects.get(&kinds::SERVICE, &name).await?;
    }
    for kind in [kinds::CLAIM, kinds::SECRET] {
        for object in db.objects.list(&kind).await? {
            ensure!(
                object["metadata"].get("ownerReferences").is_none(),
                "{} has an owner",
                object["metadata"]["name"]
            );
        }
    }
    let set = db.objects.get(&kinds::PETSET, &db.name).await?;
    ensure!(
        set["spec"]["podManagementPolicy"] == "Parallel",
        "{}",
        set["spec"]
    );
    Ok(())
}

/// What a writer notices while something is done to the primary, until the database is Ready again with another or the same.
async fn notice(
    db: &Managed,
    what: &str,
    bound: Duration,
    act: impl AsyncFnOnce(Member) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let ((), report) = writer::during(db, async |mut seen: writer::Watched| {
        act(db.primary().await?).await?;
        seen.interruption().await?;
        db.until_all_ready(3).await
    })
    .await?;
    ensure!(report.rows > 100, "{report:?}");
    report.little_is_lost(db).await?;
    report.gap_at_most(what, bound)
}

/// Kills the postmaster of a member with SIGKILL, from outside.
async fn kill_postmaster(world: &World, db: &Managed, member: &Member) -> anyhow::Result<()> {
    let file = ["head", "-1", "/var/pv/data/postmaster.pid"];
    let inside = db.run(world, &member.pod, &file).await?;
    let pid = e2e::node::host_pid(&member.uid, inside.parse()?)?;
    kill(Pid::from_raw(pid), Signal::SIGKILL).context("kill the postmaster")
}
