//! A handful of durations and the order statistics printed of them.

use std::{fmt, time::Duration};

/// Durations in seconds, sorted.
#[derive(Debug, Clone)]
pub struct Spread(Vec<f64>);

impl Spread {
    /// Sorts the durations.
    #[must_use]
    pub fn of(durations: Vec<Duration>) -> Spread {
        let mut seconds: Vec<f64> = durations.iter().map(Duration::as_secs_f64).collect();
        seconds.sort_by(f64::total_cmp);
        Spread(seconds)
    }

    /// The smallest value that at least `percent` of all values do not exceed, in seconds; NaN when there is none.
    #[must_use]
    pub fn percentile(&self, percent: usize) -> f64 {
        let rank = (self.0.len() * percent).div_ceil(100).max(1);
        self.0.get(rank - 1).copied().unwrap_or(f64::NAN)
    }

    /// Nothing was measured.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The 50th percentile, in seconds.
    #[must_use]
    pub fn median(&self) -> f64 {
        self.percentile(50)
    }

    /// The longest, in seconds.
    #[must_use]
    pub fn worst(&self) -> f64 {
        self.percentile(100)
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:6.2}{:6.2}{:6.2}",
            self.median(),
            self.percentile(99),
            self.worst()
        )
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Spread;

    #[test]
    fn percentiles_are_nearest_rank() {
        let spread = Spread::of((1..=30).rev().map(Duration::from_secs).collect());
        assert_eq!(
            (spread.median(), spread.percentile(99), spread.worst()),
            (15.0, 30.0, 30.0)
        );
        assert!(Spread::of(vec![]).median().is_nan());
    }
}
