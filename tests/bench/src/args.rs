//! Flags of the benchmarks.

use clap::Parser;

/// Measures growths on the running development cluster.
#[derive(Debug, Parser)]
pub struct Args {
    /// How many growths of each kind to measure.
    #[arg(long, default_value_t = 30)]
    pub growths: usize,
    /// How many of a bare patch alone, which waits for kubelet's next look at its pods.
    #[arg(long, default_value_t = 0)]
    pub unaided: usize,
    /// Seconds for which the databases are left alone at first, to count what is written to the API server all the same.
    #[arg(long, default_value_t = 60)]
    pub idle: u64,
    /// A short run with loose bounds that only catches a broken path.
    #[arg(long)]
    pub smoke: bool,
}
