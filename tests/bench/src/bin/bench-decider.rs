//! `make bench-decider`.

use clap::Parser;

/// As the decider has it: its function and a mere listener are measured here. The agents have it with them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    bench::decider::run(bench::decider::args::Args::parse()).await
}
