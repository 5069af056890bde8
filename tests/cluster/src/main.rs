//! `cluster`: starts, shows and removes the development cluster. All of it is in the library.

use std::process::ExitCode;

use clap::Parser as _;
use cluster::args::Args;

fn main() -> ExitCode {
    match cluster::run::run(Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cluster: {error:#}"); // the chain in one line; a stack trace helps nobody here
            ExitCode::FAILURE
        }
    }
}
