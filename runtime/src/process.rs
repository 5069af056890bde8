//! The frame around every process: log, runtime, `run`, and the cause of its end as exit code and message.

use std::{process::ExitCode, time::Duration};

use crate::{args::LogArgs, build, log, report};

/// How long the end of the process waits for threads of the blocking pool. Short: a system call that hangs on
/// a dead filesystem or name server would hold them for ever.
const BLOCKING_GRACE: Duration = Duration::from_millis(100);

/// Sets up the log and a runtime of `threads` worker threads, and runs `run` to its end.
///
/// An error is reported to the log and the termination log, and the exit code is 1. `threads` is bounded by the
/// caller because tokio's default, one per processor, is far too many on a large node.
pub fn main(args: &LogArgs, threads: usize, run: impl Future<Output = anyhow::Result<()>>) -> ExitCode {
    let ended = log::init(args)
        .map_err(anyhow::Error::from)
        .and_then(|()| block_on(threads, run));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::report(&error, &args.termination_log);
            if let Some(text) = unlogged(&error) {
                eprintln!("{text}");
            }
            ExitCode::FAILURE
        }
    }
}

/// Without a log, the error must still be seen.
fn unlogged(error: &anyhow::Error) -> Option<String> {
    error
        .is::<log::Error>()
        .then(|| report::Chain(error.as_ref()).to_string())
}

fn block_on(threads: usize, run: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tracing::info!(version = build::VERSION, "starts");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads.max(1))
        .enable_all()
        .build()?;
    let ended = runtime.block_on(run);
    runtime.shutdown_timeout(BLOCKING_GRACE);
    if ended.is_ok() {
        tracing::info!("ends");
    }
    ended
}
