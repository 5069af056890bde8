//! The flags of `highwater-agent`.

use std::{ops::RangeInclusive, path::PathBuf, time::Duration};

use clap::Parser;
use runtime::args::{AdminArgs, LogArgs};
use tonic::codegen::http::uri::Authority;

/// Measures the persistent volumes of this node and streams their usage to the deciders.
#[derive(Debug, Clone, Parser)]
#[command(name = "highwater-agent", version)]
pub struct Args {
    /// Name of this node.
    #[arg(long, env = "NODE_NAME")]
    pub node_name: String,

    /// Kubelet's root directory, mounted here at the same path; a symbolic link is followed.
    #[arg(
        long,
        env = "KUBELET_ROOT",
        default_value = "/var/lib/kubelet",
        value_name = "DIRECTORY"
    )]
    pub kubelet_root: PathBuf,

    /// Host and port of the deciders' headless Service; a stream is kept to every address behind it.
    #[arg(
        long,
        env = "DECIDER",
        value_parser = host_and_port,
        default_value = "highwater-decider.highwater.svc:7400",
        value_name = "HOST:PORT"
    )]
    pub decider: String,

    /// Each volume is measured once in this time.
    #[arg(long, value_parser = time, default_value = "1s", value_name = "TIME")]
    pub period: Duration,

    /// A volume whose statfs takes longer is reported as stuck.
    #[arg(long, value_parser = time, default_value = "2s", value_name = "TIME")]
    pub statfs_deadline: Duration,

    /// A decider hears of this node at least this often.
    #[arg(long, value_parser = time, default_value = "2s", value_name = "TIME")]
    pub heartbeat: Duration,

    /// How often the deciders' name is resolved.
    #[arg(long, value_parser = time, default_value = "5s", value_name = "TIME")]
    pub resolve_every: Duration,

    /// The admin port.
    #[command(flatten)]
    pub admin: AdminArgs,

    /// The log.
    #[command(flatten)]
    pub log: LogArgs,
}

/// Bounds of the times above: outside them are busy loops, and moments that no clock has.
const TIMES: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(3600);

/// A bad address would show only as streams that cannot be opened.
fn host_and_port(text: &str) -> Result<String, String> {
    let is_whole =
        |address: Authority| !address.host().is_empty() && address.port_u16().is_some_and(|port| port > 0);
    if text.parse().is_ok_and(is_whole) {
        Ok(text.to_owned())
    } else {
        Err("must be host:port, as in highwater-decider.highwater.svc:7400".to_owned())
    }
}

fn time(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(duration) if TIMES.contains(&duration) => Ok(duration),
        Ok(_) => Err("must be from 10ms to 1h".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clap::Parser;

    use super::Args;

    #[test]
    fn defaults_are_those_of_the_chart() {
        let args = Args::parse_from(["highwater-agent", "--node-name", "node-1"]);
        assert_eq!(args.period, Duration::from_secs(1));
        assert_eq!(args.statfs_deadline, Duration::from_secs(2));
        assert_eq!(args.decider, "highwater-decider.highwater.svc:7400");
    }

    #[test]
    fn a_decider_has_a_host_and_a_port() {
        let parse =
            |decider| Args::try_parse_from(["highwater-agent", "--node-name", "n", "--decider", decider]);
        for good in ["decider:7400", "10.0.0.1:1", "[::1]:7400"] {
            assert!(parse(good).is_ok(), "{good}");
        }
        for bad in [
            "decider",
            ":7400",
            "decider:",
            "decider:0",
            "decider:http",
            "::1:7400",
            "a decider:7400",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_time_of_nothing_or_of_ages_is_refused() {
        for bad in ["0s", "1us", "-1s", "soon", "2h", "18446744073709551615s"] {
            assert!(
                Args::try_parse_from(["highwater-agent", "--node-name", "n", "--period", bad]).is_err(),
                "{bad}"
            );
        }
    }
}
