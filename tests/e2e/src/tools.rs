//! The programs a user runs after `. target/cluster/env`, and this repository's scripts, run against the same cluster.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Output,
};

use anyhow::{Context, ensure};
use cluster::packages;
use tokio::process::Command;

use crate::World;

/// This checkout.
#[must_use]
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

impl World {
    /// Runs kubectl and returns what it prints.
    ///
    /// # Errors
    /// With what it wrote to stderr.
    pub async fn kubectl(&self, arguments: &[&str]) -> anyhow::Result<String> {
        self.run(&self.state().join("bin/kubectl"), arguments).await
    }

    /// Runs kubectl and returns what it prints, and whether it says by its exit code that all is well.
    ///
    /// # Errors
    /// When it cannot be run.
    pub async fn kubectl_says(&self, arguments: &[&str]) -> anyhow::Result<(String, bool)> {
        let output = self.output(&self.state().join("bin/kubectl"), arguments).await?;
        Ok(said(&output))
    }

    /// As [`World::kubectl_says`], for a user whose machine's clock is wrong by `offset` (`+1h`): that of kubectl's plugins is, as
    /// is every program's that asks the C library for the time.
    ///
    /// # Errors
    /// When it cannot be run.
    pub async fn kubectl_says_at(&self, offset: &str, arguments: &[&str]) -> anyhow::Result<(String, bool)> {
        packages::ensure(&[packages::FAKETIME])?;
        let kubectl = self.state().join("bin/kubectl");
        // Waiting stays right: only the time of day is another.
        let mut all = vec![
            OsStr::new("--exclude-monotonic"),
            "-f".as_ref(),
            offset.as_ref(),
            kubectl.as_os_str(),
        ];
        all.extend(arguments.iter().map(OsStr::new));
        let output = self.output(&packages::require(packages::FAKETIME)?, &all).await?;
        Ok(said(&output))
    }

    /// kubectl, to be started and watched.
    ///
    /// # Errors
    /// When the path to it cannot be told.
    pub fn kubectl_command(&self, arguments: &[&str]) -> anyhow::Result<Command> {
        self.command(&self.state().join("bin/kubectl"), arguments)
    }

    /// Runs helm and returns what it prints.
    ///
    /// # Errors
    /// With what it wrote to stderr.
    pub async fn helm(&self, arguments: &[&str]) -> anyhow::Result<String> {
        self.run(&self.state().join("bin/helm"), arguments).await
    }

    /// Runs a script of the repository's `deploy` folder and returns what it prints.
    ///
    /// # Errors
    /// With what it wrote to stderr.
    pub async fn deploy(&self, script: &str) -> anyhow::Result<String> {
        self.run(&repository().join("deploy").join(script), &[]).await
    }

    async fn run(&self, program: &Path, arguments: &[&str]) -> anyhow::Result<String> {
        let output = self.output(program, arguments).await?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "{} {arguments:?}: {}",
            program.display(),
            said.trim()
        );
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    async fn output(&self, program: &Path, arguments: &[impl AsRef<OsStr>]) -> anyhow::Result<Output> {
        self.command(program, arguments)?
            .output()
            .await
            .with_context(|| format!("run {}", program.display()))
    }

    fn command(&self, program: &Path, arguments: &[impl AsRef<OsStr>]) -> anyhow::Result<Command> {
        let mut folders = vec![self.state().join("bin")];
        folders.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(repository())
            .env("KUBECONFIG", self.state().join("admin.kubeconfig"))
            .env("PATH", env::join_paths(folders)?)
            .kill_on_drop(true);
        Ok(command)
    }
}

/// What a program printed, and whether it ended well.
fn said(output: &Output) -> (String, bool) {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (text, output.status.success())
}
