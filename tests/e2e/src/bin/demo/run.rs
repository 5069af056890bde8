//! The demo from a fresh database to its grown volume.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use e2e::{Managed, Objects, World, objects::kinds};
use serde_json::Value;
use tokio::{
    sync::mpsc::{self, Receiver},
    task::JoinSet,
};

use crate::{
    args::Args,
    fill,
    make::{carry_out, make},
    manifests::{self, Manifests},
    observe,
    screen::Screen,
    story::{Seen, Story},
};

/// Names of `examples`.
const NAMESPACE: &str = "demo";
const DATABASE: &str = "shop";
/// How long filling may take until the threshold is crossed.
const FILLING: Duration = Duration::from_secs(300);
/// How long a scaling of two members may take.
const SCALING: Duration = Duration::from_secs(300);

/// Runs the demo.
///
/// # Errors
/// When the cluster is not up, the database does not start, or its volume does not grow in time.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let Args { patience } = args;
    let world = World::connect().await?;
    let Manifests {
        postgres,
        autoscaler,
        scale_up,
        scale_down,
    } = manifests::read()?;
    let db = Managed {
        objects: Objects::new(world.client.clone(), NAMESPACE),
        name: DATABASE.to_owned(),
    };

    println!("a Postgres of three members, {DATABASE} in namespace {NAMESPACE}, from examples/ha.yaml");
    let made = make(&db, &postgres).await?;
    db.objects.apply(&autoscaler).await?;
    let threshold = threshold(&autoscaler)?;
    println!(
        "\nfilling it with SQL; its autoscaler (examples/autoscaled.yaml) grows it above {threshold} %, or before, when at the \
         rate of the fill a growth would come too late\n"
    );
    let growth = grow(&world, &db, threshold, patience.into()).await?;
    println!("\nfive members instead of three (examples/scale-up.yaml)");
    let up = carry_out(&db, &scale_up, SCALING).await?;
    println!("\nand three again (examples/scale-down.yaml)");
    let down = carry_out(&db, &scale_down, SCALING).await?;

    println!("{growth}");
    for (what, took) in [
        ("three members, Ready", made),
        ("scaled to five", up),
        ("and back to three", down),
    ] {
        println!("{what:<28}{:6.2} s", took.as_secs_f64());
    }
    println!(
        "\nlook around:  . target/cluster/env; kubectl -n {NAMESPACE} get postgres,postgresautoscaler,postgresopsrequest,pods,pvc"
    );
    Ok(())
}

/// Fills the primary until all has grown; returns the summary.
async fn grow(world: &World, db: &Managed, threshold: f64, patience: Duration) -> anyhow::Result<String> {
    let primary = db.primary().await?.pod;
    let claim = format!("data-{primary}");
    let volumes = db.volumes(world).await?;
    let (tell, told) = mpsc::channel(64);
    let mut tasks = JoinSet::new();
    let node = (volumes.clone(), tell.clone());
    tasks.spawn_blocking(move || observe::filesystems(&node.0, &node.1));
    let any = |_: &Value| true;
    let ours = move |o: &Value| o["metadata"]["name"] == *claim;
    let objects = &db.objects;
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
    tasks.spawn(fill::run(
        world.clone(),
        db.clone(),
        primary,
        volumes,
        threshold,
        tell,
    ));
    let outcome = tell_story(told, &mut tasks, threshold, patience).await;
    tasks.shutdown().await;
    outcome
}

/// Follows what is seen until every volume has grown; returns the summary.
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

/// The example autoscaler's `usageThreshold`.
fn threshold(autoscaler: &Value) -> anyhow::Result<f64> {
    let found = autoscaler.pointer("/spec/storage/postgres/usageThreshold");
    found
        .and_then(Value::as_f64)
        .context("the example's autoscaler has a usageThreshold")
}
