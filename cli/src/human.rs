//! Numbers for people. What is not known is `-`, never zero.

use units::Bytes;

pub(crate) const UNKNOWN: &str = "-";

/// `1.5Gi`, as in messages.
pub(crate) fn size(bytes: u64) -> String {
    decider_core::human(Bytes::new(bytes)).to_string()
}

/// `12Mi/s`.
pub(crate) fn rate(bytes_per_second: Option<u64>) -> String {
    bytes_per_second.map_or_else(|| UNKNOWN.into(), |rate| format!("{}/s", size(rate)))
}

/// `3h12m`, or `never` when the rate is known and leads nowhere.
pub(crate) fn full_in(seconds: Option<u64>, rate: Option<u64>) -> String {
    match (seconds, rate) {
        (Some(0), _) => "now".into(),
        (Some(seconds), _) => length(seconds),
        (None, Some(_)) => "never".into(),
        (None, None) => UNKNOWN.into(),
    }
}

/// The two largest units: `45s`, `3m20s`, `5h`, `2d4h`.
pub(crate) fn length(seconds: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
    let Some(first) = UNITS.iter().position(|(unit, _)| seconds >= *unit) else {
        return "0s".into();
    };
    let (unit, word) = UNITS[first];
    let whole = format!("{}{word}", seconds / unit);
    match UNITS.get(first + 1) {
        Some((next, word)) if seconds % unit >= *next => format!("{whole}{}{word}", seconds % unit / next),
        _ => whole,
    }
}

/// `12s ago`; what lies in the future by a clock's error is `now`.
pub(crate) fn ago(at: jiff::Timestamp, now: jiff::Timestamp) -> String {
    match u64::try_from(now.duration_since(at).as_secs()) {
        Ok(seconds) if seconds > 0 => format!("{} ago", length(seconds)),
        _ => "now".into(),
    }
}

/// The age of a number: `0.4s`, `12s`.
pub(crate) fn age(seconds: Option<f64>) -> String {
    match seconds {
        None => UNKNOWN.into(),
        Some(seconds) if seconds < 10.0 => format!("{seconds:.1}s"),
        // An age is never negative, and one beyond u64 is no age.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an age, rounded down"
        )]
        Some(seconds) => length(seconds as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time() {
        for (seconds, text) in [
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (200, "3m20s"),
            (3_600, "1h"),
            (3_659, "1h"),
            (3_660, "1h1m"),
            (187_200, "2d4h"),
            (86_400, "1d"),
        ] {
            assert_eq!(length(seconds), text);
        }
    }

    #[test]
    fn what_is_not_known_is_not_zero() {
        assert_eq!((rate(None), full_in(None, None)), ("-".into(), "-".into()));
        assert_eq!(
            (rate(Some(0)), full_in(None, Some(0))),
            ("0/s".into(), "never".into())
        );
        assert_eq!(full_in(Some(0), None), "now");
        assert_eq!(rate(Some(12 << 20)), "12Mi/s");
        assert_eq!(
            (age(None), age(Some(0.42)), age(Some(75.0))),
            ("-".into(), "0.4s".into(), "1m15s".into())
        );
    }
}
