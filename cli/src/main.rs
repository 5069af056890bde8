//! The program; see the library.

use std::process::ExitCode;

use clap::Parser;
use cli::{args::Args, run::run};

fn main() -> ExitCode {
    run(Args::parse())
}
