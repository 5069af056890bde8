//! Flags of the benchmarks.

use clap::Parser;

/// Measures growths on the running development cluster.
#[derive(Debug, Parser)]
pub struct Args {
    /// How many growths to measure.
    #[arg(long, default_value_t = 30)]
    pub growths: usize,
    /// A short run with loose bounds that only catches a broken path.
    #[arg(long)]
    pub smoke: bool,
}
