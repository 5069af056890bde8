//! A size in whole bytes, with arithmetic that cannot wrap.
//!
//! What it is not: a Kubernetes quantity. Those may be negative or fractional ([`crate::Quantity`]); a size
//! read from one is rounded up, as Kubernetes' own `Value()` does.

use std::fmt;

use crate::quantity::{Quantity, QuantityError};

/// A number of bytes, 0 to 2^64 - 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Bytes(u64);

impl Bytes {
    /// Nothing.
    pub const ZERO: Bytes = Bytes(0);
    /// 2^10 bytes.
    pub const KIB: Bytes = Bytes(1 << 10);
    /// 2^20 bytes.
    pub const MIB: Bytes = Bytes(1 << 20);
    /// 2^30 bytes.
    pub const GIB: Bytes = Bytes(1 << 30);
    /// 2^40 bytes.
    pub const TIB: Bytes = Bytes(1 << 40);

    /// A size of `n` bytes.
    #[must_use]
    pub const fn new(n: u64) -> Bytes {
        Bytes(n)
    }

    /// The number of bytes.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Reads any Kubernetes quantity that is not negative; a fraction of a byte is rounded up.
    pub fn parse_quantity(text: &str) -> Result<Bytes, QuantityError> {
        Quantity::parse(text)?.to_bytes()
    }

    /// The sum, unless it exceeds 2^64 - 1.
    #[must_use]
    pub fn checked_add(self, other: Bytes) -> Option<Bytes> {
        self.0.checked_add(other.0).map(Bytes)
    }

    /// The difference, unless `other` is larger.
    #[must_use]
    pub fn checked_sub(self, other: Bytes) -> Option<Bytes> {
        self.0.checked_sub(other.0).map(Bytes)
    }

    /// The difference, or zero where `other` is larger.
    #[must_use]
    pub fn saturating_sub(self, other: Bytes) -> Bytes {
        Bytes(self.0.saturating_sub(other.0))
    }

    /// `self * num / den`, rounded up; `None` when `den` is zero or the result does not fit.
    #[must_use]
    pub fn checked_mul_ratio(self, num: u64, den: u64) -> Option<Bytes> {
        if den == 0 {
            return None;
        }
        let product = u128::from(self.0) * u128::from(num);
        u64::try_from(product.div_ceil(u128::from(den))).ok().map(Bytes)
    }

    /// The smallest multiple of `step` that is not less than this size; a zero step changes nothing.
    #[must_use]
    pub fn round_up_to(self, step: Bytes) -> Option<Bytes> {
        if step.0 == 0 {
            return Some(self);
        }
        self.0.checked_next_multiple_of(step.0).map(Bytes)
    }
}

/// As a Kubernetes quantity that reads back to exactly this size: a binary suffix where that is exact,
/// plain digits elsewhere (`5Gi`, `1521Mi`, `1594884097`).
impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SUFFIXES: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
        let mut number = self.0;
        let mut power = 0;
        while number != 0 && number.is_multiple_of(1024) && power < 6 {
            number /= 1024;
            power += 1;
        }
        f.pad(&format!(
            "{number}{}",
            SUFFIXES.get(power).copied().unwrap_or_default()
        ))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Bytes;

    #[test]
    fn prints_a_binary_suffix_only_when_exact() {
        for (n, text) in [
            (0, "0"),
            (1023, "1023"),
            (1024, "1Ki"),
            (1 << 30, "1Gi"),
            (1536 << 20, "1536Mi"),
            (1_594_884_096, "1521Mi"),
            (1_594_884_097, "1594884097"),
            (u64::MAX, "18446744073709551615"),
            (1 << 63, "8Ei"),
        ] {
            assert_eq!(Bytes::new(n).to_string(), text);
        }
    }

    #[test]
    fn ratio_rounds_up_and_never_wraps() {
        assert_eq!(Bytes::new(10).checked_mul_ratio(1, 3), Some(Bytes::new(4)));
        assert_eq!(
            Bytes::new(u64::MAX).checked_mul_ratio(2, 2),
            Some(Bytes::new(u64::MAX))
        );
        assert_eq!(Bytes::new(u64::MAX).checked_mul_ratio(2, 1), None);
        assert_eq!(Bytes::new(1).checked_mul_ratio(1, 0), None);
    }

    #[test]
    fn rounding_up_keeps_multiples_and_refuses_overflow() {
        assert_eq!(Bytes::new(5).round_up_to(Bytes::new(4)), Some(Bytes::new(8)));
        assert_eq!(Bytes::new(8).round_up_to(Bytes::new(4)), Some(Bytes::new(8)));
        assert_eq!(Bytes::new(8).round_up_to(Bytes::ZERO), Some(Bytes::new(8)));
        assert_eq!(Bytes::new(u64::MAX).round_up_to(Bytes::GIB), None);
    }

    proptest! {
        /// Up to 2^63 - 1: above that Kubernetes caps a quantity with a binary suffix.
        #[test]
        fn what_is_printed_reads_back(n in 0..=i64::MAX as u64) {
            prop_assert_eq!(Bytes::parse_quantity(&Bytes::new(n).to_string()), Ok(Bytes::new(n)));
        }

        #[test]
        fn multiples_of_powers_read_back(n in 0u64..8, power in 0u32..=60) {
            let size = Bytes::new(n << power);
            prop_assert_eq!(Bytes::parse_quantity(&size.to_string()), Ok(size));
        }
    }
}
