//! What `kubectl highwater` says of the real installation, through the API server's service proxy.

use std::time::Duration;

use anyhow::Context;
use e2e::{Database, Shape, Volume, World, objects::kinds, pace::steadily, scenario};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::sleep;
use units::{Bytes, Reason};

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
        db.until_reason(Reason::BelowThreshold).await?;

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

/// A fill that is recorded.
#[derive(Clone, Copy)]
struct Fill {
    /// Size of the claim.
    size: &'static str,
    /// Bytes a second.
    rate: u64,
    /// Used before it begins, in percent.
    from: f64,
    time_to_full: &'static str,
}

/// What is taken at once.
const STEP: u64 = 512 << 10;
/// As long as a rate looks back, and for the start of what records.
const QUIET: Duration = Duration::from_secs(12);
const LENGTH: Duration = Duration::from_secs(15);
/// What a growth adds, at least.
const SCALING_PERCENT: u64 = 20;

#[tokio::test]
async fn a_recording_replayed_gives_the_decisions_that_were_made() {
    let by_threshold = Fill {
        size: "400Mi",
        rate: 8 << 20,
        from: 70.0,
        time_to_full: "Off",
    };
    let by_rate = Fill {
        size: "1Gi",
        rate: 40 << 20,
        from: 10.0,
        time_to_full: "On",
    };
    for (namespace, fill, at_least) in [("replay", by_threshold, 2), ("replay-rate", by_rate, 1)] {
        scenario(namespace, async |world, objects| {
            let shape = Shape {
                size: fill.size,
                ..Shape::default()
            };
            let db = Database::create(&world, &objects, "pg", shape).await?;
            db.autoscale(json!({"scalingThreshold": SCALING_PERCENT})).await?;
            let annotations = json!({"highwater.dev/time-to-full": fill.time_to_full});
            let patch = json!({"metadata": {"annotations": annotations}});
            objects
                .merge(&kinds::AUTOSCALER, &db.autoscaler(), &patch)
                .await?;
            db.until_reason(Reason::BelowThreshold).await?;
            let recording = recorded(&world, &db, fill).await?;
            db.settled(&world).await?;
            compare(&world, &db, recording, at_least).await
        })
        .await;
    }
}

/// What `record` wrote while the volume filled. It begins with a quiet time, so that a replay knows the same past as the
/// decider, and nothing of what was filled before is in either's rate.
async fn recorded(world: &World, db: &Database, fill: Fill) -> anyhow::Result<String> {
    let volume = db.volume(world).await?;
    volume.fill_to(fill.from)?;
    let record = "highwater record --every 100ms --for 30s --namespace";
    let record: Vec<&str> = record.split(' ').chain([db.objects.namespace()]).collect();
    let rising = async {
        sleep(QUIET).await;
        tokio::task::spawn_blocking(move || rise(&volume, fill.rate)).await
    };
    let (recorded, risen) = tokio::join!(world.kubectl(&record), rising);
    risen??;
    recorded
}

/// The replay must ask for what was asked for, and at the same times.
async fn compare(world: &World, db: &Database, recording: String, at_least: usize) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = |name: &str| folder.path().join(name).display().to_string();
    let policy = db.objects.get(&kinds::AUTOSCALER, &db.autoscaler()).await?;
    std::fs::write(file("policy.json"), policy.to_string())?;
    std::fs::write(file("usage.jsonl"), recording)?;
    let (policy, usage) = (file("policy.json"), file("usage.jsonl"));
    let replay = [
        "--policy",
        &policy,
        "--usage",
        &usage,
        "--expansion-time",
        "500ms",
        "-o",
        "json",
    ];
    let said = world
        .kubectl(&[&["highwater", "backtest"], &replay[..]].concat())
        .await?;
    let replayed: Vec<Value> = serde_json::from_str(&said)?;
    let growths = replayed[0]["growths"].as_array().context("growths")?;
    let mut requests = db.requests().await?;
    requests.sort_by_key(|r| r["metadata"]["creationTimestamp"].to_string());
    assert_eq!(growths.len(), requests.len(), "{said}");
    assert!(growths.len() >= at_least, "{said}");
    for (growth, request) in growths.iter().zip(&requests) {
        let at = |text: &Value| {
            text.as_str()
                .context("a time")?
                .parse::<Timestamp>()
                .context("a time")
        };
        let live = at(&request["metadata"]["creationTimestamp"])?;
        let off = at(&growth["at"])?.duration_since(live).as_secs_f64();
        // The live one is told in whole seconds.
        assert!((-1.0..=2.0).contains(&off), "{off} s from {live}: {said}");
        let size = request["spec"]["volumeExpansion"]["postgres"].as_str();
        let size = Bytes::parse_quantity(size.context("a size")?)?.get();
        let replayed = growth["to"].as_u64().context("a size")?;
        // A rate is seen a little differently through a recording, and what it needs is rounded up to whole steps of the
        // threshold, each to a whole MiB: one may differ.
        let a_step = size.min(replayed) * SCALING_PERCENT / 100 + Bytes::MIB.get();
        assert!(replayed.abs_diff(size) <= a_step, "{size}: {said}");
    }
    Ok(())
}

/// Takes space, steadily.
fn rise(volume: &Volume, rate: u64) -> anyhow::Result<()> {
    let steps = usize::try_from(LENGTH.as_secs() * rate / STEP)?;
    steadily(rate, STEP)
        .take(steps)
        .try_for_each(|_| volume.allocate(STEP).map(drop))
}
