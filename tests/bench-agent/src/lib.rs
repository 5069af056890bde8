//! What the agent costs its node and the network, without Kubernetes: real filesystems where kubelet would mount them, a
//! decider that counts bytes, Debian's prometheus-node-exporter beside it on the same mounts, and a loop of nothing but
//! statfs on the same paths.
//!
//! All of it runs in namespaces of its own ([`namespace`]): a run that is killed leaves nothing behind. The exporter reads
//! the mounts of process 1, which here is the benchmark itself.

pub mod args;
pub mod bare_loop;
pub mod cost;
pub mod exporter;
pub mod heard;
pub mod namespace;
pub mod programs;
pub mod receiver;
pub mod table;
pub mod volumes;
pub mod wire;

use std::{path::Path, time::Duration};

use anyhow::ensure;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::{
    args::Args,
    cost::{Cost, Meter},
    exporter::Exporter,
    programs::Program,
    receiver::Receiver,
    table::Table,
    volumes::Volumes,
};

/// Far above what anything here takes to come up on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// Scrapes, one a second, before anything is counted: Go's heap and everybody's caches have come to rest.
const WARM_UP: usize = 10;
/// How often costs are read.
const READ_EVERY: Duration = Duration::from_secs(5);
/// Fifteen heartbeats: one more or less makes little of a difference.
const SHORTEST_IDLE: Duration = Duration::from_secs(30);
/// The volumes of the wire's figures.
const WIRE_VOLUMES: usize = 30;

/// Measures everything and prints the table.
///
/// # Errors
/// When something cannot be started, somebody does not see all volumes, or a figure is far beyond its bound.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let Args {
        agent,
        exporter,
        volumes,
        time,
        uncompressed,
        idle,
        inside: _,
    } = args;
    ensure!(
        volumes >= WIRE_VOLUMES,
        "at least {WIRE_VOLUMES} volumes are needed"
    );
    ensure!(
        idle >= SHORTEST_IDLE,
        "less than {SHORTEST_IDLE:?} of bytes tell nothing"
    );
    eprintln!("making {volumes} filesystems");
    let all = Volumes::make(volumes)?;
    eprintln!(
        "measuring processor and memory for {}",
        humantime::format_duration(time)
    );
    let exporter = Exporter::start(&exporter, !uncompressed).await?;
    let costs = costs(&agent, exporter, &all, time).await?;
    eprintln!("counting bytes for {}", humantime::format_duration(idle));
    let wire = wire::measure(&agent, &all.node_of(WIRE_VOLUMES)?, idle).await?;
    let table = Table::of(costs, wire);
    print!("{table}");
    table.verdict()
}

/// The three beside each other.
#[derive(Debug)]
pub struct Costs {
    /// Of the agent.
    pub agent: Cost,
    /// Of the exporter.
    pub exporter: Cost,
    /// Of the loop of nothing but statfs.
    pub bare: Cost,
    /// Filesystems that agent and loop measure.
    pub volumes: usize,
    /// Filesystems that the exporter measures: those, and what else is mounted on the machine.
    pub exported: usize,
}

async fn costs(
    agent: &Path,
    mut exporter: Exporter,
    volumes: &Volumes,
    time: Duration,
) -> anyhow::Result<Costs> {
    let count = volumes.paths().len();
    let receiver = Receiver::start().await?;
    let agent = Program::agent(agent, volumes.root(), receiver.address())?;
    let bare = Program::bare_loop(volumes.paths())?;
    receiver
        .until("a snapshot of every volume", |heard| heard.mounted() == count)
        .await?;
    // Once a second, and never a scrape to make up for one that was late.
    let mut tick = interval(Duration::from_secs(1));
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    for _ in 0..WARM_UP {
        tick.tick().await;
        exporter.scrape().await?;
    }
    let (mut meters, began) = (
        [
            Meter::start(agent.pid())?,
            Meter::start(exporter.pid())?,
            Meter::start(bare.pid())?,
        ],
        Instant::now(),
    );
    let mut read = began;
    while read < began + time {
        let now = tick.tick().await;
        exporter.scrape().await?;
        if now >= read + READ_EVERY || now >= began + time {
            read = now;
            meters.iter_mut().try_for_each(Meter::read)?;
        }
    }
    let seen = exporter.look().await?;
    let (told, below) = (receiver.heard().mounted(), seen.below(volumes.root()));
    ensure!(
        (told, below) == (count, count),
        "of {count} volumes the agent reports {told}, the exporter {below}"
    );
    let [agent, exporter, bare] = meters.map(|meter| meter.cost());
    Ok(Costs {
        agent,
        exporter,
        bare,
        volumes: count,
        exported: seen.all(),
    })
}
