//! Flags that every process takes; a process flattens these into its own.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, ValueEnum};

/// Where the process answers probes and scrapes.
#[derive(Debug, Clone, Args)]
pub struct AdminArgs {
    /// Address of the admin port: /live, /ready and /metrics.
    #[arg(long, default_value = "0.0.0.0:8080", value_name = "ADDRESS")]
    pub admin: SocketAddr,
}

/// How the process speaks.
#[derive(Debug, Clone, Args)]
pub struct LogArgs {
    /// What to log: a level, or a filter such as `info,decider::ingest=debug`.
    #[arg(long, default_value = "info", value_name = "FILTER")]
    pub log: String,

    /// Form of a log line.
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,

    /// File that receives the cause when the process ends by an error; left alone if it does not exist.
    #[arg(long, default_value = "/dev/termination-log", value_name = "FILE")]
    pub termination_log: PathBuf,
}

/// Form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One line of text, for people.
    Text,
    /// One JSON object a line, for log collectors.
    Json,
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::{AdminArgs, LogArgs, LogFormat};

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        admin: AdminArgs,
        #[command(flatten)]
        log: LogArgs,
    }

    #[test]
    fn defaults_are_those_of_the_chart() {
        let cli = Cli::parse_from(["box"]);
        assert_eq!(cli.admin.admin.to_string(), "0.0.0.0:8080");
        assert_eq!(cli.log.log, "info");
        assert_eq!(cli.log.log_format, LogFormat::Text);
        assert_eq!(cli.log.termination_log.to_string_lossy(), "/dev/termination-log");
    }

    #[test]
    fn flags_are_read() {
        let cli = Cli::parse_from([
            "box",
            "--admin",
            "[::1]:9",
            "--log",
            "debug",
            "--log-format",
            "json",
        ]);
        assert_eq!(cli.admin.admin.to_string(), "[::1]:9");
        assert_eq!(cli.log.log, "debug");
        assert_eq!(cli.log.log_format, LogFormat::Json);
    }
}
