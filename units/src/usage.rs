//! How full a filesystem is, as one value; comparisons are exact, in integers.
//!
//! What it is not: a measurement with a time and a place. Those are the cores'.

use crate::{Bytes, Percent};

/// The three figures of a filesystem, computed as kubelet does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Usage {
    /// Size of the filesystem, which is a little less than that of its device.
    pub capacity: Bytes,
    /// What an unprivileged process can still write.
    pub available: Bytes,
    /// What is taken.
    pub used: Bytes,
}

impl Usage {
    /// Used space in whole percent, rounded down: the larger of `used / capacity` and
    /// `used / (used + available)`, which differ where a filesystem reserves blocks. Zero of zero is 0 %.
    #[must_use]
    pub fn percent(self) -> Percent {
        let used = u128::from(self.used.get());
        let share = |whole: u128| (used * 100).checked_div(whole).unwrap_or(0).min(100);
        let larger = share(u128::from(self.capacity.get())).max(share(self.usable()));
        Percent::new(i64::try_from(larger).unwrap_or(100)).unwrap_or(Percent::FULL)
    }

    /// True when the used share, in the sense of [`Usage::percent`] but not rounded, is above `threshold`.
    #[must_use]
    pub fn exceeds(self, threshold: Percent) -> bool {
        let used = u128::from(self.used.get()) * 100;
        let above = |whole: u128| whole > 0 && used > whole * u128::from(threshold.get());
        above(u128::from(self.capacity.get())) || above(self.usable())
    }

    /// Used and available together: what files can ever take.
    fn usable(self) -> u128 {
        u128::from(self.used.get()) + u128::from(self.available.get())
    }
}

#[cfg(test)]
mod tests {
    use super::Usage;
    use crate::{Bytes, Percent};

    fn usage(capacity: u64, available: u64, used: u64) -> Usage {
        Usage {
            capacity: Bytes::new(capacity),
            available: Bytes::new(available),
            used: Bytes::new(used),
        }
    }

    #[test]
    fn reserved_blocks_count_as_taken() {
        // 1000 bytes of which 50 are reserved: 760 used of 950 usable is exactly 80 %.
        let at = usage(1000, 190, 760);
        assert_eq!(at.percent().get(), 80);
        assert!(!at.exceeds(Percent::new(80).unwrap()));
        assert!(usage(1000, 189, 761).exceeds(Percent::new(80).unwrap()));
    }

    #[test]
    fn above_is_not_at() {
        assert!(!usage(100, 20, 80).exceeds(Percent::new(80).unwrap()));
        assert!(usage(100_000, 19_999, 80_001).exceeds(Percent::new(80).unwrap()));
        assert_eq!(usage(100_000, 19_999, 80_001).percent().get(), 80);
    }

    #[test]
    fn absurd_figures_do_not_overflow_or_divide_by_zero() {
        assert_eq!(usage(0, 0, 0).percent(), Percent::ZERO);
        assert!(!usage(0, 0, 0).exceeds(Percent::ZERO));
        assert_eq!(usage(1, 0, u64::MAX).percent(), Percent::FULL);
        assert!(usage(u64::MAX, u64::MAX, u64::MAX).exceeds(Percent::new(99).unwrap()));
    }
}
