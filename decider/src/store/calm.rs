//! Volumes of which nobody need be told: while one moves by less than decisions are made by, its movements are not
//! marked.

use decider_core::{Sample, Seen};
use jiff::Timestamp;
use units::Percent;

use super::{Entry, Store};
use crate::metrics::SOON;

/// What a decision reads of a volume at rest, as coarse as its rules are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shown {
    capacity: u64,
    used: Percent,
    inodes: Option<Percent>,
    read_only: bool,
}

impl Store {
    /// Stops marking the volume's movements until it shows something else, cannot be believed, or will be full soon. Only if
    /// it has one mount, somebody has vouched for that `since`, and what is seen `fits`; answers whether.
    pub(crate) fn calm(&self, pv: &str, since: Timestamp, fits: impl FnOnce(&Seen) -> bool) -> bool {
        let mut inner = self.inner();
        let Some([entry]) = inner.volumes.get_mut(pv).map(AsMut::as_mut) else {
            return false;
        };
        let vouched = entry.stream.as_of().is_some_and(|as_of| as_of >= since);
        entry.calm = vouched && entry.is_calm() && entry.seen().is_some_and(|seen| fits(&seen));
        entry.calm
    }

    /// From now on each movement of the volume is marked.
    pub(crate) fn stir(&self, pv: &str) {
        let mut inner = self.inner();
        let entries = inner.volumes.get_mut(pv).into_iter().flatten();
        entries.for_each(|entry| entry.calm = false);
    }
}

impl Entry {
    /// What it shows while its movements are not marked.
    pub(super) fn shown_calm(&self) -> Option<Shown> {
        self.latest.filter(|_| self.calm).as_ref().map(Shown::of)
    }

    /// It shows what it did while its movements were not marked, and they need not be now.
    pub(super) fn stays_calm(&self, shown: Option<Shown>) -> bool {
        shown.is_some() && shown == self.latest.as_ref().map(Shown::of) && self.is_calm()
    }

    /// It can be measured, its numbers are believed, and it will not be full soon.
    fn is_calm(&self) -> bool {
        if self.stuck.is_some() || self.refused.is_some() {
            return false;
        }
        self.latest.zip(self.as_of()).is_some_and(|(sample, as_of)| {
            let left = self.window.trend(as_of).full_in(sample.usage.available);
            left.is_none_or(|left| left >= SOON)
        })
    }
}

impl Shown {
    fn of(sample: &Sample) -> Self {
        Self {
            capacity: sample.usage.capacity.get(),
            used: sample.usage.percent(),
            inodes: sample.inodes_percent(),
            read_only: sample.read_only,
        }
    }
}
