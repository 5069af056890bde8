//! A steady pace for what fills volumes.

use std::{
    thread,
    time::{Duration, Instant},
};

/// Counts from 1, each number when it is due: `step` bytes for each make `rate` bytes a second. One that comes late does not
/// make the next one wait. Blocks the thread.
pub fn steadily(rate: u64, step: u64) -> impl Iterator<Item = u64> {
    let began = Instant::now();
    let due = move |n: u64| {
        let nanos = u128::from(n) * u128::from(step) * 1_000_000_000 / u128::from(rate.max(1));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    };
    (1..).inspect(move |n| thread::sleep(due(*n).saturating_sub(began.elapsed())))
}
