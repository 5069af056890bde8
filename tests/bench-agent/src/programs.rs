//! The programs that are measured, and those that are run for once.

use std::{
    env,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, bail};

use crate::bare_loop;

/// A running program; ends with this.
#[derive(Debug)]
pub struct Program {
    child: Child,
    name: String,
}

impl Program {
    /// The agent of a node whose kubelet has its directory at `root`, with one decider; all else as in the chart.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn agent(program: &Path, root: &Path, decider: SocketAddr) -> anyhow::Result<Self> {
        let mut command = Command::new(program);
        command
            .args(["--node-name", "bench", "--admin", "127.0.0.1:0", "--log", "warn"])
            .arg("--kubelet-root")
            .arg(root)
            .arg("--decider")
            .arg(decider.to_string());
        Self::start(command)
    }

    /// A loop of nothing but statfs on `paths`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn bare_loop(paths: &[PathBuf]) -> anyhow::Result<Self> {
        let mut command = Command::new(env::current_exe()?);
        command.arg(bare_loop::FLAG).args(paths);
        Self::start(command)
    }

    /// Starts a program that is to run until the end.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(mut command: Command) -> anyhow::Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let child = command
            .stdin(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        Ok(Self { child, name })
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait()) {
            eprintln!("cannot end {}: {error}", self.name);
        }
    }
}

/// Runs a program to its end.
///
/// # Errors
/// When it cannot be started or fails; with what it said.
pub fn must_run(command: &mut Command) -> anyhow::Result<()> {
    let output = command
        .output()
        .with_context(|| format!("cannot run {}", command.get_program().display()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{} failed: {}", command.get_program().display(), said.trim());
    }
    Ok(())
}
