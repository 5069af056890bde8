//! The same script of operations on a StatefulSet and on a PetSet: after each of them, both must come to rest in the
//! same state, and at the end both must have made and deleted the same pods in the same order.

mod log;
mod script;
mod side;
mod snapshot;

use std::time::Duration;

use futures::{StreamExt as _, stream};
use kube::Client;
use tokio::time::{Instant, sleep};

use self::{
    log::Log,
    script::{Op, Script},
    side::{Kind, Side},
    snapshot::Snapshot,
};
use crate::world::{World, namespace};

/// Each seed is one script.
const SEEDS: std::ops::Range<u64> = 0..52;
/// Scripts that run at the same time.
const AT_ONCE: usize = 13;
/// Time between two looks; what has not changed from one to the next and is equal on both sides is at rest.
const PERIOD: Duration = Duration::from_millis(300);
const QUIET: u32 = 1;
/// The same where pods must have been ready for a second.
const QUIET_SECOND: u32 = 5;
/// Far above what coming to rest takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(40);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_petset_does_what_a_statefulset_does() {
    let world = World::new().await;
    let client = world.client.clone();
    let failures: Vec<String> = world
        .with_controller(async {
            let runs = SEEDS.map(|seed| run(client.clone(), Script::new(seed)));
            stream::iter(runs)
                .buffer_unordered(AT_ONCE)
                .filter_map(async |run| run.err())
                .collect()
                .await
        })
        .await;
    assert!(
        failures.is_empty(),
        "{} of {}:\n{}",
        failures.len(),
        SEEDS.end,
        failures.join("\n\n")
    );
}

async fn run(client: Client, script: Script) -> Result<(), String> {
    let namespaces = (namespace(&client).await, namespace(&client).await);
    let sides = [
        Side::new(client.clone(), namespaces.0, Kind::StatefulSet),
        Side::new(client, namespaces.1, Kind::PetSet),
    ];
    let logs = [Log::of(&sides[0]), Log::of(&sides[1])];
    let failed = |done: usize, what: String| {
        format!(
            "seed {}: {:?}\nafter {:?}\n{what}",
            script.seed,
            script.setup,
            script.ops.get(..done)
        )
    };
    for side in &sides {
        side.create(&script.setup).await;
    }
    let quiet = if script.setup.waits() { QUIET_SECOND } else { QUIET };
    rest(&sides, quiet).await.map_err(|what| failed(0, what))?;
    for (done, op) in script.ops.iter().enumerate() {
        both(&sides, op).await;
        rest(&sides, quiet).await.map_err(|what| failed(done + 1, what))?;
    }
    let [theirs, ours] = logs.map(|log| log.entries(script.setup.is_ordered()));
    if theirs != ours {
        return Err(failed(
            script.ops.len(),
            format!("StatefulSet: {theirs:?}\nPetSet:      {ours:?}"),
        ));
    }
    for side in &sides {
        side.remove().await;
    }
    Ok(())
}

async fn both(sides: &[Side; 2], op: &Op) {
    let [theirs, ours] = sides;
    tokio::join!(theirs.apply(op), ours.apply(op));
}

/// Waits until both are at rest and equal; else says how they differ.
async fn rest(sides: &[Side; 2], wanted: u32) -> Result<(), String> {
    let start = Instant::now();
    let mut before = None;
    let mut quiet = 0;
    loop {
        let [theirs, ours] = [Snapshot::of(&sides[0]).await, Snapshot::of(&sides[1]).await];
        let now = (theirs.version.clone(), ours.version.clone());
        let equal = theirs.state == ours.state && theirs.is_observed && ours.is_observed;
        quiet = if equal && before.as_ref() == Some(&now) {
            quiet + 1
        } else {
            0
        };
        if quiet >= wanted {
            return Ok(());
        }
        if start.elapsed() > PATIENCE {
            return Err(format!(
                "StatefulSet: {:#}\nPetSet: {:#}",
                theirs.state, ours.state
            ));
        }
        before = Some(now);
        sleep(PERIOD).await;
    }
}
