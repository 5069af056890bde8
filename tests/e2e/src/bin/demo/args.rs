//! The demo's flags.

use clap::Parser;

/// Fills a database with SQL and shows how its volume grows.
#[derive(Debug, Parser)]
pub(crate) struct Args {
    /// How long the volume may take to grow once it is over its threshold, before the demo fails.
    #[arg(long, default_value = "60s")]
    pub(crate) patience: humantime::Duration,
}
