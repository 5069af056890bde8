//! Sizes for people.

use std::fmt;

use units::Bytes;

/// A size for people: at most one decimal, rounded to the nearest.
#[must_use]
pub fn human(size: Bytes) -> impl fmt::Display {
    Human(size)
}

struct Human(Bytes);

impl fmt::Display for Human {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 5] = [
            (1 << 50, "Pi"),
            (1 << 40, "Ti"),
            (1 << 30, "Gi"),
            (1 << 20, "Mi"),
            (1 << 10, "Ki"),
        ];
        let n = self.0.get();
        let Some((unit, suffix)) = UNITS.into_iter().find(|(unit, _)| n >= *unit) else {
            return write!(f, "{n}");
        };
        match (n / unit, (n % unit * 10 + unit / 2) / unit) {
            (whole, 0) => write!(f, "{whole}{suffix}"),
            (whole, 10) => write!(f, "{}{suffix}", whole + 1),
            (whole, tenth) => write!(f, "{whole}.{tenth}{suffix}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_for_people() {
        for (n, text) in [
            (0, "0"),
            (1023, "1023"),
            (1 << 30, "1Gi"),
            (1_063_256_064, "1014Mi"),
            (1_594_884_096, "1.5Gi"),
            (1 << 40, "1Ti"),
            ((1 << 30) + (1 << 28), "1.3Gi"),
            ((2 << 30) - 1, "2Gi"),
            (u64::MAX, "16384Pi"),
        ] {
            assert_eq!(human(Bytes::new(n)).to_string(), text);
        }
    }
}
