//! Flags of the decider's benchmark.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Parser, Subcommand};

/// Measures the decider against simulated agents and an API server that is none.
#[derive(Debug, Parser)]
#[command(name = "bench-decider")]
pub struct Args {
    /// How much of the whole fleet (5,000 nodes, 150,000 volumes) is simulated: 1, 10 or 100. Default: one after the other.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100), value_name = "PERCENT")]
    pub percent: Vec<u32>,

    /// Seconds of the steady measurement.
    #[arg(long, default_value_t = 60)]
    pub seconds: u64,

    /// The decider's binary; by default the one beside this one.
    #[arg(long, value_name = "FILE")]
    pub decider: Option<PathBuf>,

    /// What the benchmark starts besides the decider, each a process of its own.
    #[command(subcommand)]
    pub part: Option<Part>,
}

/// A process beside the decider.
#[derive(Debug, Subcommand)]
pub enum Part {
    /// The API server that is none.
    #[command(hide = true)]
    ApiServer {
        /// How much of the fleet there is.
        #[arg(long)]
        percent: u32,
    },
    /// The simulated agents.
    #[command(hide = true)]
    Agents {
        /// How much of the fleet there is.
        #[arg(long)]
        percent: u32,
        /// Where the decider listens for agents.
        #[arg(long)]
        decider: SocketAddr,
    },
    /// A server that does nothing but listen to the agents.
    #[command(hide = true)]
    Listener,
}
