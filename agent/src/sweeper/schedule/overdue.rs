//! Calls that take too long: when a lane is handed over, and when a call is given up.

use std::time::Instant;

use super::{HAND_OVER, Lane, STRANDED, STRANDED_DOUBTFUL, Schedule, WorkerId};
use crate::mounts::Device;

/// What the watchdog is to do.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::sweeper) struct Overdue {
    /// Start these workers.
    pub(in crate::sweeper) start: Vec<(WorkerId, Lane)>,
    /// End the calls of these workers, if that can be done.
    pub(in crate::sweeper) abort: Vec<WorkerId>,
    /// Look again at this time, or when told.
    pub(in crate::sweeper) next: Option<Instant>,
}

impl Schedule {
    /// Hands over the lanes of workers that are too long in a call, and names the calls that are to be ended.
    pub(in crate::sweeper) fn overdue(&mut self, now: Instant) -> Overdue {
        let mut overdue = Overdue::default();
        let workers: Vec<WorkerId> = self.flights.keys().copied().collect();
        for worker in workers {
            let Some(flight) = self.flights.get(&worker) else {
                continue;
            };
            let (lane, device) = (flight.lane, flight.volume.device);
            if !flight.stranded && self.may_strand(lane) {
                let late = flight.started + HAND_OVER;
                if late <= now {
                    self.last_worker += 1;
                    let successor = WorkerId(self.last_worker);
                    self.on_duty[lane.number()] = successor;
                    overdue.start.push((successor, lane));
                    self.strand(worker, device);
                } else {
                    overdue.look(late);
                }
            }
            if let Some(flight) = self
                .flights
                .get_mut(&worker)
                .filter(|f| f.lane == Lane::Doubtful && !f.aborted)
            {
                let late = flight.started + self.deadline;
                if late <= now {
                    flight.aborted = true;
                    overdue.abort.push(worker);
                } else {
                    overdue.look(late);
                }
            }
        }
        overdue
    }

    /// Number of calls that have been left behind.
    pub(in crate::sweeper) fn stranded(&self) -> usize {
        self.flights.values().filter(|f| f.stranded).count()
    }

    fn may_strand(&self, lane: Lane) -> bool {
        let doubtful = self
            .flights
            .values()
            .filter(|f| f.stranded && f.lane == Lane::Doubtful)
            .count();
        match lane {
            Lane::Trusted | Lane::Hot => self.stranded() < STRANDED,
            Lane::Doubtful => doubtful < STRANDED_DOUBTFUL && self.stranded() < STRANDED,
        }
    }

    /// The worker keeps its call; all volumes of the device are doubtful from now on.
    fn strand(&mut self, worker: WorkerId, device: Device) {
        if let Some(flight) = self.flights.get_mut(&worker) {
            flight.stranded = true;
        }
        for place in 0..self.targets.len() {
            if self.targets[place].volume.device == device {
                self.queue(place, Lane::Doubtful, self.targets[place].due);
            }
        }
    }
}

impl Overdue {
    fn look(&mut self, at: Instant) {
        self.next = Some(self.next.map_or(at, |next| next.min(at)));
    }
}
