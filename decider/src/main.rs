//! The decider's process; see the library.

use std::process::ExitCode;

use clap::Parser;
use decider::{args::Args, run::run};

/// Decisions make and drop many small values, beside many that live long: glibc's allocator takes a quarter of the processor
/// time for them. This one takes a little more memory.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = Args::parse();
    runtime::process::main(&args.log.clone(), 2, run(args))
}
