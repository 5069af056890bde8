//! `make bench-race`.

use clap::Parser;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    bench::race::run(bench::race::Args::parse()).await
}
