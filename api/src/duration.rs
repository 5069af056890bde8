//! A duration in an object, in Go's notation: `10m`, `1h30m`, `250ms`.
//!
//! Like a quantity it is kept as written and judged where it is used. Not read with kube's `Duration`, which
//! panics on texts such as `1h-5m`; KubeDB's definitions let any text through.

use std::{fmt, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A duration as written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct DurationText(#[schemars(length(max = 32))] pub String);

/// The text is no positive duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a duration above zero; write for example 10m or 1h30m")]
pub struct DurationError(pub String);

impl DurationText {
    /// The duration, above zero and, as Go's, at most 2^63 - 1 nanoseconds.
    pub fn get(&self) -> Result<Duration, DurationError> {
        nanoseconds(&self.0)
            .filter(|nanos| (1..=i64::MAX as u64).contains(nanos))
            .map(Duration::from_nanos)
            .ok_or_else(|| DurationError(self.0.clone()))
    }
}

/// The units of Go's `time.ParseDuration`, in nanoseconds; of the two micro signs the second is the Greek letter.
const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// One or more numbers, each with its unit; no sign but a plus in front.
fn nanoseconds(text: &str) -> Option<u64> {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    let mut total = 0_u64;
    while !rest.is_empty() {
        let (whole, after) = digits(rest);
        let (fraction, after) = after.strip_prefix('.').map_or(("", after), digits);
        let end = after
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(after.len());
        let (name, after) = after.split_at(end);
        let (_, unit) = UNITS.iter().find(|(known, _)| *known == name)?;
        total = total.checked_add(part(whole, fraction, *unit)?)?;
        rest = after;
    }
    Some(total)
}

/// `<whole>.<fraction>` units. Digits of the fraction beyond the fifteenth are less than a nanosecond of any unit.
fn part(whole: &str, fraction: &str, unit: u64) -> Option<u64> {
    let fraction = fraction.get(..15).unwrap_or(fraction);
    let number: u128 = format!("{whole}{fraction}").parse().ok()?;
    let scale = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    u64::try_from(number.checked_mul(unit.into())? / scale).ok()
}

/// The leading ASCII digits, and what follows them.
fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(u8::is_ascii_digit).count())
}

impl From<&str> for DurationText {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for DurationText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::DurationText;

    #[test]
    fn reads_what_go_writes() {
        for (text, millis) in [
            ("10m0s", 600_000),
            ("1h30m", 5_400_000),
            ("250ms", 250),
            ("1.5s", 1500),
            ("+.5s", 500),
            ("1.s", 1000),
            ("1.0000000000000000009h", 3_600_000),
            ("2000\u{b5}s", 2),
            ("2000\u{3bc}s", 2),
            ("2562047h", 9_223_369_200_000),
        ] {
            assert_eq!(
                DurationText::from(text).get(),
                Ok(Duration::from_millis(millis)),
                "{text}"
            );
        }
        for text in ["", "10", "0s", "-5m", "10 minutes", "1d", "0.1ns"] {
            assert!(DurationText::from(text).get().is_err(), "{text}");
        }
    }

    /// KubeDB's definition lets any text through.
    #[test]
    fn no_text_is_the_end_of_the_process() {
        for text in [
            "1h-5m",
            "99999999999999999999h",
            "5124095576030431h5124095576030431h",
            "2562048h",
            "++1s",
            "1.s.",
            ".s",
            "1..5s",
            "1e3s",
            "s",
            "1µ",
            "µs",
            "０s",
        ] {
            assert!(DurationText::from(text).get().is_err(), "{text}");
        }
    }
}
