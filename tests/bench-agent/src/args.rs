//! Flags of the agent's benchmark.

use std::{path::PathBuf, time::Duration};

use clap::Parser;

/// Measures what the agent costs, beside prometheus-node-exporter and a bare loop. Needs root, no cluster.
#[derive(Debug, Clone, Parser)]
pub struct Args {
    /// The agent's program, as it is shipped.
    #[arg(long, value_name = "FILE")]
    pub agent: PathBuf,
    /// The program of Debian's package prometheus-node-exporter.
    #[arg(long, value_name = "FILE")]
    pub exporter: PathBuf,
    /// How many volumes are mounted.
    #[arg(long, default_value_t = 250)]
    pub volumes: usize,
    /// How long processor and memory are measured.
    #[arg(long, value_parser = humantime::parse_duration, default_value = "2m", value_name = "TIME")]
    pub time: Duration,
    /// Scrape without the gzip that Prometheus asks for.
    #[arg(long)]
    pub uncompressed: bool,
    /// How long the bytes of an idle node are counted. Below 20 minutes, the mean over 20 minutes is calculated: two
    /// snapshots, and heartbeats as they were counted.
    #[arg(long, value_parser = humantime::parse_duration, default_value = "1m", value_name = "TIME")]
    pub idle: Duration,
    /// Set by the benchmark itself when it has namespaces of its own.
    #[arg(long, hide = true)]
    pub inside: bool,
}
