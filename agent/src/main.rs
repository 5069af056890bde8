//! The process `highwater-agent`; it also is its own probe, see [`agent::probe`].

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    if std::env::args_os()
        .nth(1)
        .is_some_and(|first| first == agent::probe::FLAG)
    {
        return agent::probe::serve();
    }
    let args = agent::args::Args::parse();
    runtime::process::main(&args.log.clone(), agent::run::THREADS, agent::run::run(args))
}
