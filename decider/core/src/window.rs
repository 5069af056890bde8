//! The recent past of one volume: bounded, thinned by age, and enough to tell a sawtooth from a COPY.
//!
//! Kept are maxima: of each second for a while, then of each quarter of a minute, each minute, each ten minutes, for
//! an hour in all. A volume that does not move costs two points. Lives in memory only; agents replay the last ten
//! minutes of it after a restart. At most 376 bytes, 72 for a volume that does not move.

use std::time::Duration;

use jiff::Timestamp;
use units::Bytes;

use crate::rate::{Rate, Trend};

mod slots;

use slots::Slots;

/// The rate is the slope over this time. Ten measurements: long enough for one WAL segment of 16 MiB, or one
/// flush of the page cache, not to look like a COPY, short against the time in which any volume can be grown.
pub(crate) const SHORT: Duration = Duration::from_secs(10);
/// Peaks are remembered for this time: PostgreSQL's checkpoints are minutes apart (checkpoint_timeout is 5 min by
/// default and commonly 15 to 30), and so are the sawteeth they make.
pub(crate) const LONG: Duration = Duration::from_secs(3_600);
/// With less than this known, there is no rate yet.
const SHORTEST: Duration = Duration::from_secs(3);
/// With less than this known, nothing is said of hours.
const LONGISH: Duration = Duration::from_secs(60);

/// Used space at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// When it was measured.
    pub at: Timestamp,
    /// Bytes in use.
    pub used: Bytes,
    /// Capacity of the filesystem, so that a growth is told from a deletion.
    pub capacity: Bytes,
}

/// The past of one volume.
#[derive(Debug, Clone, Default)]
pub struct Window {
    slots: Slots,
    newest: Option<Newest>,
}

/// The newest point, with the time until which it is known to have held. Unix milliseconds.
#[derive(Debug, Clone, Copy)]
struct Newest {
    at: i64,
    held: i64,
    used: Bytes,
    capacity: Bytes,
}

impl Window {
    /// Bytes that it has at most.
    pub const LARGEST: usize = size_of::<Self>() + Slots::LARGEST;

    /// Adds a point. One that is not newer than the newest is dropped: the past is set by [`Window::replay`] only.
    pub fn push(&mut self, point: Point) {
        let at = point.at.as_millisecond();
        let next = Newest {
            at,
            held: at,
            used: point.used,
            capacity: point.capacity,
        };
        let Some(last) = self.newest else {
            self.newest = Some(next);
            return;
        };
        if at <= last.at {
            return;
        }
        let mut before = last.used;
        if last.capacity != next.capacity {
            // A filesystem that grows takes some of its new space for itself at once: that is not filling.
            self.slots.shift(last.used, next.used);
            before = next.used;
        }
        let held = last.held.clamp(last.at, at);
        // Both ends of a level stretch: when it began tells the slope, until when it lasted how long it is a peak.
        self.slots.push(last.at.max(at - ms(LONG)), before, at);
        if held > last.at {
            self.slots.push(held, before, at);
        }
        // What happened in a gap is not known; that it happened at once is the least likely.
        if at - held > ms(SHORT) && next.used > before {
            let (rise, gap) = (next.used.saturating_sub(before), at - held);
            let until = u64::try_from(gap - ms(SHORT)).unwrap_or(0);
            let earlier = rise.checked_mul_ratio(until, u64::try_from(gap).unwrap_or(1));
            let then = before.checked_add(earlier.unwrap_or(Bytes::ZERO));
            self.slots.push(at - ms(SHORT), then.unwrap_or(before), at);
        }
        self.newest = Some(next);
    }

    /// The newest point is known to have held until then, give or take what an agent need not tell.
    pub fn hold(&mut self, until: Timestamp) {
        if let Some(newest) = &mut self.newest {
            newest.held = newest.held.max(until.as_millisecond());
        }
    }

    /// Puts an agent's past, oldest first, before and between what is known. Nothing newer than the newest point is
    /// taken, and nothing of a filesystem that had another size since.
    pub fn replay(&mut self, past: impl IntoIterator<Item = Point>) {
        let newest = self.newest;
        let mut other = Self::default();
        for point in past {
            if newest.is_none_or(|n| point.at.as_millisecond() < n.at) {
                other.push(point);
            }
        }
        let (Some(newest), Some(last)) = (newest, other.newest) else {
            if newest.is_none() {
                *self = other;
            }
            return;
        };
        if last.capacity == newest.capacity {
            other.slots.push(last.at, last.used, newest.at);
            self.slots.merge(&other.slots, newest.at);
        }
    }

    /// How the volume develops, as of `at`, until which the newest point is known to have held.
    #[must_use]
    pub fn trend(&self, at: Timestamp) -> Trend {
        let Some(newest) = self.newest else {
            return Trend::default();
        };
        let at = at.as_millisecond().max(newest.at);
        Trend {
            rate: self.rate(newest, at),
            sustained: self.sustained(newest, at),
        }
    }

    fn rate(&self, newest: Newest, at: i64) -> Option<Rate> {
        let peak = self.peak(newest, at, Duration::ZERO)?;
        match self.peak(newest, at, SHORT) {
            Some(before) => Rate::of(peak.saturating_sub(before), SHORT),
            None => {
                let (known, first) = self.oldest(newest, at);
                let rise = peak.saturating_sub(first);
                Rate::of(rise, known).filter(|_| known >= SHORTEST)
            }
        }
    }

    /// From the peak of the first half to that of the second: nothing for a sawtooth that fits into a half.
    fn sustained(&self, newest: Newest, at: i64) -> Option<Rate> {
        let (known, _) = self.oldest(newest, at);
        let half = known.min(LONG) / 2;
        if known < LONGISH {
            return None;
        }
        let (peak, before) = (
            self.peak(newest, at, Duration::ZERO)?,
            self.peak(newest, at, half)?,
        );
        // The border lies within a maximum of ten minutes: its slope is counted from the last one before.
        let since = self.slots.last_before(at - ms(half), at).unwrap_or(newest.at);
        let span = Duration::from_millis(u64::try_from(at - since).unwrap_or(0));
        Rate::of(peak.saturating_sub(before), span.max(half))
    }

    /// The running maximum as it was `ago`; `None` where nothing is that old.
    fn peak(&self, newest: Newest, at: i64, ago: Duration) -> Option<Bytes> {
        let horizon = at - ms(ago);
        let slots = self.slots.peak(horizon, at);
        let own = (newest.at <= horizon).then_some(slots::round(newest.used));
        slots.max(own)
    }

    /// How much is known, and where it begins.
    fn oldest(&self, newest: Newest, at: i64) -> (Duration, Bytes) {
        let (first, used) = self
            .slots
            .oldest(at)
            .unwrap_or_else(|| (newest.at, slots::round(newest.used)));
        let known = u64::try_from(at - first).unwrap_or(0);
        (Duration::from_millis(known), used)
    }
}

fn ms(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
