//! The binary: parses the flags and runs the command. TEST-ONLY, like the rest of this package.

use clap::Parser;
use csi_loop::{args::Args, run};

fn main() -> anyhow::Result<()> {
    run::run(Args::parse())
}
