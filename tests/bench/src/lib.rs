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
mod times;
pub mod writes;

use std::time::Duration;

use anyhow::ensure;
use e2e::{Database, Objects, Shape, World};
use serde_json::json;
use units::Reason;

use crate::{args::Args, growth::Fill, spread::Spread, times::Times, writes::Writes};

/// Of a smoke run, which shares the machine with everything else and must only catch a broken path.
const SMOKE: f64 = 15.0;

/// Runs the rounds and prints the figures.
///
/// # Errors
/// When the cluster is not up, a growth does not come, or a smoke run misses its loose bounds.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let Args {
        growths,
        unaided,
        idle,
        smoke,
    } = args;
    let (growths, idle) = if smoke {
        (growths.min(3), 2)
    } else {
        (growths, idle)
    };
    let idle = Duration::from_secs(idle);
    let world = World::connect().await?;
    let (times, writes) = rounds(&world, growths, unaided, idle).await?;
    println!("{growths} growths of each kind, {times}{writes}");
    let worst = times.rising.worst() + times.usable.worst();
    ensure!(
        !smoke || worst < SMOKE,
        "a growth took {worst:.1} s from its crossing"
    );
    Ok(())
}

async fn rounds(
    world: &World,
    growths: usize,
    unaided: usize,
    idle: Duration,
) -> anyhow::Result<(Times, Writes)> {
    let measured = async |world: World, objects: Objects| {
        let ours = Database::create(&world, &objects, "ours", Shape::default()).await?;
        let bare = Database::create(&world, &objects, "bare", Shape::default()).await?;
        let rules = json!([{"appliesUpto": "", "threshold": "32Mi"}]);
        ours.autoscale(json!({"scalingRules": rules})).await?;
        ours.until_reason(Reason::BelowThreshold).await?;
        let before = writes::so_far(&world, &objects)?;
        tokio::time::sleep(idle).await;
        let grown_from = writes::so_far(&world, &objects)?;
        let (mut rising, mut leap, mut usable) = (vec![], vec![], vec![]);
        let (mut by_hand, mut alone) = (vec![], vec![]);
        for _ in 0..growths {
            for (fill, requests) in [(Fill::Rising, &mut rising), (Fill::Leap, &mut leap)] {
                let growth = growth::measure(&world, &ours, fill).await?;
                requests.push(growth.to_request);
                usable.push(growth.to_usable);
            }
            by_hand.push(bare::measure(&world, &bare, true).await?);
        }
        for _ in 0..unaided {
            alone.push(bare::measure(&world, &bare, false).await?);
        }
        let times = Times {
            all: Spread::of([rising.as_slice(), leap.as_slice()].concat()),
            rising: Spread::of(rising),
            leap: Spread::of(leap),
            usable: Spread::of(usable),
            bare: Spread::of(by_hand),
            unaided: Spread::of(alone),
        };
        ours.until_reason(Reason::BelowThreshold).await?;
        let writes = Writes::count(&world, &objects, (before, grown_from), idle, 2 * growths)?;
        Ok((times, writes))
    };
    world.in_namespace("bench", measured).await
}
