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
pub mod writes;

use std::time::Duration;

use anyhow::ensure;
use e2e::{Database, Objects, Shape, World};
use serde_json::json;
use units::Reason;

use crate::{args::Args, growth::Fill, spread::Spread, writes::Writes};

/// What is asked of a growth (seconds).
const REQUEST_MEDIAN: f64 = 0.2;
const REQUEST_RISING: f64 = 0.5;
const REQUEST_LEAP: f64 = 1.2;
/// Request to usable, of the median: as many times the bare client's, and this much more.
const USABLE: (f64, f64) = (1.3, 0.3);
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
    print(&times, growths);
    println!("{writes}");
    let worst = times.rising.worst() + times.usable.worst();
    ensure!(
        !smoke || worst < SMOKE,
        "a growth took {worst:.1} s from its crossing"
    );
    Ok(())
}

/// All that was measured.
struct Times {
    /// Crossing to request, of volumes that rise to it.
    rising: Spread,
    /// The same of volumes that are above it at once.
    leap: Spread,
    /// Request to usable space, of both.
    usable: Spread,
    /// Patch to usable space, with kubelet nudged and without.
    bare: Spread,
    unaided: Spread,
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

fn print(times: &Times, growths: usize) {
    let Times {
        rising,
        leap,
        usable,
        bare,
        unaided,
    } = times;
    let verdict = |value: f64, bound: f64| if value <= bound { "holds" } else { "missed" };
    let usable_bound = USABLE.0 * bare.median() + USABLE.1;
    println!("{growths} growths of each kind, seconds           p50   p99   max");
    println!("crossing -> request, rising (hot)   {rising}");
    println!("crossing -> request, a leap         {leap}");
    println!("request -> usable                   {usable}");
    println!("bare patch and nudge -> usable      {bare}");
    if !unaided.is_empty() {
        println!("bare patch alone -> usable          {unaided}");
    }
    println!();
    for (what, value, bound) in [
        (
            "crossing -> request, rising, p50",
            rising.median(),
            REQUEST_MEDIAN,
        ),
        (
            "crossing -> request, rising, p99",
            rising.percentile(99),
            REQUEST_RISING,
        ),
        (
            "crossing -> request, a leap, p99",
            leap.percentile(99),
            REQUEST_LEAP,
        ),
        (
            "request -> usable, p50, bound 1.3 x bare + 0.3",
            usable.median(),
            usable_bound,
        ),
    ] {
        println!("{what:<47}{value:6.2} <= {bound:.2}  {}", verdict(value, bound));
    }
    println!(
        "request -> usable over bare, ratio of the medians {:.2}",
        usable.median() / bare.median()
    );
}
