//! The provisioner's flags.

use clap::{Parser, ValueEnum};
use control::process::ProcessArgs;

/// Makes what databases consist of, and keeps the pods of PetSets.
#[derive(Debug, Clone, Parser)]
#[command(name = "highwater-provisioner", version)]
pub struct Args {
    /// With Highwater's own definitions, or beside KubeDB's.
    #[arg(long, value_enum, default_value_t = Mode::Standalone)]
    pub mode: Mode,
    /// What every process that leads takes.
    #[command(flatten)]
    pub process: ProcessArgs,
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
        let process = args.process;
        assert_eq!(
            (process.namespace.as_str(), process.pod_name.as_str(), args.mode),
            ("a", "b", Mode::Alongside)
        );
    }
}
