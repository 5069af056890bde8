//! `make bench`.

use clap::Parser;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    bench::run(bench::args::Args::parse()).await
}
