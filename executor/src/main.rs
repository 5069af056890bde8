//! `highwater-executor`: see the library.

use std::process::ExitCode;

use clap::Parser;

/// Looks mostly wait for the API server; two threads are plenty.
const THREADS: usize = 2;

fn main() -> ExitCode {
    let args = executor::Args::parse();
    let log = args.process.log.clone();
    runtime::process::main(&log, THREADS, executor::run(args))
}
