//! Namespaces of the benchmark's own: mounts, processes and network end with it, however it ends.

use std::{
    env,
    os::unix::process::CommandExt,
    process::{Command, Stdio},
};

use anyhow::{Context, bail, ensure};
use nix::unistd::Uid;
use tokio::signal::unix::{SignalKind, signal};

use crate::{args::Args, programs};

/// Runs the benchmark as process 1 of new namespaces.
///
/// # Errors
/// When they cannot be had, or the benchmark fails.
pub fn run(args: Args) -> anyhow::Result<()> {
    ensure!(Uid::effective().is_root(), "mounting needs root");
    if !args.inside {
        // Returns only if it fails.
        let error = Command::new("unshare")
            .args([
                "--mount",
                "--net",
                "--pid",
                "--fork",
                "--kill-child",
                "--mount-proc",
                "--",
            ])
            .arg(env::current_exe()?)
            .args(env::args_os().skip(1))
            .arg("--inside")
            .exec();
        return Err(error).context("cannot run unshare");
    }
    // The ports of this network are all free.
    programs::must_run(
        Command::new("ip")
            .args(["link", "set", "lo", "up"])
            .stdin(Stdio::null()),
    )?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(until_signal(args))
}

/// Process 1 ends by a signal only if it asks for it.
async fn until_signal(args: Args) -> anyhow::Result<()> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        ended = crate::run(args) => ended,
        _ = interrupt.recv() => bail!("interrupted"),
        _ = terminate.recv() => bail!("terminated"),
    }
}
