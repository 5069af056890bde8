//! How soon is too soon: the time that a growth needs, against the time that is left.

use std::time::Duration;

use jiff::Timestamp;
use units::Bytes;

use crate::{database::Seen, profile::Profile, rate::Rate};

/// From a measurement to the request: a tick of the agent's, the decision and one write (crossing to request within
/// 1.2 s is what the benchmark asks for).
const REACTION: Duration = Duration::from_secs(2);
/// Whatever else there is: a pause to be acknowledged takes up to five seconds.
const MARGIN: Duration = Duration::from_secs(5);
/// Half as much again: rates rise, too.
const SAFETY: (u32, u32) = (3, 2);

/// What a volume needs to be grown in time, and what it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Forecast {
    /// How fast it fills now.
    pub(crate) rate: Rate,
    /// The time to reckon with: (reaction + expansion + margin) x safety, the measurement's age being part of the
    /// reaction.
    pub(crate) lead: Duration,
    /// What is left.
    pub(crate) available: Bytes,
}

impl Forecast {
    /// `None` where no rate is known.
    pub(crate) fn of(seen: &Seen, profile: &Profile, now: Timestamp) -> Option<Self> {
        Some(Self {
            rate: seen.trend.rate?,
            lead: lead(seen.age(now), profile.duration),
            available: seen.sample.usage.available,
        })
    }

    /// Full before it could be larger: `available <= rate x lead`.
    pub(crate) fn is_too_late(&self) -> bool {
        self.rate > Rate::ZERO && self.available <= self.rate.during(self.lead)
    }
}

/// The time to reckon with for one growth.
pub(crate) fn lead(age: Duration, expansion: Duration) -> Duration {
    let sum = age
        .saturating_add(REACTION)
        .saturating_add(expansion)
        .saturating_add(MARGIN);
    sum.saturating_mul(SAFETY.0) / SAFETY.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lead_is_reaction_expansion_and_margin_half_as_much_again() {
        assert_eq!(
            lead(Duration::ZERO, Duration::from_secs(60)),
            Duration::from_millis(100_500)
        );
        assert_eq!(
            lead(Duration::from_secs(1), Duration::from_secs(2)),
            Duration::from_secs(15)
        );
    }
}
