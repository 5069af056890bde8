//! What makes a volume want to grow. Any volume of a database is enough.

use units::{Bytes, Percent, Reason, Usage};

use crate::{database::Seen, policy::Limits, sample::Sample};

/// Used space at or above this exempts from the runaway guard: better grown than down.
pub(crate) const EMERGENCY_PERCENT: u8 = 95;

/// What a fresh measurement says against the policy's numbers; `None` if nothing.
///
/// The time-to-full trigger comes between the two, once rates are measured.
#[must_use]
pub(crate) fn fired(seen: &Seen, limits: &Limits) -> Option<Reason> {
    if seen.sample.usage.exceeds(limits.usage_threshold) {
        return Some(Reason::ThresholdExceeded);
    }
    if inodes_exceed(seen, limits.inode_threshold) {
        return Some(Reason::InodesExceeded);
    }
    None
}

/// True when running out of inodes is near and a larger filesystem would bring more of them.
fn inodes_exceed(seen: &Seen, threshold: Percent) -> bool {
    let Sample { inodes_total, .. } = seen.sample;
    seen.fixed_inodes
        && inodes_total > 0
        && u128::from(seen.sample.inodes_used()) * 100
            > u128::from(inodes_total) * u128::from(threshold.get())
}

/// True when the volume is so full that guards step aside.
#[must_use]
pub(crate) fn emergency(seen: &Seen) -> bool {
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
