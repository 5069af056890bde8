//! What can be asked, and how.

use std::{path::PathBuf, time::Duration};

use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use jiff::Timestamp;

const EXIT_CODES: &str = "Exit codes:
  0  answered; nothing is wrong
  1  answered; something is wrong: a check of `doctor` failed, a volume of `backtest` would have been full
  2  the command line cannot be understood
  3  the cluster, or the view of the deciders, cannot be asked
  4  there is no such database
  5  a file cannot be read, written or understood";

/// Asks Highwater: how full, how fast, why it grew or did not, and whether the installation is sound.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "kubectl highwater",
    bin_name = "kubectl highwater",
    version = runtime::build::VERSION,
    after_help = EXIT_CODES,
    propagate_version = true
)]
pub struct Args {
    /// Where the cluster is.
    #[command(flatten)]
    pub cluster: ClusterArgs,

    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Where the cluster is.
#[derive(Debug, Clone, clap::Args)]
pub struct ClusterArgs {
    /// Kubeconfig to use; without it, what kubectl uses.
    #[arg(long, global = true, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,

    /// Context of the kubeconfig.
    #[arg(long, global = true, value_name = "NAME")]
    pub context: Option<String>,

    /// Namespace of the databases; without it, all of them, or that of the context where one database is named.
    #[arg(long, short, global = true, value_name = "NAME")]
    pub namespace: Option<String>,

    /// Namespace in which Highwater is installed.
    #[arg(long, global = true, default_value = "highwater", value_name = "NAME")]
    pub highwater_namespace: String,

    /// Longest time to wait for an answer.
    #[arg(long, global = true, default_value = "15s", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub timeout: Duration,
}

/// What to do.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// All databases: how full, how fast, full in, whether they can grow, the last growth and what is next
    #[command(
        after_help = "Examples:\n  kubectl highwater status\n  kubectl highwater status -n demo\n  kubectl highwater status -o json | jq '.[] | select(.canGrow | not)'"
    )]
    Status {
        /// Form of the answer.
        #[arg(long, short, value_enum, default_value_t = Form::Table)]
        output: Form,
    },

    /// Why one database grows, or does not: the decision in words, or whole
    #[command(
        after_help = "Examples:\n  kubectl highwater why shop -n demo\n  kubectl highwater why demo/shop\n  kubectl highwater why demo/shop -o yaml"
    )]
    Why {
        /// The Postgres: NAME, or NAMESPACE/NAME.
        database: String,
        /// Form of the answer.
        #[arg(long, short, value_enum, default_value_t = Words::Text)]
        output: Words,
    },

    /// Every data volume: its claim, its filesystem, and how old the numbers are
    #[command(
        after_help = "Examples:\n  kubectl highwater volumes\n  kubectl highwater volumes demo/shop -o json"
    )]
    Volumes {
        /// Of this Postgres only: NAME, or NAMESPACE/NAME.
        database: Option<String>,
        /// Form of the answer.
        #[arg(long, short, value_enum, default_value_t = Form::Table)]
        output: Form,
    },

    /// The status, live; a line for each change where the output is no terminal
    #[command(
        after_help = "Examples:\n  kubectl highwater watch\n  kubectl highwater watch -n demo --interval 200ms | tee growth.log"
    )]
    Watch {
        /// How often to look.
        #[arg(long, default_value = "1s", value_parser = humantime::parse_duration, value_name = "DURATION")]
        interval: Duration,
    },

    /// Checks the installation; names what is wrong, and the remedy
    #[command(after_help = "Examples:\n  kubectl highwater doctor\n  kubectl highwater doctor -o json")]
    Doctor {
        /// Form of the answer.
        #[arg(long, short, value_enum, default_value_t = Form::Table)]
        output: Form,
    },

    /// Replays recorded usage against a policy: what would have grown, when, and what would have been full
    #[command(
        long_about = BACKTEST,
        after_help = "Examples:\n  kubectl highwater backtest --policy autoscaler.yaml --usage usage.jsonl\n  kubectl highwater backtest --policy autoscaler.yaml --usage range.json --provisioner ebs.csi.aws.com --expansion-time 40s"
    )]
    Backtest(BacktestArgs),

    /// Writes the usage of a running fleet as it is measured, for `backtest`
    #[command(
        after_help = "Examples:\n  kubectl highwater record --for 1h > usage.jsonl\n  kubectl highwater record -n demo --every 10s --until 2030-01-01T08:00:00Z > night.jsonl"
    )]
    Record {
        /// How often to ask.
        #[arg(long, default_value = "1s", value_parser = humantime::parse_duration, value_name = "DURATION")]
        every: Duration,
        /// How long; without it, until it is stopped.
        #[arg(long = "for", value_parser = humantime::parse_duration, value_name = "DURATION", conflicts_with = "until")]
        length: Option<Duration>,
        /// When to end.
        #[arg(long, value_name = "TIME")]
        until: Option<Timestamp>,
    },

    /// Prints the completions of a shell
    #[command(after_help = "Example:\n  source <(kubectl highwater completions bash)")]
    Completions {
        /// The shell.
        shell: Shell,
    },
}

const BACKTEST: &str = "Replays recorded usage against a policy: what would have grown, when, and what would have been full.

Each database of the recording is replayed by itself, with the decider's own rules. Its volumes begin with the size they had; \
from then on the replay grows them, and the recording says only how much was used. A volume is full when more was used than it \
would have held. What was measured holds until the next measurement.

The recording is one of
  JSONL   what `record` writes: {\"at\",\"namespace\",\"database\",\"claim\",\"size\",\"capacity\",\"available\",\"used\",\"expansionMillis\"}
  CSV     the same names in the first line
  JSON    the answer of Prometheus to /api/v1/query_range for kubelet_volume_stats_used_bytes, _capacity_bytes and \
_available_bytes; several answers may follow one another in one file";

/// What to replay.
#[derive(Debug, Clone, clap::Args)]
pub struct BacktestArgs {
    /// A PostgresAutoscaler, as YAML or JSON.
    #[arg(long, value_name = "FILE")]
    pub policy: PathBuf,
    /// The recording; `-` is the standard input.
    #[arg(long, value_name = "FILE")]
    pub usage: PathBuf,
    /// From a decision to the larger filesystem.
    #[arg(long, default_value = "10s", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub expansion_time: Duration,
    /// Driver of the storage class, whose profile is used, and not what the recording knows of expansions.
    #[arg(long, value_name = "NAME")]
    pub provisioner: Option<String>,
    /// Form of the answer.
    #[arg(long, short, value_enum, default_value_t = Form::Table)]
    pub output: Form,
}

/// Form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// For people.
    Table,
    /// For programs.
    Json,
    /// For programs and people.
    Yaml,
}

/// Form of an explanation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Words {
    /// In words.
    Text,
    /// The record, whole.
    Json,
    /// The record, whole.
    Yaml,
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::{Args, Command};

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn every_command_has_an_example() {
        for command in Args::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string);
            assert!(
                help.is_some_and(|text| text.contains("kubectl highwater ")),
                "{}",
                command.get_name()
            );
        }
    }

    #[test]
    fn the_namespace_may_follow_the_command() {
        let args = Args::parse_from(["kubectl highwater", "why", "shop", "-n", "demo"]);
        assert_eq!(args.cluster.namespace.as_deref(), Some("demo"));
        assert!(matches!(args.command, Command::Why { database, .. } if database == "shop"));
    }
}
