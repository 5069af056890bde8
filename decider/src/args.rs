//! The decider's flags.

use std::{net::SocketAddr, time::Duration};

use clap::{Parser, ValueEnum};
use control::client::ClientArgs;
use runtime::args::{AdminArgs, LogArgs};

/// Decides when the volumes of a database grow, and asks for it.
#[derive(Debug, Clone, Parser)]
#[command(name = "highwater-decider", version = runtime::build::VERSION)]
pub struct Args {
    /// Where agents send usage to.
    #[arg(long, default_value = "0.0.0.0:7400", value_name = "ADDRESS")]
    pub usage_listen: SocketAddr,

    /// Where what is seen and decided can be asked for.
    #[arg(long, default_value = "0.0.0.0:7401", value_name = "ADDRESS")]
    pub view_listen: SocketAddr,

    /// The namespace of the lease.
    #[arg(long, env = "POD_NAMESPACE", value_name = "NAME")]
    pub namespace: String,

    /// The name of this replica.
    #[arg(long, env = "POD_NAME", value_name = "NAME")]
    pub pod_name: String,

    /// Measurements older than this are not acted upon.
    #[arg(long, default_value = "10s", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub stale_after: Duration,

    /// Whose definitions of the kinds are installed.
    #[arg(long, value_enum, default_value_t = OperatingMode::Standalone)]
    pub mode: OperatingMode,

    /// The API server.
    #[command(flatten)]
    pub client: ClientArgs,

    /// The admin port.
    #[command(flatten)]
    pub admin: AdminArgs,

    /// The log.
    #[command(flatten)]
    pub log: LogArgs,
}

/// Whose definitions of the kinds are installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OperatingMode {
    /// Highwater's own.
    Standalone,
    /// KubeDB's: its webhook refuses sizes not above what the Postgres asks for.
    Alongside,
}
