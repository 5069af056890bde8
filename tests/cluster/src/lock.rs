//! One start or stop at a time on this machine.

use std::fs::File;

use anyhow::{Context as _, Result};

/// Held while a cluster is made or removed; freed by the kernel when its holder dies. The lock is on the folder /run itself, so
/// that no file is left behind.
pub(crate) struct MachineLock {
    _run: File,
}

impl MachineLock {
    /// Waits for its turn.
    pub(crate) fn take() -> Result<Self> {
        let run = File::open("/run").context("cannot open /run")?;
        if run.try_lock().is_err() {
            eprintln!("cluster: waiting for another start or stop on this machine");
            run.lock().context("cannot lock /run")?;
        }
        Ok(Self { _run: run })
    }
}
