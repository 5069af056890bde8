//! The flags of `csi-loop`; read here and nowhere else.

use std::{path::PathBuf, time::Duration};

use clap::{Args as Flags, Parser, Subcommand, ValueEnum};

use crate::{
    DRIVER,
    faults::{Code, Operation, Selector},
};

/// TEST-ONLY CSI driver (loop.csi.highwater.dev): XFS on loop devices, really limited and really grown, with faults on
/// demand. Needs root, util-linux and xfsprogs. Never for data you want to keep.
#[derive(Debug, Parser)]
#[command(name = "csi-loop", version)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands of the binary.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve CSI and register with kubelet until SIGTERM or SIGINT
    Serve(ServeArgs),
    /// Switch faults of a running driver; effective from the next call on
    Fault(FaultArgs),
    /// Unmount and detach every volume of a state directory whose driver is gone; images stay
    Sweep(SweepArgs),
}

/// Flags of `serve`.
#[derive(Debug, Flags)]
pub struct ServeArgs {
    /// Unix socket of the CSI services, `<kubelet root>/plugins/loop.csi.highwater.dev/csi.sock`
    #[arg(long, value_name = "PATH")]
    pub endpoint: PathBuf,
    /// Unix socket kubelet's plugin watcher finds, `<kubelet root>/plugins_registry/loop.csi.highwater.dev-reg.sock`
    #[arg(long, value_name = "PATH")]
    pub registration: PathBuf,
    /// Directory of the images, their records and faults.json; created when absent
    #[arg(long, value_name = "DIR")]
    pub state: PathBuf,
    /// The driver's name; another one makes a driver of its own beside the cluster's
    #[arg(long, value_name = "NAME", default_value = DRIVER)]
    pub name: String,
    /// The node's name, answered by NodeGetInfo
    #[arg(long, value_name = "NAME")]
    pub node: String,
    /// Largest volume, in GiB; images are sparse, so the host's disk may hold less. Above it: OUT_OF_RANGE
    #[arg(long, value_name = "GIB", default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=8192))]
    pub max_volume_gib: u64,
    /// The plugin capability VolumeExpansion that callers are told
    #[arg(long, value_name = "KIND", default_value = "online")]
    pub expansion: Expansion,
    /// Log filter, as in `info` or `csi_loop=debug,info`; the log goes to standard error
    #[arg(long, value_name = "FILTER", default_value = "info")]
    pub log: String,
}

/// How the driver says it expands. What it does is decided by the faults, not by this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Expansion {
    /// While mounted.
    Online,
    /// Only while unmounted.
    Offline,
}

/// Flags of `fault`.
#[derive(Debug, Flags)]
pub struct FaultArgs {
    /// State directory of the driver
    #[arg(long, value_name = "DIR")]
    pub state: PathBuf,
    /// The change to make.
    #[command(subcommand)]
    pub change: FaultChange,
}

/// One change of the rules in force.
#[derive(Debug, Subcommand)]
pub enum FaultChange {
    /// Answer with a gRPC status
    Refuse {
        /// Which calls.
        #[command(flatten)]
        rule: RuleArgs,
        /// gRPC status, as in RESOURCE_EXHAUSTED
        #[arg(long, value_name = "CODE", ignore_case = true)]
        code: Code,
        /// Text of the status
        #[arg(long, value_name = "TEXT", default_value = "refused on demand")]
        message: String,
    },
    /// Let the call wait before it does its work
    Delay {
        /// Which calls.
        #[command(flatten)]
        rule: RuleArgs,
        /// How long, as in 500ms
        #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
        by: Duration,
    },
    /// Let the call wait until this rule is cleared or the caller gives up
    Hang {
        /// Which calls.
        #[command(flatten)]
        rule: RuleArgs,
    },
    /// Allow so many growths per volume in a rolling window, then refuse as a provider would
    RateLimit {
        /// Which calls.
        #[command(flatten)]
        rule: RuleArgs,
        /// Growths allowed in the window
        #[arg(long, value_name = "N")]
        modifications: u32,
        /// The rolling window, as in 24h
        #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
        window: Duration,
        /// gRPC status; EBS's driver answers INTERNAL
        #[arg(long, value_name = "CODE", default_value = "INTERNAL", ignore_case = true)]
        code: Code,
        /// Text of the status [default: EBS's]
        #[arg(long, value_name = "TEXT")]
        message: Option<String>,
    },
    /// Refuse growth with FAILED_PRECONDITION while the volume is staged or published
    OfflineOnly {
        /// Which calls.
        #[command(flatten)]
        rule: RuleArgs,
    },
    /// Refuse sizes above this one with OUT_OF_RANGE
    Maximum {
        /// Which calls.
        #[command(flatten)]
        rule: RuleArgs,
        /// The largest size, in MiB
        #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(1..=8_388_608))]
        mib: u64,
    },
    /// Remove one rule, or all of them
    Clear {
        /// Name of the rule; all when absent
        name: Option<String>,
    },
    /// Print the rules in force as JSON
    List,
}

/// The calls a rule is for.
#[derive(Debug, Flags)]
pub struct RuleArgs {
    /// Name of the rule, for `clear`; a rule of the same name is replaced [default: the fault's kind]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// `*`, a PV name, `namespace/claim`, `namespace/*`, or `key=value` of a StorageClass parameter
    #[arg(long, value_name = "WHICH", default_value = "*")]
    pub volume: Selector,
    /// Operation [default: both]
    #[arg(long, value_name = "OPERATION")]
    pub op: Option<Operation>,
}

/// Flags of `sweep`.
#[derive(Debug, Flags)]
pub struct SweepArgs {
    /// State directory of the driver
    #[arg(long, value_name = "DIR")]
    pub state: PathBuf,
}
