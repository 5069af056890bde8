//! The flags of `cluster`; read here and nowhere else.

use std::path::PathBuf;

use clap::{Args as Flags, Parser, Subcommand};

/// A whole Kubernetes on this machine, for tests and the demo: never for data you want to keep.
#[derive(Debug, Parser)]
#[command(name = "cluster", version)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands of the binary.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Install packages, build programs and make images, all of which last; nothing is started
    SetUp(SetUpArgs),
    /// Start a cluster and wait until its node is ready; what is left of an earlier one is removed first
    Up(UpArgs),
    /// Remove the cluster and everything it made, in whatever state it is
    Down(StateArgs),
    /// Say which components run; fails, with the last words of the dead, if not all do
    Status(StateArgs),
    /// Print the end of every component's log
    Logs(StateArgs),
    /// Bring image archives (docker-archive) into the cluster
    Import(ImportArgs),
}

/// Which cluster.
#[derive(Debug, Flags)]
pub struct StateArgs {
    /// Folder of the cluster [default: target/cluster in the repository]
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
}

/// Flags of `set-up`.
#[derive(Debug, Flags)]
pub struct SetUpArgs {
    /// Only what the API-server tests need
    #[arg(long)]
    pub api_server: bool,
    /// Only Helm; prints its path
    #[arg(long, conflicts_with = "api_server")]
    pub helm: bool,
}

/// Flags of `up`.
#[derive(Debug, Flags)]
pub struct UpArgs {
    /// Which cluster.
    #[command(flatten)]
    pub state: StateArgs,
    /// The test CSI driver [default: csi-loop beside this program]
    #[arg(long, value_name = "PATH")]
    pub csi_loop: Option<PathBuf>,
    /// Keep a cluster that runs there already, if all its components do
    #[arg(long)]
    pub keep: bool,
    /// Kubelet looks at its pods once in this time; its own default is 1m
    #[arg(long, value_name = "TIME", default_value = "5s")]
    pub kubelet_sync: String,
}

/// Flags of `import`.
#[derive(Debug, Flags)]
pub struct ImportArgs {
    /// Which cluster.
    #[command(flatten)]
    pub state: StateArgs,
    /// Archives
    #[arg(required = true, value_name = "TAR")]
    pub archives: Vec<PathBuf>,
}
