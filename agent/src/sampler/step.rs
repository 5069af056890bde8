//! Which difference between two readings is worth a message. Pure.

use crate::{report::Reading, statfs::Usage, sweeper::Observation};

/// A change smaller than a thousandth of the capacity is no change ...
const STEP_FRACTION: u64 = 1000;
/// ... unless it is larger than this: 16 MiB are one WAL segment of PostgreSQL.
pub(super) const STEP_BYTES: u64 = 16 << 20;

/// Whether what is seen differs by a step or more from what was sent, or is beyond one of the `levels` of `used` that
/// it was not beyond then.
pub(super) fn has_moved(sent: &Reading, seen: &Observation, levels: &[u64]) -> bool {
    if sent.failure != seen.failure || sent.at.is_some() != seen.last.is_some() {
        return true;
    }
    let (old, new) = (sent.usage, usage(seen));
    let bytes = step(new.capacity, STEP_BYTES);
    let inodes = step(new.inodes_total, u64::MAX);
    old.capacity != new.capacity
        || old.read_only != new.read_only
        || old.used.abs_diff(new.used) >= bytes
        || old.available.abs_diff(new.available) >= bytes
        || old.inodes_total.abs_diff(new.inodes_total) >= inodes
        || old.inodes_free.abs_diff(new.inodes_free) >= inodes
        || levels
            .iter()
            .any(|level| (old.used < *level) != (new.used < *level))
}

/// The smallest change of a number out of `whole` that counts.
pub(super) fn step(whole: u64, at_most: u64) -> u64 {
    (whole / STEP_FRACTION).clamp(1, at_most)
}

/// The numbers of the last measurement; read-only also where only mountinfo says so.
pub(super) fn usage(seen: &Observation) -> Usage {
    let usage = seen.last.map(|last| last.usage).unwrap_or_default();
    Usage {
        read_only: usage.read_only || seen.volume.read_only,
        ..usage
    }
}

#[cfg(test)]
mod tests {
    use super::{STEP_BYTES, step};
    use crate::testing::GIB;

    #[test]
    fn the_step_is_a_thousandth_but_at_most_16_mib() {
        for (capacity, expected) in [
            (0, 1),
            (999, 1),
            (GIB, GIB / 1000),
            (16 << 30, 16 << 20),
            (1 << 50, 16 << 20),
        ] {
            assert_eq!(step(capacity, STEP_BYTES), expected, "{capacity}");
        }
    }
}
