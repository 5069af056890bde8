//! How fast a filesystem fills, and what follows from it.

use std::{fmt, time::Duration};

use units::Bytes;

use crate::human::human;

/// Bytes per second, rounded down. Zero is known: nothing is added. What is not known is no `Rate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(u64);

impl Rate {
    /// Nothing is added.
    pub const ZERO: Self = Self(0);

    /// So many bytes per second.
    #[must_use]
    pub const fn new(bytes_per_second: u64) -> Self {
        Self(bytes_per_second)
    }

    /// Bytes per second.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// `rise` within `span`; `None` for no time at all.
    #[must_use]
    pub fn of(rise: Bytes, span: Duration) -> Option<Self> {
        let rate = (u128::from(rise.get()) * 1_000).checked_div(span.as_millis())?;
        Some(Self(u64::try_from(rate).unwrap_or(u64::MAX)))
    }

    /// What is added in `time`; at most what a number holds.
    #[must_use]
    pub fn during(self, time: Duration) -> Bytes {
        let added = u128::from(self.0).saturating_mul(time.as_millis()) / 1_000;
        Bytes::new(u64::try_from(added).unwrap_or(u64::MAX))
    }

    /// How long `room` lasts; `None` for ever.
    #[must_use]
    pub fn fills(self, room: Bytes) -> Option<Duration> {
        let ms = (u128::from(room.get()) * 1_000).checked_div(u128::from(self.0))?;
        Some(Duration::from_millis(u64::try_from(ms).unwrap_or(u64::MAX)))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", human(Bytes::new(self.0)))
    }
}

/// How a volume's use of space develops, as its [`Window`](crate::Window) shows. `None` is not known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Trend {
    /// Slope of the running maximum over the last ten seconds: what is happening now.
    pub rate: Option<Rate>,
    /// Slope of the running maximum over all that is remembered, from one half of it to the next: what is to be
    /// expected of hours.
    pub sustained: Option<Rate>,
}

/// Predictions beyond this are left to the sustained rate: a burst of seconds says nothing of hours.
const NEAR: Duration = Duration::from_secs(600);

impl Trend {
    /// When `room` is used up, if things go on as they do; `None` if never, or if nothing is known.
    #[must_use]
    pub fn full_in(&self, room: Bytes) -> Option<Duration> {
        self.expected(room)?.fills(room)
    }

    /// The rate that tells when `room` is used up; `None` if nothing is known.
    #[must_use]
    pub fn expected(&self, room: Bytes) -> Option<Rate> {
        let soon = |rate: &Rate| rate.fills(room).is_some_and(|left| left <= NEAR);
        self.rate.filter(soon).or(self.sustained).or(self.rate)
    }
}

/// A duration for people: its largest unit, rounded down, so that it is never later than it says.
pub(crate) fn coarse(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7_200 => format!("{}m", seconds / 60),
        7_200..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn rates_and_what_follows() {
        let rate = Rate::of(Bytes::new(100 * MIB), Duration::from_secs(10)).expect("some time");
        assert_eq!((rate.get(), rate.to_string().as_str()), (10 * MIB, "10Mi/s"));
        assert_eq!(rate.during(Duration::from_millis(500)), Bytes::new(5 * MIB));
        assert_eq!(
            rate.fills(Bytes::new(25 * MIB)),
            Some(Duration::from_millis(2_500))
        );
        assert_eq!(Rate::ZERO.fills(Bytes::GIB), None, "never");
        assert_eq!(Rate::of(Bytes::GIB, Duration::ZERO), None);
        assert_eq!(Rate::new(u64::MAX).during(Duration::MAX), Bytes::new(u64::MAX));
    }

    #[test]
    fn a_burst_predicts_minutes_and_the_long_run_hours() {
        let trend = Trend {
            rate: Some(Rate::new(100)),
            sustained: Some(Rate::new(1)),
        };
        assert_eq!(trend.full_in(Bytes::new(60_000)), Some(NEAR));
        assert_eq!(
            trend.full_in(Bytes::new(60_100)),
            Some(Duration::from_secs(60_100))
        );
        let idle = Trend {
            rate: Some(Rate::ZERO),
            sustained: Some(Rate::ZERO),
        };
        assert_eq!(idle.full_in(Bytes::new(1)), None);
        assert_eq!(Trend::default().full_in(Bytes::ZERO), None, "not known");
    }

    #[test]
    fn durations_for_people() {
        for (seconds, text) in [
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (7_199, "119m"),
            (7_200, "2h"),
            (172_800, "2d"),
        ] {
            assert_eq!(coarse(Duration::from_secs(seconds)), text);
        }
    }
}
