//! What is to be measured next, by whom, and what to do about calls that do not return. Pure: the time and the
//! outcome of each call are arguments; the threads are in [`super::threads`].
//!
//! Three *lanes*, so that a filesystem that may hang never delays one that cannot, and many never delay a hot one:
//!
//! - `Trusted`: filesystems whose statfs is answered from memory. One worker measures them in turn.
//! - `Hot`: those of them that are soon full or about to cross a level, measured [`HOT_RATE`] times as often.
//! - `Doubtful`: network and FUSE filesystems, and any device that has held up a worker. Measured through probe
//!   processes.
//!
//! A worker that is in one call for longer than [`HAND_OVER`] is *stranded*: it keeps its call, and a new worker
//! takes over its lane. When the call returns after all, its result counts and the stranded worker ends. One
//! device has at most one call in flight.
//!
//! So the largest gap between two measurements of a trusted or hot volume is its period + [`HAND_OVER`] for each trusted
//! such device that begins to hang in the same sweep (each then is doubtful), as long as no more than [`STRANDED`]
//! are; and hanging doubtful devices add nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use super::{Failure, Measurement, Observation, heat::HOT_RATE};
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
    Hot,
    Doubtful,
}

const LANES: [Lane; 3] = [Lane::Trusted, Lane::Hot, Lane::Doubtful];

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

/// What a call has led to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Finished {
    /// The time since the measurement before.
    pub(super) gap: Option<Duration>,
    /// Workers that are asleep may have something to do: the volume has changed lanes, or its device was wanted.
    pub(super) wake: bool,
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
    queues: [BTreeSet<(Instant, usize)>; LANES.len()],
    flights: BTreeMap<WorkerId, Flight>,
    /// The worker of each lane that is not stranded.
    on_duty: [WorkerId; LANES.len()],
    last_worker: u64,
    /// Devices of volumes that were due and that a worker has passed over, because a call for the device was in flight.
    passed_over: BTreeSet<Device>,
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
            queues: Default::default(),
            flights: BTreeMap::new(),
            on_duty: [WorkerId(0), WorkerId(1), WorkerId(2)],
            last_worker: 2,
            passed_over: BTreeSet::new(),
        }
    }

    /// The workers to begin with, one a lane.
    pub(super) fn first_workers(&self) -> [(WorkerId, Lane); LANES.len()] {
        LANES.map(|lane| (self.on_duty[lane.number()], lane))
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
                Some(other) => Target {
                    heat: other.heat.of_another_mount(),
                    ..self.target(volume, now)
                },
                None => self.target(volume, now),
            };
            self.queues[target.lane.number()].insert((target.due, place));
            self.targets.push(target);
        }
    }

    fn target(&self, volume: Volume, now: Instant) -> Target {
        let hangs = |flight: &Flight| flight.stranded && flight.volume.device == volume.device;
        let doubtful = volume.may_hang() || self.flights.values().any(hangs);
        let lane = if doubtful { Lane::Doubtful } else { Lane::Trusted };
        Target::new(volume, lane, now, self.period)
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
            if self.in_flight(target.volume.device) {
                self.passed_over.insert(target.volume.device);
                continue;
            }
            if target.hung && retries >= RETRIES {
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

    /// Takes the outcome of a worker's call.
    pub(super) fn finish(
        &mut self,
        worker: WorkerId,
        outcome: Result<Measurement, Failure>,
        now: Instant,
    ) -> Option<Finished> {
        let flight = self.flights.remove(&worker)?;
        let prompt = now.saturating_duration_since(flight.started) <= HAND_OVER;
        let wanted = self.passed_over.remove(&flight.volume.device);
        let (aligned, soon) = (self.next_sweep(now, 1), self.next_sweep(now, HOT_RATE));
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
            target.heat.take(measurement.at, &measurement.usage);
            target.last = Some(measurement);
            target.measured = flight.started;
        }
        let trusted = prompt && !target.volume.may_hang();
        let (lane, due) = match target.lane {
            lane if !trusted => (lane, due),
            _ if target.is_hot() => (Lane::Hot, soon),
            _ => (Lane::Trusted, due),
        };
        let wake = wanted || lane != target.lane;
        self.queue(place, lane, due);
        Some(Finished { gap, wake })
    }

    /// What is known of each volume, by name; volumes that are being measured for the first time are left out.
    pub(super) fn observe(&self, now: Instant) -> Vec<Observation> {
        let limit = self.period + self.deadline;
        let observe = |target: &Target| {
            let late = now.saturating_duration_since(target.measured) > limit;
            let failure = target.failure.or_else(|| late.then_some(Failure::Late));
            Observation {
                volume: Arc::clone(&target.volume),
                last: target.last,
                failure,
                hot: failure.is_none() && target.lane == Lane::Hot,
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
        LANES
            .into_iter()
            .find(|lane| self.on_duty[lane.number()] == worker)
    }

    fn in_flight(&self, device: Device) -> bool {
        self.flights.values().any(|flight| flight.volume.device == device)
    }

    /// The next of the moments at which volumes are measured that are so many `times` within a period.
    fn next_sweep(&self, now: Instant, times: u32) -> Instant {
        let period = (self.period / times).as_nanos().max(1);
        let since = now.saturating_duration_since(self.epoch).as_nanos();
        let ahead = period - since % period;
        now + Duration::from_nanos(u64::try_from(ahead).unwrap_or(u64::MAX))
    }
}

impl Lane {
    fn number(self) -> usize {
        match self {
            Self::Trusted => 0,
            Self::Hot => 1,
            Self::Doubtful => 2,
        }
    }
}

mod overdue;
mod places;
mod target;

use target::Target;

#[cfg(test)]
mod tests;
