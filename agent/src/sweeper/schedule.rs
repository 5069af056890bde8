//! What is to be measured next, by whom, and what to do about calls that do not return. Pure: the time and the
//! outcome of each call are arguments; the threads are in [`super::threads`].
//!
//! Two *lanes*, so that a filesystem that may hang never delays one that cannot:
//!
//! - `Trusted`: filesystems whose statfs is answered from memory. One worker measures them in turn.
//! - `Doubtful`: network and FUSE filesystems, and any device that has held up a worker. Measured through probe
//!   processes.
//!
//! A worker that is in one call for longer than [`HAND_OVER`] is *stranded*: it keeps its call, and a new worker
//! takes over its lane. When the call returns after all, its result counts and the stranded worker ends. One
//! device has at most one call in flight.
//!
//! So the largest gap between two measurements of a trusted volume is `period` + [`HAND_OVER`] for each trusted
//! device that begins to hang in the same sweep (each then is doubtful), as long as no more than [`STRANDED`]
//! are; and hanging doubtful devices add nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use super::{Failure, Measurement, Observation};
use crate::{mounts::Device, volumes::Volume};

/// A call that takes longer holds up no other volume. Ten thousand times what a statfs takes; mistaking a busy
/// processor for a dead server costs a thread that ends again at once.
pub(super) const HAND_OVER: Duration = Duration::from_millis(50);

/// The most workers that may be left behind in a call at a time.
pub(super) const STRANDED: usize = 8;

/// The most of them in the doubtful lane, so that three are left for trusted devices that prove unworthy.
pub(super) const STRANDED_DOUBTFUL: usize = 5;

/// The most calls at a time for volumes that hung when last tried: the others of their lane keep one worker at least.
pub(super) const RETRIES: usize = 3;

/// Names a worker; never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct WorkerId(u64);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    Trusted,
    Doubtful,
}

/// What a worker is to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Measure this volume and come back with [`Schedule::finish`].
    Measure(Arc<Volume>),
    /// Ask again at this time, or when told.
    Wait(Option<Instant>),
    /// Another worker has the lane.
    Retire,
}

#[derive(Debug)]
pub(super) struct Schedule {
    period: Duration,
    deadline: Duration,
    /// Sweeps begin at this time plus multiples of the period, so that all volumes are measured in one go.
    epoch: Instant,
    /// By name of the PersistentVolume. A place in here names a volume until the next [`Schedule::replace`]: comparing
    /// names that lie all over the memory would take longer than a statfs.
    targets: Vec<Target>,
    queues: [BTreeSet<(Instant, usize)>; 2],
    flights: BTreeMap<WorkerId, Flight>,
    /// The worker of each lane that is not stranded.
    on_duty: [WorkerId; 2],
    last_worker: u64,
}

#[derive(Debug)]
struct Target {
    volume: Arc<Volume>,
    lane: Lane,
    due: Instant,
    last: Option<Measurement>,
    failure: Option<Failure>,
    /// Start of the last measurement that gave numbers; at first, a period before the volume was found.
    measured: Instant,
    /// The last call for it that returned had to be aborted.
    hung: bool,
}

#[derive(Debug)]
struct Flight {
    volume: Arc<Volume>,
    /// Where the volume was when the call began.
    place: usize,
    lane: Lane,
    started: Instant,
    stranded: bool,
    aborted: bool,
}

impl Schedule {
    pub(super) fn new(period: Duration, deadline: Duration, now: Instant) -> Self {
        Self {
            period,
            deadline,
            epoch: now,
            targets: Vec::new(),
            queues: [BTreeSet::new(), BTreeSet::new()],
            flights: BTreeMap::new(),
            on_duty: [WorkerId(0), WorkerId(1)],
            last_worker: 1,
        }
    }

    /// The workers to begin with, one a lane.
    pub(super) fn first_workers(&self) -> [(WorkerId, Lane); 2] {
        [
            (self.on_duty[0], Lane::Trusted),
            (self.on_duty[1], Lane::Doubtful),
        ]
    }

    /// Sets what is mounted now. What was measured is kept for a mount that is still there.
    pub(super) fn replace(&mut self, mut volumes: Vec<Volume>, now: Instant) {
        volumes.sort_by(|one, other| one.pv.cmp(&other.pv));
        let old = std::mem::take(&mut self.targets);
        let mut old: BTreeMap<String, Target> = old
            .into_iter()
            .map(|target| (target.volume.pv.clone(), target))
            .collect();
        self.queues.iter_mut().for_each(BTreeSet::clear);
        for (place, volume) in volumes.into_iter().enumerate() {
            let target = match old.remove(&volume.pv) {
                Some(mut known) if known.volume.is_mount_of(&volume) => {
                    if *known.volume != volume {
                        known.volume = Arc::new(volume);
                    }
                    known
                }
                _ => self.target(volume, now),
            };
            self.queues[target.lane.number()].insert((target.due, place));
            self.targets.push(target);
        }
    }

    fn target(&self, volume: Volume, now: Instant) -> Target {
        let hangs = self
            .flights
            .values()
            .any(|f| f.stranded && f.volume.device == volume.device);
        Target {
            lane: if volume.may_hang() || hangs {
                Lane::Doubtful
            } else {
                Lane::Trusted
            },
            volume: Arc::new(volume),
            due: now,
            last: None,
            failure: None,
            measured: now.checked_sub(self.period).unwrap_or(now),
            hung: false,
        }
    }

    /// The next step of a worker that has no call in flight.
    pub(super) fn next(&mut self, worker: WorkerId, now: Instant) -> Step {
        let Some(lane) = self.lane_of(worker) else {
            return Step::Retire;
        };
        let retries = self.flights.values().filter(|f| self.is_hung(f)).count();
        for &(due, place) in &self.queues[lane.number()] {
            if due > now {
                return Step::Wait(Some(due));
            }
            let Some(target) = self.targets.get(place) else {
                continue;
            };
            if self.in_flight(target.volume.device) || (target.hung && retries >= RETRIES) {
                continue;
            }
            let volume = Arc::clone(&target.volume);
            let flight = Flight {
                volume: Arc::clone(&volume),
                place,
                lane,
                started: now,
                stranded: false,
                aborted: false,
            };
            self.flights.insert(worker, flight);
            return Step::Measure(volume);
        }
        Step::Wait(None)
    }

    /// Takes the outcome of a worker's call. Returns the time since the measurement before.
    pub(super) fn finish(
        &mut self,
        worker: WorkerId,
        outcome: Result<Measurement, Failure>,
        now: Instant,
    ) -> Option<Duration> {
        let flight = self.flights.remove(&worker)?;
        let prompt = now.saturating_duration_since(flight.started) <= HAND_OVER;
        let aligned = self.next_sweep(now);
        // Mounted again or otherwise changed meanwhile: this may not be about the present mount. It is still due.
        let place = self.place_of(&flight)?;
        let target = self.targets.get_mut(place)?;
        let (due, failure) = match &outcome {
            Err(Failure::Aborted) => (now + self.deadline, target.failure),
            Ok(_) => (aligned, None),
            Err(failure) => (aligned, Some(*failure)),
        };
        target.hung = outcome == Err(Failure::Aborted);
        target.failure = failure;
        let mut gap = None;
        if let Ok(measurement) = outcome {
            gap = target
                .last
                .map(|_| flight.started.saturating_duration_since(target.measured));
            target.last = Some(measurement);
            target.measured = flight.started;
        }
        let lane = if prompt && !target.volume.may_hang() {
            Lane::Trusted
        } else {
            target.lane
        };
        self.queue(place, lane, due);
        gap
    }

    /// What is known of each volume, by name; volumes that are being measured for the first time are left out.
    pub(super) fn observe(&self, now: Instant) -> Vec<Observation> {
        let limit = self.period + self.deadline;
        let observe = |target: &Target| {
            let late = now.saturating_duration_since(target.measured) > limit;
            Observation {
                volume: Arc::clone(&target.volume),
                last: target.last,
                failure: target.failure.or(if late { Some(Failure::Late) } else { None }),
            }
        };
        let known = |seen: &Observation| seen.last.is_some() || seen.failure.is_some();
        self.targets.iter().map(observe).filter(known).collect()
    }

    /// Whether every volume has been measured, or tried in vain.
    pub(super) fn is_complete(&self, now: Instant) -> bool {
        self.observe(now).len() == self.targets.len()
    }

    fn lane_of(&self, worker: WorkerId) -> Option<Lane> {
        [Lane::Trusted, Lane::Doubtful]
            .into_iter()
            .find(|lane| self.on_duty[lane.number()] == worker)
    }

    fn in_flight(&self, device: Device) -> bool {
        self.flights.values().any(|flight| flight.volume.device == device)
    }

    fn next_sweep(&self, now: Instant) -> Instant {
        let period = self.period.as_nanos().max(1);
        let since = now.saturating_duration_since(self.epoch).as_nanos();
        let ahead = period - since % period;
        now + Duration::from_nanos(u64::try_from(ahead).unwrap_or(u64::MAX))
    }
}

impl Lane {
    fn number(self) -> usize {
        match self {
            Self::Trusted => 0,
            Self::Doubtful => 1,
        }
    }
}

mod overdue;
mod places;

#[cfg(test)]
mod tests;
