//! Runs the system's own tools and keeps what they complain about.
//!
//! Plain `std::process`, called on the blocking pool: a tool that was started ends before its volume's lock is
//! released, also when the caller has given up.

use std::{
    ffi::OsStr,
    io,
    process::{Command, ExitStatus, Stdio},
};

use thiserror::Error;

/// Why a tool did not do its work.
#[derive(Debug, Error)]
pub enum CommandError {
    /// It could not be started.
    #[error(
        "cannot start {program} (Debian packages: mount for losetup, xfsprogs for mkfs.xfs and xfs_growfs)"
    )]
    NotStarted {
        /// Its name.
        program: &'static str,
        /// Why.
        source: io::Error,
    },
    /// It ended with an error.
    #[error("{program} {arguments} ended with {status}: {stderr}")]
    Failed {
        /// Its name.
        program: &'static str,
        /// What it was asked.
        arguments: String,
        /// How it ended.
        status: ExitStatus,
        /// What it wrote to standard error.
        stderr: String,
    },
}

/// Runs a tool to its end and answers what it printed. Blocks.
pub fn run<A: AsRef<OsStr>>(program: &'static str, arguments: &[A]) -> Result<String, CommandError> {
    run_with(program, arguments, Stdio::null())
}

/// The same with a standard input: no tool of ours reads it, but it may be a file whose lock the tool then holds, also
/// after we were killed.
pub fn run_with<A: AsRef<OsStr>>(
    program: &'static str,
    arguments: &[A],
    input: Stdio,
) -> Result<String, CommandError> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(input)
        // Messages in English, so that logs and tests can be read anywhere.
        .env("LC_ALL", "C")
        .output()
        .map_err(|source| CommandError::NotStarted { program, source })?;
    if !output.status.success() {
        let words: Vec<_> = arguments
            .iter()
            .map(|word| word.as_ref().to_string_lossy())
            .collect();
        return Err(CommandError::Failed {
            program,
            arguments: words.join(" "),
            status: output.status,
            stderr: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        });
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
