//! The recent past of one volume, bounded and thinned. Lives in memory only; agents replay it after a restart.
//!
//! Kept as changes, not as ticks: a volume that does not move costs one point. The rate trigger will read it;
//! nothing decides on it yet.

use std::{collections::VecDeque, time::Duration};

use jiff::Timestamp;
use units::Bytes;

use crate::sample::elapsed;

/// No point is older than this, matching what agents replay.
const SPAN: Duration = Duration::from_secs(600);
/// Two points are at least this far apart, the newest excepted: with [`SPAN`] it bounds their number to 121.
const SPACING: Duration = Duration::from_secs(5);

/// Used space at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// When it was measured.
    pub at: Timestamp,
    /// Bytes in use.
    pub used: Bytes,
    /// Capacity of the filesystem, so that a growth is told from a deletion.
    pub capacity: Bytes,
}

/// Points in the order of time, oldest first.
#[derive(Debug, Clone, Default)]
pub struct Window {
    points: VecDeque<Point>,
}

impl Window {
    /// Adds a point. One that is not newer than the newest is dropped: the past is set by [`Window::replay`] only.
    pub fn push(&mut self, point: Point) {
        if self.points.back().is_some_and(|last| last.at >= point.at) {
            return;
        }
        let mut newest = self.points.iter().rev();
        let crowded = match (newest.next(), newest.next()) {
            (Some(last), Some(before)) => elapsed(before.at, last.at) < SPACING,
            _ => false,
        };
        if crowded {
            self.points.pop_back();
        }
        self.points.push_back(point);
        while self
            .points
            .front()
            .is_some_and(|first| elapsed(first.at, point.at) > SPAN)
        {
            self.points.pop_front();
        }
    }

    /// Puts an agent's past before what is known; points inside the known time are dropped.
    pub fn replay(&mut self, past: impl IntoIterator<Item = Point>) {
        let known = std::mem::take(&mut self.points);
        let begins = known.front().map(|p| p.at);
        for point in past.into_iter().filter(|p| begins.is_none_or(|t| p.at < t)) {
            self.push(point);
        }
        for point in known {
            self.push(point);
        }
    }

    /// Points held, oldest first.
    pub fn points(&self) -> impl Iterator<Item = &Point> {
        self.points.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(second: i64) -> Point {
        let at = Timestamp::from_second(1_000_000 + second).expect("in range");
        Point {
            at,
            used: Bytes::new(1),
            capacity: Bytes::new(2),
        }
    }

    fn seconds(window: &Window) -> Vec<i64> {
        window.points().map(|p| p.at.as_second() - 1_000_000).collect()
    }

    #[test]
    fn a_thousand_seconds_of_ticks_are_thinned_and_bounded() {
        let mut window = Window::default();
        (0..1_000).for_each(|s| window.push(point(s)));
        let kept = seconds(&window);
        assert!(kept.len() <= 122, "{} points", kept.len());
        assert_eq!(kept.last(), Some(&999), "the newest is always kept");
        assert!(kept[0] >= 399, "nothing older than the span: {}", kept[0]);
    }

    #[test]
    fn an_old_point_never_replaces_a_newer_one() {
        let mut window = Window::default();
        window.push(point(10));
        window.push(point(3));
        assert_eq!(seconds(&window), [10]);
    }

    #[test]
    fn a_replay_fills_in_the_past_only() {
        let mut window = Window::default();
        window.push(point(100));
        window.push(point(110));
        window.replay([point(80), point(90), point(105)]);
        assert_eq!(seconds(&window), [80, 90, 100, 110]);
    }
}
