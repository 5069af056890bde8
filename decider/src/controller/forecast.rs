//! What is predicted of volumes: how fast they fill, and when they are full.

use std::time::Duration;

use decider_core::{Record, VolumeRecord};
use units::Reason;

use super::outcome::Outcome;
use crate::metrics::{SOON, Standing};

/// What is predicted; `None` is not known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Forecast {
    /// Bytes per second.
    pub(super) rate: Option<u64>,
    /// Until nothing can be written any more; with a known rate, `None` is never.
    pub(super) full_in: Option<Duration>,
}

/// Of one volume. That it is full now is known without a rate.
pub(super) fn of(record: &VolumeRecord) -> Forecast {
    let room = record.usage.map(|usage| usage.available);
    let full = room.is_some_and(|room| room.get() == 0);
    Forecast {
        rate: room
            .and_then(|room| record.trend.expected(room))
            .map(|rate| rate.get()),
        full_in: full.then_some(Duration::ZERO).or(record.full_in),
    }
}

/// Of the volume that is full first; else of the one that fills fastest.
pub(super) fn soonest(record: &Record) -> Forecast {
    let all = record.volumes.iter().map(of);
    all.min_by_key(|f| (f.full_in.unwrap_or(Duration::MAX), std::cmp::Reverse(f.rate)))
        .unwrap_or_default()
}

impl Outcome {
    /// What is counted of it.
    pub(super) fn standing(&self) -> Standing {
        let record = self.record();
        let volumes = record.iter().flat_map(|record| &record.volumes);
        let stale = volumes.filter(|v| v.reason == Reason::Stale).count();
        let full_in = record.and_then(|record| soonest(record).full_in);
        Standing {
            reason: self.reason(),
            barrier: self.barrier().map(|note| note.reason),
            full_soon: full_in.is_some_and(|t| t < SOON),
            stale: u32::try_from(stale).unwrap_or(u32::MAX),
        }
    }
}
