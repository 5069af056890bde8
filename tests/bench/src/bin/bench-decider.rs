//! `make bench-decider`.

use clap::Parser;

/// As the decider has it: a server that only listens is compared with it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    bench::decider::run(bench::decider::args::Args::parse()).await
}
