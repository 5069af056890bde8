//! Benchmarks on the running development cluster: how long from a crossing to its request and to usable space,
//! beside the same growth done by a bare client that patches the claim and nudges kubelet by hand. Those of the
//! [`decider`] alone need no cluster.
//!
//! Times on a shared machine drift, so every round runs both sides and the ratio is printed. The clock is a
//! statfs poll each millisecond that shares nothing with the agent.

pub mod args;
pub mod bare;
pub mod decider;
pub mod growth;
pub mod race;
pub mod spread;

use anyhow::ensure;
use e2e::{Database, Objects, Shape, World};
use serde_json::json;

use crate::{args::Args, spread::Spread};

/// Runs the rounds and prints the figures.
///
/// # Errors
/// When the cluster is not up, a growth does not come, or a smoke run misses its loose bounds.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let Args { growths, smoke } = args;
    let growths = if smoke { growths.min(5) } else { growths };
    let world = World::connect().await?;
    let (to_request, to_usable, bare) = rounds(&world, growths).await?;
    println!("growths                      {growths}");
    println!("crossing -> request          {to_request}");
    println!("crossing -> usable           {to_usable}");
    println!("bare patch, nudge -> usable  {bare}");
    println!(
        "ratio of the medians, crossing -> usable over bare: {:.2}",
        to_usable.median() / bare.median()
    );
    // Generous: the smoke run shares the machine with everything else and must only catch a broken path.
    ensure!(
        !smoke || to_usable.worst() < 15.0,
        "a growth took {:.1} s from its crossing",
        to_usable.worst()
    );
    Ok(())
}

async fn rounds(world: &World, growths: usize) -> anyhow::Result<(Spread, Spread, Spread)> {
    let measured = async |world: World, objects: Objects| {
        let ours = Database::create(&world, &objects, "ours", Shape::default()).await?;
        let bare = Database::create(&world, &objects, "bare", Shape::default()).await?;
        let rules = json!([{"appliesUpto": "", "threshold": "32Mi"}]);
        ours.autoscale(json!({"scalingRules": rules})).await?;
        let (mut requests, mut usable, mut by_hand) = (vec![], vec![], vec![]);
        for _ in 0..growths {
            let growth = growth::measure(&world, &ours).await?;
            requests.push(growth.to_request);
            usable.push(growth.to_usable);
            by_hand.push(bare::measure(&world, &bare).await?);
        }
        Ok((Spread::of(requests), Spread::of(usable), Spread::of(by_hand)))
    };
    world.in_namespace("bench", measured).await
}
