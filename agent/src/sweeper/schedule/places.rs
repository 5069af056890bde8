//! Where volumes are in the schedule, which is in the order of their names.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use super::{Flight, Lane, Schedule, Target};

impl Schedule {
    /// Makes the volume at `place` due in a lane.
    pub(super) fn queue(&mut self, place: usize, lane: Lane, due: Instant) {
        if let Some(target) = self.targets.get_mut(place) {
            self.queues[target.lane.number()].remove(&(target.due, place));
            (target.lane, target.due) = (lane, due);
            self.queues[lane.number()].insert((due, place));
        }
    }

    /// Where the very volume of a call is now, if it is still there.
    pub(super) fn place_of(&self, flight: &Flight) -> Option<usize> {
        let is_it = |target: &Target| Arc::ptr_eq(&target.volume, &flight.volume);
        if self.targets.get(flight.place).is_some_and(is_it) {
            return Some(flight.place);
        }
        self.targets.iter().position(is_it)
    }

    /// Whether the volume of this name hung when last tried.
    pub(super) fn is_hung(&self, flight: &Flight) -> bool {
        self.place_named(&flight.volume.pv)
            .is_some_and(|place| self.targets[place].hung)
    }

    /// Sets the values of `used` of some volumes whose crossing a decider waits for, by name.
    pub(in crate::sweeper) fn set_levels(&mut self, levels: BTreeMap<String, Vec<u64>>) {
        for (pv, levels) in levels {
            if let Some(place) = self.place_named(&pv) {
                self.targets[place].heat.set_levels(levels);
            }
        }
    }

    fn place_named(&self, pv: &str) -> Option<usize> {
        self.targets
            .binary_search_by(|target| target.volume.pv.as_str().cmp(pv))
            .ok()
    }
}
