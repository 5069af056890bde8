//! The latest state of all volumes of the node, where the sweeper writes it and every stream reads it.
//!
//! A stream takes what it needs when it can send, so nothing queues here and a slow reader costs nothing.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use tokio::sync::watch;

use crate::{
    history::History,
    sweeper::{Failure, Observation},
};

/// The latest state; shared by reference.
#[derive(Debug)]
pub struct Board {
    latest: Mutex<Latest>,
    /// Levels that deciders have told of and the sweeper does not know yet.
    levels: Mutex<BTreeMap<String, Vec<u64>>>,
    ticks: watch::Sender<u64>,
}

/// The state of all volumes at one tick.
#[derive(Debug, Default)]
pub struct Latest {
    /// Start of the oldest completed measurement among the volumes that are not stuck; the time of the tick if
    /// there are none. Nobody has to wonder about anything that is older.
    pub as_of: Timestamp,
    /// All volumes, by name.
    pub volumes: Vec<Observation>,
    /// The number of the tick; grows with each.
    pub tick: u64,
    /// The past of the volumes.
    pub history: BTreeMap<String, History>,
}

impl Default for Board {
    fn default() -> Self {
        Self {
            latest: Mutex::default(),
            levels: Mutex::default(),
            ticks: watch::Sender::new(0),
        }
    }
}

impl Board {
    /// Puts up what was observed at `now`; `volumes` are ordered by name.
    pub fn put(&self, volumes: Vec<Observation>, now: Timestamp) {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        latest.put(volumes, now);
        drop(latest);
        self.ticks.send_modify(|ticks| *ticks += 1);
    }

    /// Looks at the state for a moment.
    pub fn read<R>(&self, look: impl FnOnce(&Latest) -> R) -> R {
        look(&self.latest.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns once a volume is hot.
    pub async fn until_hot(&self) {
        let mut ticks = self.ticks();
        // It ends otherwise only with the sender, which is this board's own.
        drop(ticks.wait_for(|_| self.read(Latest::hot) > 0).await);
    }

    /// Notes values of `used` of some volumes, by name, whose crossing a decider waits for.
    pub fn note_levels(&self, levels: BTreeMap<String, Vec<u64>>) {
        self.levels().extend(levels);
    }

    /// Takes the levels that were noted since the last time.
    pub fn take_levels(&self) -> BTreeMap<String, Vec<u64>> {
        std::mem::take(&mut self.levels())
    }

    fn levels(&self) -> MutexGuard<'_, BTreeMap<String, Vec<u64>>> {
        self.levels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells of each tick; 0 until there was one.
    #[must_use]
    pub fn ticks(&self) -> watch::Receiver<u64> {
        self.ticks.subscribe()
    }
}

impl Latest {
    fn put(&mut self, volumes: Vec<Observation>, now: Timestamp) {
        // Another pod may have it now: the filesystem and its past are the same.
        if !same(&self.volumes, &volumes) {
            let mut past = std::mem::take(&mut self.history);
            let kept = volumes.iter().map(|seen| {
                let name = &seen.volume.pv;
                (name.clone(), past.remove(name).unwrap_or_default())
            });
            self.history = kept.collect();
        }
        for (seen, history) in volumes.iter().zip(self.history.values_mut()) {
            if let Some(last) = &seen.last {
                history.push(last);
            }
        }
        let current = volumes.iter().filter(|seen| seen.failure.is_none());
        self.as_of = current
            .filter_map(|seen| Some(seen.last?.at))
            .min()
            .unwrap_or(now);
        self.volumes = volumes;
        self.tick += 1;
    }

    /// The number of volumes without current numbers.
    #[must_use]
    pub fn stuck(&self) -> usize {
        self.volumes.iter().filter(|seen| seen.failure.is_some()).count()
    }

    /// The number of volumes that are measured more often than the others.
    #[must_use]
    pub fn hot(&self) -> usize {
        self.volumes.iter().filter(|seen| seen.hot).count()
    }

    /// The volumes without current numbers, with the cause.
    pub fn failures(&self) -> impl Iterator<Item = (&Observation, Failure)> {
        self.volumes.iter().filter_map(|seen| Some((seen, seen.failure?)))
    }
}

/// Whether both are of the very same volumes; names are not compared, which would be slower.
fn same(some: &[Observation], others: &[Observation]) -> bool {
    let mut pairs = some.iter().zip(others);
    some.len() == others.len() && pairs.all(|(one, other)| Arc::ptr_eq(&one.volume, &other.volume))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::Board;
    use crate::{
        sweeper::Failure,
        testing::{observed, seconds, stuck},
    };

    #[test]
    fn as_of_is_the_oldest_start_among_those_not_stuck() {
        let board = Board::default();
        assert_eq!(*board.ticks().borrow(), 0);
        let volumes = vec![
            observed("a", 5, 10),
            observed("b", 3, 10),
            stuck(observed("c", 1, 10), Failure::Late),
        ];
        board.put(volumes, seconds(6));
        assert_eq!(board.read(|latest| latest.as_of), seconds(3));
        assert_eq!(board.read(super::Latest::stuck), 1);
        assert_eq!(*board.ticks().borrow(), 1);
    }

    #[test]
    fn without_volumes_as_of_is_the_tick() {
        let board = Board::default();
        assert_eq!(board.read(|latest| latest.as_of), Timestamp::UNIX_EPOCH);
        board.put(vec![stuck(observed("c", 1, 10), Failure::Late)], seconds(9));
        assert_eq!(board.read(|latest| latest.as_of), seconds(9));
    }

    #[test]
    fn the_past_goes_with_the_volume() {
        let board = Board::default();
        board.put(vec![observed("a", 0, 1), observed("b", 0, 1)], seconds(0));
        board.put(vec![observed("a", 5, 2)], seconds(5));
        assert_eq!(board.read(|latest| latest.history.len()), 1);
        assert_eq!(board.read(|latest| latest.history["a"].points().len()), 2);
    }
}
