//! The recent past of each volume, thinned, for a decider that has none.
//!
//! Pure and bounded: ten minutes, one point for each [`SLOT`], the fullest one, because the decider follows the
//! running maximum of `used`; and of a level stretch only its two ends.

use std::{collections::VecDeque, time::Duration};

use jiff::Timestamp;

use crate::{statfs::Usage, sweeper::Measurement};

/// Points older than this are dropped.
pub const SPAN: Duration = Duration::from_secs(600);

/// Two points are at least about this far apart.
pub const SLOT: Duration = Duration::from_secs(5);

/// A past measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// When it was made.
    pub at: Timestamp,
    /// Size of the filesystem in bytes.
    pub capacity: u64,
    /// Bytes that could still be written.
    pub available: u64,
    /// Bytes in use.
    pub used: u64,
}

/// The past of one volume, oldest first.
#[derive(Debug, Clone, Default)]
pub struct History {
    points: VecDeque<Point>,
}

impl History {
    /// Takes note of a measurement; one that is not newer than the last point is passed over.
    pub fn push(&mut self, measurement: &Measurement) {
        let Usage {
            capacity,
            available,
            used,
            ..
        } = measurement.usage;
        let point = Point {
            at: measurement.at,
            capacity,
            available,
            used,
        };
        match self.points.back_mut() {
            // A clock set back by more than the span would stop the recording for as long.
            Some(last) if point.at < last.at && point.at + SPAN < last.at => self.points.clear(),
            Some(last) if point.at <= last.at => return,
            Some(last) if slot(last.at) == slot(point.at) => {
                if point.used > last.used || point.capacity != last.capacity {
                    *last = point;
                    self.forget(point.at);
                }
                return;
            }
            _ => {}
        }
        if self.is_level_with(&point) {
            self.points.pop_back();
        }
        self.points.push_back(point);
        self.forget(point.at);
    }

    /// The points, oldest first; none is older than [`SPAN`] before the last.
    pub fn points(&self) -> impl ExactSizeIterator<Item = Point> + '_ {
        self.points.iter().copied()
    }

    /// Whether the last point lies within a level stretch that `next` continues.
    fn is_level_with(&self, next: &Point) -> bool {
        let numbers = |point: &Point| (point.capacity, point.available, point.used);
        let mut back = self.points.iter().rev();
        match (back.next(), back.next()) {
            (Some(last), Some(before)) => numbers(last) == numbers(next) && numbers(before) == numbers(next),
            _ => false,
        }
    }

    /// Of the points that are too old, the last is kept at the border if a level stretch crosses it.
    fn forget(&mut self, now: Timestamp) {
        while self.points.front().is_some_and(|first| first.at + SPAN < now) {
            let old = self.points.pop_front();
            let next = self.points.front();
            if let (Some(old), Some(next)) = (old, next)
                && next.at + SPAN >= now
                && (old.capacity, old.available, old.used) == (next.capacity, next.available, next.used)
                && let Ok(border) = now.checked_sub(SPAN)
                && border < next.at
            {
                self.points.push_front(Point { at: border, ..old });
            }
        }
    }
}

fn slot(at: Timestamp) -> i64 {
    at.as_second()
        .div_euclid(i64::try_from(SLOT.as_secs()).unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::{History, SLOT, SPAN};
    use crate::{statfs::Usage, sweeper::Measurement};

    fn at(seconds: i64, used: u64) -> Measurement {
        let usage = Usage {
            capacity: 100,
            available: 100 - used,
            used,
            ..Usage::default()
        };
        Measurement {
            at: Timestamp::from_second(seconds).unwrap(),
            took: Duration::ZERO,
            usage,
        }
    }

    fn history(measurements: &[(i64, u64)]) -> Vec<(i64, u64)> {
        let mut history = History::default();
        for &(seconds, used) in measurements {
            history.push(&at(seconds, used));
        }
        history
            .points()
            .map(|point| (point.at.as_second(), point.used))
            .collect()
    }

    #[test]
    fn the_fullest_of_each_slot_is_kept() {
        assert_eq!(
            history(&[(0, 5), (1, 9), (2, 7), (5, 8), (6, 8), (10, 1)]),
            [(1, 9), (5, 8), (10, 1)]
        );
    }

    #[test]
    fn a_level_stretch_keeps_its_ends() {
        assert_eq!(
            history(&[(0, 1), (5, 4), (10, 4), (15, 4), (20, 4), (25, 6)]),
            [(0, 1), (5, 4), (20, 4), (25, 6)]
        );
    }

    #[test]
    fn growth_shows_at_once() {
        let mut history = History::default();
        history.push(&at(0, 50));
        let mut grown = at(1, 50);
        grown.usage.capacity = 200;
        history.push(&grown);
        assert_eq!(history.points().last().unwrap().capacity, 200);
    }

    #[test]
    fn the_past_is_forgotten_but_not_that_it_was_level() {
        assert_eq!(
            history(&[(0, 1), (100, 2), (650, 3), (1000, 4)]),
            [(650, 3), (1000, 4)]
        );
        assert_eq!(history(&[(0, 7), (5, 7), (2000, 7)]), [(1400, 7), (2000, 7)]);
    }

    #[test]
    fn repeats_and_clocks_set_back() {
        assert_eq!(history(&[(100, 1), (100, 9), (95, 9)]), [(100, 1)]);
        assert_eq!(history(&[(10_000, 1), (100, 9), (105, 8)]), [(100, 9), (105, 8)]);
    }

    proptest! {
        #[test]
        fn bounded_and_in_order(steps in proptest::collection::vec((0_i64..40, 0_u64..4), 0..400)) {
            let mut history = History::default();
            let mut now = 0;
            for (step, used) in steps {
                now += step;
                history.push(&at(now, used));
            }
            let points: Vec<_> = history.points().collect();
            prop_assert!(points.len() as u64 <= SPAN.as_secs() / SLOT.as_secs() + 2);
            prop_assert!(points.windows(2).all(|pair| pair[0].at < pair[1].at));
            if let Some(last) = points.last() {
                prop_assert!(points.iter().all(|point| point.at + SPAN >= last.at));
            }
        }
    }
}
