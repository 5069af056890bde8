//! A position in the write-ahead log.

use std::{fmt, num::ParseIntError, str::FromStr};

use thiserror::Error;

/// A position in the write-ahead log, in bytes since the database was made. Printed as PostgreSQL does: `16/B374D848`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Lsn(pub u64);

/// Why a text is no position.
#[derive(Debug, Error)]
pub enum LsnError {
    /// Not two parts.
    #[error("a WAL position is two hexadecimal numbers with a slash between them")]
    NoSlash,
    /// A part is no hexadecimal number of 32 bits.
    #[error("a half of a WAL position is no hexadecimal number of up to eight digits")]
    Half(#[source] ParseIntError),
}

impl Lsn {
    /// Bytes from `earlier` to here; zero when that is not earlier.
    #[must_use]
    pub fn since(self, earlier: Lsn) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let low = self.0 & u64::from(u32::MAX);
        write!(f, "{:X}/{low:X}", self.0 >> 32)
    }
}

impl FromStr for Lsn {
    type Err = LsnError;

    fn from_str(text: &str) -> Result<Self, LsnError> {
        let (high, low) = text.split_once('/').ok_or(LsnError::NoSlash)?;
        Ok(Lsn(u64::from(half(high)?) << 32 | u64::from(half(low)?)))
    }
}

fn half(digits: &str) -> Result<u32, LsnError> {
    // `from_str_radix` takes a sign, PostgreSQL does not.
    let digits = if digits.starts_with('+') { "" } else { digits };
    u32::from_str_radix(digits, 16).map_err(LsnError::Half)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Lsn;

    #[test]
    fn positions_read_as_postgres_prints_them() {
        let table = [
            ("0/0", Some(0)),
            ("0/1586A08", Some(0x0158_6A08)),
            ("16/B374D848", Some(0x16_B374_D848)),
            ("ffffffff/FFFFFFFF", Some(u64::MAX)),
            ("", None),
            ("16", None),
            ("/1", None),
            ("1/", None),
            ("+1/2", None),
            ("1/-2", None),
            ("1/2/3", None),
            ("100000000/0", None),
            ("unknown", None),
        ];
        for (text, value) in table {
            assert_eq!(text.parse().ok(), value.map(Lsn), "{text:?}");
        }
    }

    #[test]
    fn distance_is_never_negative() {
        assert_eq!(Lsn(30).since(Lsn(10)), 20);
        assert_eq!(Lsn(10).since(Lsn(30)), 0);
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(value in any::<u64>()) {
            prop_assert_eq!(Lsn(value).to_string().parse::<Lsn>().ok(), Some(Lsn(value)));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,24}") {
            prop_assert!(text.parse::<Lsn>().is_err() || text.contains('/'));
        }
    }
}
