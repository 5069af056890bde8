//! The times of growths as they are printed, with what is asked of them.

use std::fmt;

use crate::spread::Spread;

/// What is asked of a growth (seconds). Of all crossings:
const REQUEST: (f64, f64) = (0.2, 1.2);
/// Of those that were seen to come:
const REQUEST_RISING: (f64, f64) = (0.2, 0.5);
/// Of those that were not, at the 99th percentile:
const REQUEST_LEAP: f64 = 1.2;
/// Request to usable, of the median: as many times the bare client's, and this much more.
const USABLE: (f64, f64) = (1.3, 0.3);

/// All that was measured.
pub(crate) struct Times {
    /// Crossing to request, of volumes that rise to it.
    pub(crate) rising: Spread,
    /// The same of volumes that are above it at once.
    pub(crate) leap: Spread,
    /// The same of both, as many of the one kind as of the other.
    pub(crate) all: Spread,
    /// Request to usable space, of both.
    pub(crate) usable: Spread,
    /// Patch to usable space, with kubelet nudged ...
    pub(crate) bare: Spread,
    /// ... and without.
    pub(crate) unaided: Spread,
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seconds           p50   p99   max")?;
        let mut rows = vec![
            ("crossing -> request, rising (hot)", &self.rising),
            ("crossing -> request, a leap", &self.leap),
            ("crossing -> request, all", &self.all),
            ("request -> usable", &self.usable),
            ("bare patch and nudge -> usable", &self.bare),
        ];
        if !self.unaided.is_empty() {
            rows.push(("bare patch alone -> usable", &self.unaided));
        }
        for (what, spread) in rows {
            writeln!(f, "{what:<36}{spread}")?;
        }
        writeln!(f)?;
        for (what, value, bound) in self.asked() {
            let verdict = if value <= bound { "holds" } else { "missed" };
            writeln!(f, "{what:<47}{value:6.2} <= {bound:.2}  {verdict}")?;
        }
        let usable = self.usable.median();
        let ours = usable / self.bare.median();
        write!(f, "request -> usable over bare, ratio of the medians {ours:.2}")?;
        if !self.unaided.is_empty() {
            let theirs = self.unaided.median() / usable;
            write!(
                f,
                "\nbare patch alone over request -> usable, ratio of the medians {theirs:.0}"
            )?;
        }
        writeln!(f)
    }
}

impl Times {
    /// What is asked, with what was measured and its bound.
    fn asked(&self) -> [(&'static str, f64, f64); 6] {
        let Self {
            rising,
            leap,
            all,
            usable,
            bare,
            unaided: _,
        } = self;
        [
            (
                "crossing -> request, rising, p50",
                rising.median(),
                REQUEST_RISING.0,
            ),
            (
                "crossing -> request, rising, p99",
                rising.percentile(99),
                REQUEST_RISING.1,
            ),
            (
                "crossing -> request, a leap, p99",
                leap.percentile(99),
                REQUEST_LEAP,
            ),
            ("crossing -> request, all, p50", all.median(), REQUEST.0),
            ("crossing -> request, all, p99", all.percentile(99), REQUEST.1),
            (
                "request -> usable, p50, bound 1.3 x bare + 0.3",
                usable.median(),
                USABLE.0 * bare.median() + USABLE.1,
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn spread(hundredths: &[u64]) -> Spread {
        Spread::of(hundredths.iter().map(|n| Duration::from_millis(10 * n)).collect())
    }

    fn times(unaided: &[u64]) -> Times {
        Times {
            rising: spread(&[8, 13]),
            leap: spread(&[7, 93]),
            all: spread(&[8, 13, 7, 93]),
            usable: spread(&[42, 59]),
            bare: spread(&[31, 39]),
            unaided: spread(unaided),
        }
    }

    #[test]
    fn all_crossings_stand_beside_those_of_each_kind() {
        let text = times(&[]).to_string();
        for line in [
            "crossing -> request, a leap           0.07  0.93  0.93\n",
            "crossing -> request, all              0.08  0.93  0.93\n",
            "crossing -> request, all, p50                    0.08 <= 0.20  holds\n",
            "crossing -> request, all, p99                    0.93 <= 1.20  holds\n",
        ] {
            assert!(text.contains(line), "{line}{text}");
        }
    }

    #[test]
    fn a_bare_patch_is_told_as_a_multiple_of_ours_where_it_was_measured() {
        let text = times(&[6897, 7682]).to_string();
        let (row, ratio) = (
            "bare patch alone -> usable           68.97 76.82 76.82\n",
            "bare patch alone over request -> usable, ratio of the medians 164\n",
        );
        assert!(text.contains(row) && text.ends_with(ratio), "{text}");
        assert!(!times(&[]).to_string().contains("alone"));
    }

    #[test]
    fn what_is_above_its_bound_is_missed() {
        let slow = Times {
            all: spread(&[21]),
            ..times(&[])
        };
        let line = "crossing -> request, all, p50                    0.21 <= 0.20  missed\n";
        assert!(slow.to_string().contains(line), "{slow}");
    }
}
