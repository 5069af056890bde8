//! How long to wait before the next try. Pure.

use std::time::Duration;

/// The first pause after a try that failed, and the longest; each is shortened by up to half at random.
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(250);
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(8);
/// The longest where a volume is hot: what is not known of it for long may be known too late.
pub(super) const LONGEST_PAUSE_HOT: Duration = Duration::from_secs(1);
/// After a good stream, agents without a hot volume come back spread over this time: they all lost it together.
pub(super) const SPREAD: Duration = Duration::from_secs(10);

/// The pause before the next try after `failures` in a row, the last of which may have ended a `good` stream; `random`
/// in 0..1 spreads the agents of a cluster.
pub(super) fn pause(failures: u32, hot: bool, good: bool, random: f64) -> Duration {
    let random = random.clamp(0.0, 1.0);
    if good && !hot {
        return SPREAD.mul_f64(random);
    }
    let doubled =
        FIRST_PAUSE.saturating_mul(1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX));
    let longest = if hot { LONGEST_PAUSE_HOT } else { LONGEST_PAUSE };
    doubled.min(longest).mul_f64(1.0 - random / 2.0)
}
