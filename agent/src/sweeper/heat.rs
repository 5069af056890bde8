//! Which volumes are measured ten times as often: those that are soon full, and those about to cross a level that a
//! decider waits for. Pure.
//!
//! Heat is judged at each measurement by the numbers of the last seconds. A wrong guess costs nothing but a few calls.

use std::time::Duration;

use jiff::Timestamp;

use crate::statfs::Usage;

/// How many times a hot volume is measured within the period of the others.
pub(super) const HOT_RATE: u32 = 10;
/// A volume that is full within this time, if it goes on like that, is hot.
const SOON_FULL: Duration = Duration::from_secs(60);
/// So is one that crosses a level within this time ...
const SOON_ACROSS: Duration = Duration::from_secs(10);
/// ... and one that is below it by no more than this part of the capacity, however slowly it fills: what comes then may
/// come at once.
const NEAR: u64 = 100;
/// The rate is that of the last one or two of these.
const SPAN: Duration = Duration::from_millis(900);

/// What is remembered of a volume to judge its heat.
#[derive(Debug, Default)]
pub(super) struct Heat {
    /// Values of `used` of which a decider wants to know at once when they are crossed.
    levels: Vec<u64>,
    /// `used` one to two spans ago, and since less than a span.
    past: Option<[(Timestamp, u64); 2]>,
    hot: bool,
}

impl Heat {
    /// Sets the values of `used` whose crossing is worth an early measurement.
    pub(super) fn set_levels(&mut self, levels: Vec<u64>) {
        self.levels = levels;
    }

    /// For the same volume mounted anew: deciders do not tell of its levels again.
    pub(super) fn of_another_mount(self) -> Self {
        Self {
            levels: self.levels,
            ..Self::default()
        }
    }

    /// Takes the numbers of a measurement that began at `at`; whether the volume is hot from now on.
    pub(super) fn take(&mut self, at: Timestamp, usage: &Usage) -> bool {
        let now = (at, usage.used);
        let past = match self.past {
            // A clock that was set back begins anew.
            Some([_, later]) if at < later.0 => [now, now],
            Some([_, later]) if at.duration_since(later.0).unsigned_abs() >= SPAN => [later, now],
            Some(past) => past,
            None => [now, now],
        };
        self.past = Some(past);
        self.hot = self.is_hot_at(grown_a_second(past[0], now), usage);
        self.hot
    }

    pub(super) const fn is_hot(&self) -> bool {
        self.hot
    }

    fn is_hot_at(&self, bytes_a_second: u64, usage: &Usage) -> bool {
        let within = |time: Duration| bytes_a_second.saturating_mul(time.as_secs());
        let near = within(SOON_ACROSS).max(usage.capacity / NEAR);
        let is_near = |level: &u64| {
            level
                .checked_sub(usage.used)
                .is_some_and(|left| (1..=near).contains(&left))
        };
        usage.available > 0 && (usage.available < within(SOON_FULL) || self.levels.iter().any(is_near))
    }
}

/// Bytes that `used` rises by in a second; zero when it does not.
fn grown_a_second(past: (Timestamp, u64), now: (Timestamp, u64)) -> u64 {
    let millis = now.0.duration_since(past.0).as_millis();
    let Ok(millis @ 1..) = u64::try_from(millis) else {
        return 0;
    };
    now.1.saturating_sub(past.1).saturating_mul(1000) / millis
}

#[cfg(test)]
mod tests;
