//! `make demo`: fills a database with SQL and shows, as it happens, how its volume is grown.
//!
//! It only looks on: the objects are those of `examples/unmanaged`, and what is shown comes from watches of the API server and
//! from `statfs` on the node. It is no test of details; it fails when the volume did not grow.

use std::process::ExitCode;

use clap::Parser;

mod args;
mod fill;
mod manifests;
mod observe;
mod run;
mod screen;
mod sizes;
mod story;

#[tokio::main]
async fn main() -> ExitCode {
    match run::run(args::Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("demo: {error:#}"); // one line for a newcomer, whatever RUST_BACKTRACE says
            ExitCode::FAILURE
        }
    }
}
