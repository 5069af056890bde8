//! One volume of the schedule.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::Lane;
use crate::{
    sweeper::{Failure, Measurement, heat::Heat},
    volumes::Volume,
};

#[derive(Debug)]
pub(super) struct Target {
    pub(super) volume: Arc<Volume>,
    pub(super) lane: Lane,
    pub(super) due: Instant,
    pub(super) last: Option<Measurement>,
    pub(super) failure: Option<Failure>,
    pub(super) heat: Heat,
    /// Start of the last measurement that gave numbers; at first, a period before the volume was found.
    pub(super) measured: Instant,
    /// The last call for it that returned had to be aborted.
    pub(super) hung: bool,
}

impl Target {
    /// A volume that was found `now`, and is due at once.
    pub(super) fn new(volume: Volume, lane: Lane, now: Instant, period: Duration) -> Self {
        Self {
            volume: Arc::new(volume),
            lane,
            due: now,
            last: None,
            failure: None,
            heat: Heat::default(),
            measured: now.checked_sub(period).unwrap_or(now),
            hung: false,
        }
    }

    /// Its numbers are current and say so.
    pub(super) fn is_hot(&self) -> bool {
        self.failure.is_none() && self.heat.is_hot()
    }
}
