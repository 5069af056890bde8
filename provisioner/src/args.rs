//! The provisioner's flags.

use clap::{Parser, ValueEnum};
use control::client::ClientArgs;
use runtime::args::{AdminArgs, LogArgs};

/// Makes what databases consist of, and keeps the pods of PetSets.
#[derive(Debug, Clone, Parser)]
#[command(name = "highwater-provisioner", version)]
pub struct Args {
    /// Namespace of this pod; the Lease is there.
    #[arg(long, env = "POD_NAMESPACE", default_value = "highwater")]
    pub namespace: String,
    /// Name of this pod; part of its identity in the Lease.
    #[arg(long, env = "POD_NAME", default_value = "highwater-provisioner")]
    pub pod_name: String,
    /// With Highwater's own definitions, or beside KubeDB's.
    #[arg(long, value_enum, default_value_t = Mode::Standalone)]
    pub mode: Mode,
    /// Where it answers probes and scrapes.
    #[command(flatten)]
    pub admin: AdminArgs,
    /// How it speaks.
    #[command(flatten)]
    pub log: LogArgs,
    /// Where the API server is.
    #[command(flatten)]
    pub client: ClientArgs,
}

/// Who else is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// Nobody.
    Standalone,
    /// KubeDB; only what carries the label `highwater.dev/owned-by: highwater` is acted on.
    Alongside,
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::{Args, Mode};

    #[test]
    fn the_chart_s_flags_are_understood() {
        Args::command().debug_assert();
        let args = Args::parse_from(["x", "--namespace", "a", "--pod-name", "b", "--mode", "alongside"]);
        assert_eq!(
            (args.namespace.as_str(), args.pod_name.as_str(), args.mode),
            ("a", "b", Mode::Alongside)
        );
    }
}
