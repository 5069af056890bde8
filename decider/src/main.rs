//! The decider's process; see the library.

use std::process::ExitCode;

use clap::Parser;
use decider::{args::Args, run::run};

fn main() -> ExitCode {
    let args = Args::parse();
    runtime::process::main(&args.log.clone(), 2, run(args))
}
