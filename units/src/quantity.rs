//! Kubernetes' `resource.Quantity`, read and printed without loss.
//!
//! The grammar, the rounding of parts smaller than a nano-unit, the cap of binary quantities and the canonical
//! form are those of k8s.io/apimachinery `pkg/api/resource` (quantity.go, suffix.go, amount.go). Two of its
//! accidents are not followed: a quantity without a digit (`k`, `+`) is refused, and a decimal value of 10^21
//! or more is printed with an exponent, where apimachinery drops the suffix.

mod error;
mod text;

pub use error::QuantityError;

use std::cmp::Ordering;

use crate::Bytes;

/// How a quantity is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// `1500m`, `5`, `500G`: powers of a thousand.
    DecimalSi,
    /// `5Gi`: powers of 1024.
    BinarySi,
    /// `12e6`.
    DecimalExponent,
}

/// An exact number `mantissa * 10^exponent` and the way it is written.
///
/// Equality and order are those of the number; the format is not compared.
#[derive(Debug, Clone, Copy)]
pub struct Quantity {
    mantissa: i128,
    exponent: i32,
    format: Format,
}

impl Quantity {
    /// Kubernetes rounds what is smaller up to this power of ten.
    const NANO: i32 = -9;
    /// Kubernetes caps a quantity with a binary suffix here.
    const BINARY_MAX: i128 = i64::MAX as i128;

    /// Reads every form that Kubernetes accepts.
    pub fn parse(text: &str) -> Result<Quantity, QuantityError> {
        text::parse(text)
    }

    /// A whole number of bytes, printed with a binary suffix where that is exact.
    #[must_use]
    pub fn from_bytes(size: Bytes) -> Quantity {
        Quantity {
            mantissa: i128::from(size.get()),
            exponent: 0,
            format: Format::BinarySi,
        }
        .reduced()
    }

    /// How the quantity is written.
    #[must_use]
    pub fn format(self) -> Format {
        self.format
    }

    /// -1, 0 or 1.
    #[must_use]
    pub fn signum(self) -> i32 {
        match self.mantissa.cmp(&0) {
            Ordering::Less => -1,
            Ordering::Equal => 0,
            Ordering::Greater => 1,
        }
    }

    /// The size in bytes, a fraction rounded up, as Kubernetes' `Value()`.
    pub fn to_bytes(self) -> Result<Bytes, QuantityError> {
        if self.mantissa < 0 {
            return Err(QuantityError::Negative(self.to_string()));
        }
        self.at_scale(0)
            .and_then(|whole| u64::try_from(whole).ok())
            .map(Bytes::new)
            .ok_or_else(|| QuantityError::TooLarge(self.to_string()))
    }

    /// The sum, in the format of `self`, unless it does not fit.
    #[must_use]
    pub fn checked_add(self, other: Quantity) -> Option<Quantity> {
        let scale = self.exponent.min(other.exponent);
        let mantissa = self.at_scale(scale)?.checked_add(other.at_scale(scale)?)?;
        Some(
            Quantity {
                mantissa,
                exponent: scale,
                format: self.format,
            }
            .reduced(),
        )
    }

    /// The difference, in the format of `self`, unless it does not fit.
    #[must_use]
    pub fn checked_sub(self, other: Quantity) -> Option<Quantity> {
        self.checked_add(Quantity {
            mantissa: other.mantissa.checked_neg()?,
            ..other
        })
    }

    /// The mantissa at `10^scale`: exact when `scale` is at most the exponent, else rounded away from zero.
    fn at_scale(self, scale: i32) -> Option<i128> {
        let shift = self.exponent.checked_sub(scale)?;
        if self.mantissa == 0 {
            return Some(0);
        }
        if shift >= 0 {
            return self.mantissa.checked_mul(power_of_ten(shift)?);
        }
        let Some(divisor) = power_of_ten(shift.checked_neg()?) else {
            return Some(i128::from(self.signum()));
        };
        let whole = self.mantissa / divisor;
        let rest = self.mantissa % divisor;
        Some(if rest == 0 {
            whole
        } else {
            whole + i128::from(self.signum())
        })
    }

    /// The same number with the shortest mantissa, so that equal numbers are equal pairs.
    fn reduced(mut self) -> Quantity {
        if self.mantissa == 0 {
            self.exponent = 0;
        }
        while self.mantissa != 0 && self.mantissa % 10 == 0 && self.exponent < i32::MAX {
            self.mantissa /= 10;
            self.exponent += 1;
        }
        self
    }
}

/// `10^n`, unless it does not fit.
fn power_of_ten(n: i32) -> Option<i128> {
    10i128.checked_pow(u32::try_from(n).ok()?)
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Quantity) -> bool {
        (self.mantissa, self.exponent) == (other.mantissa, other.exponent)
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Quantity) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Quantity) -> Ordering {
        let signs = self.signum().cmp(&other.signum());
        if signs != Ordering::Equal || self.mantissa == 0 {
            return signs;
        }
        let scale = self.exponent.min(other.exponent);
        let greater_in_size = match (self.at_scale(scale), other.at_scale(scale)) {
            (Some(a), Some(b)) => return a.cmp(&b),
            // Only the one with the larger exponent can overflow; it is the larger in size.
            (None, _) => Ordering::Greater,
            (_, None) => Ordering::Less,
        };
        if self.mantissa < 0 {
            greater_in_size.reverse()
        } else {
            greater_in_size
        }
    }
}

#[cfg(test)]
mod tests;
