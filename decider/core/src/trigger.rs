//! What makes a volume want to grow. Any volume of a database is enough.

use jiff::Timestamp;
use units::{Bytes, Percent, Reason, Usage};

use crate::{
    database::Seen,
    forecast::Forecast,
    policy::{Limits, Trigger},
    profile::Profile,
    sample::Sample,
};

/// Used space at or above this exempts from the runaway guard: better grown than down.
pub(crate) const EMERGENCY_PERCENT: u8 = 95;

/// What measurements are held against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Against<'a> {
    pub(crate) limits: &'a Limits,
    pub(crate) profile: &'a Profile,
    pub(crate) now: Timestamp,
}

impl Against<'_> {
    /// What a fresh measurement says; the first that fires, `None` if nothing does.
    pub(crate) fn fired(&self, seen: &Seen) -> Option<Reason> {
        self.all(seen).next()
    }

    /// Every trigger that fires, in their order.
    pub(crate) fn all(&self, seen: &Seen) -> impl Iterator<Item = Reason> {
        let fires = [
            (
                Reason::ThresholdExceeded,
                seen.sample.usage.exceeds(self.limits.usage_threshold),
            ),
            (Reason::TimeToFull, self.is_too_late(seen)),
            (
                Reason::InodesExceeded,
                inodes_exceed(seen, self.limits.inode_threshold),
            ),
        ];
        fires
            .into_iter()
            .filter(|(_, fires)| *fires)
            .map(|(reason, _)| reason)
    }

    /// True when guards step aside: so full, or so fast, that what they guard against is the lesser harm.
    pub(crate) fn is_emergency(&self, seen: &Seen) -> bool {
        is_nearly_full(seen) || self.is_too_late(seen)
    }

    /// The rate and what it is weighed against; `None` where it is not known, or not to be acted upon.
    pub(crate) fn forecast(&self, seen: &Seen) -> Option<Forecast> {
        match self.limits.time_to_full {
            Trigger::On => Forecast::of(seen, self.profile, self.now),
            Trigger::Off => None,
        }
    }

    fn is_too_late(&self, seen: &Seen) -> bool {
        self.forecast(seen).is_some_and(|forecast| forecast.is_too_late())
    }
}

/// True when running out of inodes is near and a larger filesystem would bring more of them.
fn inodes_exceed(seen: &Seen, threshold: Percent) -> bool {
    let Sample { inodes_total, .. } = seen.sample;
    seen.fixed_inodes
        && inodes_total > 0
        && u128::from(seen.sample.inodes_used()) * 100
            > u128::from(inodes_total) * u128::from(threshold.get())
}

/// True when the volume is so full that its database may be down for it.
pub(crate) fn is_nearly_full(seen: &Seen) -> bool {
    seen.sample.usage.percent().get() >= EMERGENCY_PERCENT
}

/// The smallest `used` at which the threshold fires, for the agent to report at once when it is crossed.
#[must_use]
pub fn level(usage: Usage, threshold: Percent) -> Bytes {
    let usable = usage
        .used
        .get()
        .saturating_add(usage.available.get())
        .min(usage.capacity.get());
    let below = u128::from(usable) * u128::from(threshold.get()) / 100;
    Bytes::new(u64::try_from(below).unwrap_or(u64::MAX).saturating_add(1))
}
