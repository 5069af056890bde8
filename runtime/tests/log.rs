//! A log that nobody reads any more: the process goes on. The process is this test's own program, since the log is the process's.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    env::current_exe,
    io::{Read, stdin},
    process::{Command, Stdio},
};

use runtime::{
    args::{LogArgs, LogFormat},
    log,
};

#[test]
fn a_log_that_nobody_reads_ends_nothing() {
    let mut child = Command::new(current_exe().unwrap())
        .args(["--ignored", "--exact", "writes_when_told", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stderr.take());
    drop(child.stdin.take());
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stdout);
    assert!(
        ended.status.success() && said.contains("1 passed"),
        "{}: {said}",
        ended.status
    );
}

#[test]
#[ignore = "the process that writes, for the test above"]
fn writes_when_told() {
    let args = LogArgs {
        log: "info".to_owned(),
        log_format: LogFormat::Text,
        termination_log: "/nonexistent".into(),
    };
    log::init(&args).unwrap();
    stdin().read_to_end(&mut Vec::new()).unwrap();
    tracing::info!("into a pipe without a reader");
}
