//! The decider's process; see the library.

use std::process::ExitCode;

use clap::Parser;
use decider::{args::Args, run::run};

/// Many small values that live long, made and dropped by every decision: glibc's allocator takes a quarter of the processor
/// time for them, and leaves holes.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = Args::parse();
    runtime::process::main(&args.log.clone(), 2, run(args))
}
