//! A whole percentage, 0 to 100: thresholds and what is shown of usage.
//!
//! What it is not: the growth of a scaling rule, which may be above 100 ([`crate::Growth`]).

use std::fmt;

/// Whole percent, 0 to 100.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Percent(u8);

/// The number is not a percentage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a percentage; write a whole number from 0 to 100")]
pub struct PercentError(pub String);

impl Percent {
    /// 0 %.
    pub const ZERO: Percent = Percent(0);
    /// 100 %.
    pub const FULL: Percent = Percent(100);

    /// A percentage from a number of any sign.
    pub fn new(n: i64) -> Result<Percent, PercentError> {
        u8::try_from(n)
            .ok()
            .filter(|n| *n <= 100)
            .map(Percent)
            .ok_or_else(|| PercentError(n.to_string()))
    }

    /// Reads `80`, `80%` or `80pc`.
    pub fn parse(text: &str) -> Result<Percent, PercentError> {
        let digits = text
            .strip_suffix('%')
            .or_else(|| text.strip_suffix("pc"))
            .unwrap_or(text);
        let number = digits
            .parse::<i64>()
            .map_err(|_| PercentError(format!("{text:?}")))?;
        Percent::new(number).map_err(|_| PercentError(format!("{text:?}")))
    }

    /// The number, 0 to 100.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// This percentage less `points`, not below zero.
    #[must_use]
    pub const fn saturating_sub(self, points: u8) -> Percent {
        Percent(self.0.saturating_sub(points))
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Percent;

    #[test]
    fn only_0_to_100() {
        assert_eq!(Percent::new(0), Ok(Percent::ZERO));
        assert_eq!(Percent::new(100), Ok(Percent::FULL));
        for bad in [-1, 101, i64::MIN, i64::MAX] {
            assert!(Percent::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn reads_the_three_spellings_and_names_a_bad_one() {
        for text in ["80", "80%", "80pc"] {
            assert_eq!(Percent::parse(text).unwrap().get(), 80);
        }
        for bad in ["", "%", "80.5", "101", "-1", "eighty", "80 %"] {
            let error = Percent::parse(bad).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("{bad:?}")) && error.contains("0 to 100"),
                "{error}"
            );
        }
    }
}
