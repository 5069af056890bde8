//! The least that measuring can cost: statfs of each path, once a second, and nothing else.

use std::{
    env, hint,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use nix::sys::statfs::statfs;

/// The first argument of the program when it runs as this loop; paths follow.
pub const FLAG: &str = "--bare-loop";

const PERIOD: Duration = Duration::from_secs(1);

/// Runs the loop until the process is killed.
///
/// # Errors
/// When a path cannot be measured.
pub fn serve() -> anyhow::Result<()> {
    let paths: Vec<PathBuf> = env::args_os().skip(2).map(PathBuf::from).collect();
    let mut next = Instant::now();
    loop {
        for path in &paths {
            hint::black_box(statfs(path)?);
        }
        next += PERIOD;
        thread::sleep(next.saturating_duration_since(Instant::now()));
    }
}
