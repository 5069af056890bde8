//! The demo from a fresh database to its grown volume.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use e2e::{Database, Objects, Shape, Volume, World, objects::kinds, wait};
use serde_json::Value;
use tokio::{
    sync::mpsc::{self, Receiver},
    task::JoinSet,
};

use crate::{
    args::Args,
    fill, manifests, observe,
    screen::Screen,
    story::{Seen, Story},
};

/// Names of `examples/unmanaged`.
const NAMESPACE: &str = "demo";
const DATABASE: &str = "shop";
const CLAIM: &str = "data-shop-0";
/// How long filling may take until the threshold is crossed.
const FILLING: Duration = Duration::from_secs(300);

/// Runs the demo.
///
/// # Errors
/// When the cluster is not up, the database does not start, or its volume does not grow in time.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let Args { patience } = args;
    let world = World::connect().await?;
    let objects = Objects::new(world.client.clone(), NAMESPACE);
    let manifests = manifests::read()?;
    let threshold = threshold(&manifests)?;

    println!("a fresh database {DATABASE} in namespace {NAMESPACE}, from examples/unmanaged");
    let volume = create(&world, &objects, &manifests).await?;
    let db = Database {
        objects: objects.clone(),
        name: DATABASE.to_owned(),
        shape: Shape {
            postgres: true,
            ..Shape::default()
        },
    };

    let (tell, told) = mpsc::channel(64);
    let mut tasks = JoinSet::new();
    let node = (volume.clone(), tell.clone());
    tasks.spawn_blocking(move || observe::filesystem(&node.0, &node.1));
    let any = |_: &Value| true;
    let ours = |o: &Value| o["metadata"]["name"] == CLAIM;
    tasks.spawn(observe::objects(
        objects.clone(),
        kinds::AUTOSCALER,
        any,
        tell.clone(),
        Seen::Autoscaler,
    ));
    tasks.spawn(observe::objects(
        objects.clone(),
        kinds::REQUEST,
        any,
        tell.clone(),
        Seen::Request,
    ));
    tasks.spawn(observe::objects(
        objects.clone(),
        kinds::CLAIM,
        ours,
        tell.clone(),
        Seen::Claim,
    ));
    println!("filling it with SQL; its autoscaler grows it above {threshold} %\n");
    tasks.spawn(fill::run(world.clone(), db, volume, threshold, tell));

    let outcome = tell_story(told, &mut tasks, threshold, patience.into()).await;
    tasks.shutdown().await;
    println!("{}", outcome?);
    println!(
        "look around:  . target/cluster/env; kubectl -n {NAMESPACE} get postgresautoscaler,postgresopsrequest,pvc"
    );
    Ok(())
}

/// Follows what is seen until the volume has grown; returns the summary.
async fn tell_story(
    mut told: Receiver<Seen>,
    tasks: &mut JoinSet<anyhow::Result<()>>,
    threshold: f64,
    patience: Duration,
) -> anyhow::Result<String> {
    let mut story = Story::new(Instant::now(), threshold);
    let mut screen = Screen::new();
    let mut deadline = tokio::time::Instant::now() + FILLING;
    while !story.ended() {
        let seen = tokio::select! {
            seen = told.recv() => seen.context("nothing is seen any more")?,
            Some(ended) = tasks.join_next() => {
                ended.context("a part of the demo broke")??;
                bail!("a part of the demo ended too early");
            }
            () = tokio::time::sleep_until(deadline) => bail!("the volume did not grow: {}", story.excuse()),
        };
        let before = story.crossed();
        let lines = story.see(seen, Instant::now());
        if before.is_none() && story.crossed().is_some() {
            deadline = tokio::time::Instant::now() + patience;
        }
        screen.show(&lines, &story)?;
    }
    Ok(story.summary())
}

/// Creates the example anew and waits until PostgreSQL answers; returns its volume.
async fn create(world: &World, objects: &Objects, manifests: &[Value]) -> anyhow::Result<Volume> {
    objects.delete(&kinds::NAMESPACE, NAMESPACE).await?;
    objects
        .until(&kinds::NAMESPACE, NAMESPACE, "gone", |seen| seen.is_none())
        .await?;
    for manifest in manifests {
        objects.apply(manifest).await?;
    }
    let pod = format!("{DATABASE}-0");
    let ready = |p: &Value| wait::condition(p, "Ready").is_some_and(|(status, ..)| status == "True");
    objects.until_some(&kinds::POD, &pod, "ready", ready).await?;
    Volume::of(world, objects, CLAIM, &pod).await
}

/// The example autoscaler's `usageThreshold`.
fn threshold(manifests: &[Value]) -> anyhow::Result<f64> {
    let found = manifests
        .iter()
        .find_map(|m| m.pointer("/spec/storage/postgres/usageThreshold"));
    found
        .and_then(Value::as_f64)
        .context("the example's autoscaler has a usageThreshold")
}
