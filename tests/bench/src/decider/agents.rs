//! The load: every agent a connection and a stream of its own, in one process beside the decider.
//!
//! It is led by lines on its standard input, and answers each with a line of JSON: `connect`, `begin`, `end`, `cut`.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    sync::watch,
    task::JoinSet,
    time::{Instant, timeout},
};

mod agent;
mod heard;
mod node;
mod words;

use super::fleet::Fleet;
use agent::Agent;
use heard::Heard;

/// Agents of which a volume is hot: they redial at once.
const HOT_PERCENT: u32 = 5;
/// The others spread their redialling over this time.
const SPREAD: Duration = Duration::from_secs(10);
/// Until when all of them must have been heard.
const PATIENCE: Duration = Duration::from_secs(120);

/// What was sent and answered between `begin` and `end`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Traffic {
    /// Messages to the decider.
    pub messages: u64,
    /// Volumes that moved.
    pub moves: u64,
    /// From sending to the acknowledgement, in milliseconds: half of the answers took at most so long.
    pub p50: f64,
    /// And 99 of 100.
    pub p99: f64,
    /// And all.
    pub max: f64,
}

/// What became of a reconnect of all agents. Times in seconds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Reconnect {
    /// How old what the decider had of an agent with a hot volume got at most.
    pub hot_age: f64,
    /// How old what it had of any agent got at most.
    pub age: f64,
    /// From the cut until the last snapshot was acknowledged.
    pub fresh: f64,
    /// From the cut until the last history was sent.
    pub replayed: f64,
    /// Connections that failed on the way.
    pub failures: u64,
    /// The largest message in bytes.
    pub largest: u64,
}

/// An order to all agents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// Wait.
    Idle,
    /// Be connected; the number grows with each cut of all connections.
    Connected(u32),
}

/// Runs until its input ends.
///
/// # Errors
/// When the decider cannot be reached, or is not heard of again.
pub async fn run(fleet: Fleet, decider: SocketAddr) -> anyhow::Result<()> {
    let heard = Arc::new(Heard::new(fleet.nodes));
    let orders = watch::Sender::new(Order::Idle);
    let mut agents = JoinSet::new();
    for index in 0..fleet.nodes {
        let hot = index < (fleet.nodes * HOT_PERCENT).div_ceil(100);
        let agent = Agent::new(fleet, index, hot, decider, Arc::clone(&heard));
        agents.spawn(agent.run(orders.subscribe()));
    }
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut cuts = 0;
    while let Some(line) = lines.next_line().await? {
        match line.as_str() {
            "connect" | "cut" => {
                let since = Instant::now();
                heard.cut(since);
                orders.send_replace(Order::Connected(cuts));
                cuts += 1;
                timeout(PATIENCE, heard.all())
                    .await
                    .with_context(|| format!("not all agents were heard within {PATIENCE:?}"))?;
                say(&heard.reconnect(since))?;
            }
            "begin" => {
                heard.begin();
                say(&())?;
            }
            "end" => say(&heard.traffic())?,
            other => bail!("not an order: {other}"),
        }
    }
    agents.shutdown().await;
    Ok(())
}

fn say(what: &impl Serialize) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string(what)?);
    Ok(())
}

/// Reads an answer.
///
/// # Errors
/// When it is none.
pub fn read<T: DeserializeOwned>(line: &str) -> anyhow::Result<T> {
    serde_json::from_str(line).with_context(|| format!("an agent process said {line:?}"))
}
