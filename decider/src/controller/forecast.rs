//! What is predicted of volumes: how fast they fill, and when they are full.

use std::time::Duration;

use decider_core::{Record, VolumeRecord};

/// What is predicted; `None` is not known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Forecast {
    /// Bytes per second.
    pub(super) rate: Option<u64>,
    /// Until nothing can be written any more; with a known rate, `None` is never.
    pub(super) full_in: Option<Duration>,
}

/// Of one volume. Rates are not in the record yet; that a volume is full now can be said without.
pub(super) fn of(record: &VolumeRecord) -> Forecast {
    let full = record.usage.is_some_and(|usage| usage.available.get() == 0);
    Forecast {
        rate: None,
        full_in: full.then_some(Duration::ZERO),
    }
}

/// Of the volume that is full first; else of the one that fills fastest.
pub(super) fn soonest(record: &Record) -> Forecast {
    let all = record.volumes.iter().map(of);
    all.min_by_key(|f| (f.full_in.unwrap_or(Duration::MAX), std::cmp::Reverse(f.rate)))
        .unwrap_or_default()
}
