//! The volumes of one node, as they would be measured: two of a hundred move by a step each second; a hot one
//! moves every second, and those beside it do not.

use rand::{Rng, rngs::SmallRng};

use super::super::fleet::{CAPACITY, Fleet, STEP};

/// Of so many volumes one moves each second.
const ONE_IN: u32 = 50;
/// A volume wanders between these parts of its capacity, in percent: it rises by steps, and falls at once, as a
/// database does that cleans up.
const LEAST: u64 = 30;
const MOST: u64 = 60;
/// Points of a volume's past that an agent replays: two for each stretch between two moves of the last ten minutes.
const POINTS: i64 = 24;
const SPAN_MS: i64 = 600_000;

/// A volume.
#[derive(Debug, Clone, Copy)]
pub(super) struct Volume {
    pub(super) number: u32,
    pub(super) used: u64,
}

/// The volumes of a node, by their index on the wire.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) volumes: Vec<Volume>,
    /// The first one is hot.
    hot: bool,
}

impl Node {
    pub(super) fn new(fleet: Fleet, index: u32, hot: bool, rng: &mut SmallRng) -> Self {
        let volume = |number| Volume {
            number,
            used: rng.random_range(LEAST * CAPACITY / 100..MOST * CAPACITY / 100),
        };
        Self {
            volumes: fleet.volumes_of(index).map(volume).collect(),
            hot,
        }
    }

    /// A second passes; answers the places of the volumes that moved.
    pub(super) fn second(&mut self, rng: &mut SmallRng) -> Vec<usize> {
        let mut moved = Vec::new();
        for (place, volume) in self.volumes.iter_mut().enumerate() {
            let moves = if self.hot {
                place == 0
            } else {
                rng.random_ratio(1, ONE_IN)
            };
            if !moves {
                continue;
            }
            volume.used += STEP;
            if volume.used > CAPACITY / 100 * MOST {
                volume.used = CAPACITY / 100 * LEAST;
            }
            moved.push(place);
        }
        moved
    }
}

impl Volume {
    /// Its past until now, oldest first: it rose by steps.
    pub(super) fn past(self, now_ms: i64) -> impl Iterator<Item = (i64, u64)> {
        (0..POINTS).map(move |n| {
            let steps = u64::try_from((POINTS - n) / 2).unwrap_or(0);
            let at = now_ms - SPAN_MS * (POINTS - n) / POINTS;
            (at, self.used.saturating_sub(steps * STEP))
        })
    }
}
