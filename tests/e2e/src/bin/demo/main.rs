//! `make demo`: makes a database of three members, fills it with SQL and shows, as it happens, how its volumes are grown; then
//! scales it to five members and back.
//!
//! It only looks on: the objects are those of `examples`, and what is shown comes from watches of the API server and
//! from `statfs` on the node. It is no test of details; it fails when the volume did not grow or a request did not succeed.

use std::process::ExitCode;

use clap::Parser;

mod args;
mod fill;
mod make;
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
