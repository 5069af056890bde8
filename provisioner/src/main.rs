//! `highwater-provisioner`: see the library.

use std::process::ExitCode;

use clap::Parser;

/// Looks mostly wait for the API server; two threads are plenty.
const THREADS: usize = 2;

fn main() -> ExitCode {
    let args = provisioner::Args::parse();
    let log = args.process.log.clone();
    runtime::process::main(&log, THREADS, provisioner::run(args))
}
