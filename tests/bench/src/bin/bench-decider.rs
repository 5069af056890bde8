//! `make bench-decider`.

use clap::Parser;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    bench::decider::run(bench::decider::args::Args::parse()).await
}
