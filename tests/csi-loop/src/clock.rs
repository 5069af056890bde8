//! The one place where this package reads the wall clock; everything else is given the time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Reads the time since the Unix epoch. A function, so that a test can give another.
pub type Clock = fn() -> Duration;

/// The machine's clock; a clock before 1970 counts as 1970.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub fn wall() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
