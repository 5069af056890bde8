//! `make bench-agent`.

use bench_agent::{args::Args, bare_loop, namespace};
use clap::Parser;

fn main() -> anyhow::Result<()> {
    if std::env::args_os()
        .nth(1)
        .is_some_and(|first| first == bare_loop::FLAG)
    {
        return bare_loop::serve();
    }
    namespace::run(Args::parse())
}
