//! SQL in a database's pod, the way an operator runs it: `kubectl exec`, `psql -U postgres`.

use anyhow::{Context, ensure};
use tokio::process::Command;

use crate::{Database, World};

impl Database {
    /// Runs one statement and returns what psql prints, unaligned and without headers.
    ///
    /// # Errors
    /// What psql or kubectl wrote to stderr.
    pub async fn sql(&self, world: &World, statement: &str) -> anyhow::Result<String> {
        let output = Command::new(world.state().join("bin/kubectl"))
            .arg("--kubeconfig")
            .arg(world.state().join("admin.kubeconfig"))
            .args(["exec", "-n", self.objects.namespace(), &self.pod(), "--"])
            .args([
                "psql",
                "-h",
                "/tmp",
                "-U",
                "postgres",
                "-v",
                "ON_ERROR_STOP=1",
                "-XAtc",
                statement,
            ])
            .kill_on_drop(true)
            .output()
            .await
            .context("run kubectl exec")?;
        ensure!(
            output.status.success(),
            "{statement}: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}
