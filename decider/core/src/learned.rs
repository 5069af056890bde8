//! How long expansions of a class of storage take, learned from those that were seen.

use std::time::Duration;

/// No expansion is taken to be faster, however fast those seen were: the next one may meet a busy controller.
const SHORTEST: Duration = Duration::from_secs(1);
/// None is waited for longer: with more, everything that grows would be an emergency.
const LONGEST: Duration = Duration::from_secs(3_600);

/// A smoothed mean and deviation, as TCP keeps of round trips (RFC 6298, section 2): sixteen bytes, one outlier moves
/// it by an eighth, and the estimate is above what nearly all take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Learned {
    /// Milliseconds.
    mean: u64,
    /// Milliseconds.
    deviation: u64,
}

impl Learned {
    /// From the first one seen.
    #[must_use]
    pub fn first(took: Duration) -> Self {
        let took = bounded(took);
        Self {
            mean: took,
            deviation: took / 2,
        }
    }

    /// With another one.
    #[must_use]
    pub fn and(self, took: Duration) -> Self {
        let took = bounded(took);
        Self {
            mean: (self.mean * 7 + took) / 8,
            deviation: (self.deviation * 3 + self.mean.abs_diff(took)) / 4,
        }
    }

    /// What the next one is expected to take at most.
    #[must_use]
    pub fn estimate(self) -> Duration {
        Duration::from_millis(self.mean + 4 * self.deviation).clamp(SHORTEST, LONGEST)
    }
}

fn bounded(took: Duration) -> u64 {
    u64::try_from(took.min(LONGEST).as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn the_first_is_doubted_and_the_rest_believed() {
        let mut learned = Learned::first(seconds(4));
        assert_eq!(learned.estimate(), seconds(12));
        for _ in 0..30 {
            learned = learned.and(seconds(4));
        }
        assert_eq!(learned.estimate(), seconds(4));
        let slow = learned.and(seconds(100)).estimate();
        assert!(slow > seconds(100), "one slow one makes it careful: {slow:?}");
    }

    proptest! {
        #[test]
        fn within_its_bounds(all in prop::collection::vec(0_u64..10_000_000, 1..50)) {
            let mut all = all.into_iter().map(Duration::from_millis);
            let first = Learned::first(all.next().expect("one at least"));
            let learned = all.fold(first, Learned::and);
            prop_assert!((SHORTEST..=LONGEST).contains(&learned.estimate()));
        }
    }
}
