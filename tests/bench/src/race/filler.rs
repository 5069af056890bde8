//! The filler: takes space in steps at a steady rate, until it has enough or there is none left.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use anyhow::ensure;
use e2e::{Volume, pace::steadily};
use nix::errno::Errno;

use super::MIB;

/// What is taken at once.
pub(super) const STEP: u64 = 4 << 20;

/// How a fill went.
#[derive(Debug, Clone)]
pub(super) struct Filled {
    /// Seconds since its begin and bytes in use, after each step.
    pub(super) timeline: Vec<(f64, u64)>,
    /// Bytes per second from begin to end.
    pub(super) rate: f64,
    /// The filesystem refused a step for want of space.
    pub(super) full: bool,
}

impl Filled {
    /// From begin to end.
    pub(super) fn mib_a_second(&self) -> f64 {
        self.rate / rounded(MIB)
    }
}

/// [`fill`] on a thread of its own, which ends when this is dropped.
///
/// # Errors
/// As [`fill`].
pub(super) async fn filled(volume: &Volume, rate: u64, total: u64) -> anyhow::Result<Filled> {
    let stop = Arc::new(AtomicBool::new(false));
    let _guard = Stop(Arc::clone(&stop));
    let volume = volume.clone();
    tokio::task::spawn_blocking(move || fill(&volume, rate, total, &stop)).await?
}

/// Ends a fill when it is dropped.
struct Stop(Arc<AtomicBool>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Takes `total` bytes of the volume, `rate` of them a second. Nothing is written, so that the rate is not the disk's.
///
/// # Errors
/// When the filesystem refuses for another reason, or cannot be read.
fn fill(volume: &Volume, rate: u64, total: u64, stop: &AtomicBool) -> anyhow::Result<Filled> {
    let started = Instant::now();
    let mut timeline = vec![(0.0, volume.space()?.used)];
    let mut full = false;
    for _ in steadily(rate, STEP).take(usize::try_from(total.div_ceil(STEP))?) {
        ensure!(
            !stop.load(Ordering::Relaxed),
            "nobody waits for this fill any more"
        );
        match volume.allocate(STEP) {
            Ok(_) => timeline.push((started.elapsed().as_secs_f64(), volume.space()?.used)),
            Err(error) if error.downcast_ref::<Errno>() == Some(&Errno::ENOSPC) => {
                full = true;
                break;
            }
            Err(error) => return Err(error),
        }
    }
    let taken = rounded(u64::try_from(timeline.len() - 1)? * STEP);
    Ok(Filled {
        rate: taken / started.elapsed().as_secs_f64(),
        timeline,
        full,
    })
}

/// Exact up to 2^53, far above any volume here.
#[allow(clippy::cast_precision_loss, reason = "bytes and steps of a benchmark")]
pub(super) fn rounded(n: u64) -> f64 {
    n as f64
}
