//! A whole process: SIGTERM ends it in order, an error ends it with the cause in the termination log. One test,
//! because signals and the log are the process's.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    process::{Command, ExitCode, id},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use anyhow::{Context, anyhow};
use runtime::{
    args::{LogArgs, LogFormat},
    process,
    tasks::Tasks,
};

static DRAINED: AtomicBool = AtomicBool::new(false);

/// A process that is told to end as soon as it runs.
async fn run() -> anyhow::Result<()> {
    let mut tasks = Tasks::new();
    let token = tasks.token();
    tasks.spawn("works", async move {
        token.cancelled().await;
        DRAINED.store(true, Ordering::SeqCst);
        Ok(())
    });
    tasks.spawn("signals", async {
        // Of the two signals that `run_until_signal` catches, this is the second.
        while !catches_sigint()? {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Command::new("kill").args(["-TERM", &id().to_string()]).status()?;
        std::future::pending().await
    });
    tasks
        .with_grace(Duration::from_millis(100))
        .run_until_signal()
        .await
}

/// Whether this process has a handler for SIGINT: proc(5).
fn catches_sigint() -> anyhow::Result<bool> {
    const SIGINT: u64 = 1 << (2 - 1);
    let status = std::fs::read_to_string("/proc/self/status")?;
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let caught = caught.context("no line of caught signals")?;
    Ok(u64::from_str_radix(caught.trim(), 16)? & SIGINT != 0)
}

#[test]
fn signals_and_errors_end_it() {
    let folder = tempfile::tempdir().unwrap();
    let termination_log = folder.path().join("termination-log");
    std::fs::write(&termination_log, "").unwrap();
    let said = || std::fs::read_to_string(&termination_log).unwrap();
    let args = LogArgs {
        log: "info".to_owned(),
        log_format: LogFormat::Json,
        termination_log: termination_log.clone(),
    };

    // The task that never ends is the error here: the other one drained by SIGTERM.
    let code = process::main(&args, 1, run());
    assert!(DRAINED.load(Ordering::SeqCst));
    assert_eq!(said(), "did not end within 100ms: signals");
    assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::FAILURE));

    // A second log in one process is refused, and the refusal is an error like any other.
    let code = process::main(&args, 1, async { Err(anyhow!("never run")) });
    assert!(said().starts_with("the log is already set up: "), "{}", said());
    assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::FAILURE));
}
