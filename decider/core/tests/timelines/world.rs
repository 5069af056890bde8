//! A volume, the agent that measures it each second and tells what moved, the decider that hears of it, and storage
//! that grows as long after a decision as the profile says.

use std::time::Duration;

use decider_core::{
    Claim, Database, Decision, Modified, OpenRequest, PastGrowth, Point, Policy, PolicySpec, Profile, Rate,
    Raw, Resize, Sample, Seen, Trend, Usage, Volume, Window, decide,
};
use jiff::{SignedDuration, Timestamp};
use units::Bytes;

use crate::timeline::{Timeline, What};

/// Older measurements are not acted upon.
const STALE_AFTER: Duration = Duration::from_secs(10);
/// What an agent replays, and how far apart its points are.
const REPLAY: (i64, i64) = (600, 5);
/// Seconds that a rate is of.
const TEN: i64 = 10;

/// How fast a volume fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slope {
    /// As the decider has it: that of the peaks.
    OfPeaks,
    /// That of what is used, without any memory of what was: each tooth is a fill.
    OfUse,
}

pub(crate) struct World<'a> {
    timeline: &'a Timeline,
    slope: Slope,
    capacity: u64,
    used: u64,
    read_only: bool,
    silent: bool,
    stuck: bool,
    /// What the decider was last told, and until when it held.
    told: Option<(Sample, Timestamp)>,
    window: Window,
    /// What the agent keeps.
    past: Vec<Point>,
    /// A growth under way: when it is there, and its size.
    growing: Option<(i64, u64)>,
    growths: Vec<PastGrowth>,
    /// When the volume was first full.
    pub(crate) full: Option<i64>,
}

impl<'a> World<'a> {
    pub(crate) fn new(timeline: &'a Timeline, slope: Slope) -> Self {
        let grown = timeline.grown.iter().map(|(hours, from)| PastGrowth {
            at: at(-hours * 3_600),
            from: Bytes::new(*from),
            to: Bytes::new(timeline.volume),
        });
        Self {
            timeline,
            slope,
            capacity: timeline.volume,
            used: 0,
            read_only: false,
            silent: false,
            stuck: false,
            told: None,
            window: Window::default(),
            past: Vec::new(),
            growing: None,
            growths: grown.collect(),
            full: None,
        }
    }

    pub(crate) fn step(&mut self, second: i64) {
        if let Some((_, to)) = self.growing.filter(|(due, _)| *due <= second) {
            (self.capacity, self.growing) = (to, None);
        }
        let now: Vec<What> = self
            .timeline
            .data
            .iter()
            .filter(|(at, _)| *at == second)
            .map(|d| d.1)
            .collect();
        for what in now {
            match what {
                What::Used(_) => (self.silent, self.stuck) = (false, false),
                What::Silent => self.silent = true,
                What::Stuck => (self.silent, self.stuck) = (true, true),
                What::Restart { replay } => self.restart(replay),
                What::ReadOnly(is) => self.read_only = is,
                What::Capacity(to) => self.capacity = to,
                What::End => {}
            }
        }
        self.used = self.used_at(second).min(self.capacity);
        if self.used == self.capacity {
            self.full.get_or_insert(second);
        }
        if !self.silent {
            self.measure(second);
        }
    }

    /// The last number, or the line to the next one.
    fn used_at(&self, second: i64) -> u64 {
        let numbers = self.timeline.data.iter().filter_map(|(at, what)| match what {
            What::Used(used) => Some((*at, *used)),
            _ => None,
        });
        let before = numbers.clone().rfind(|(at, _)| *at <= second);
        let next = numbers.clone().find(|(at, _)| *at > second);
        match (before, next) {
            (Some((from, a)), Some((to, b))) if self.timeline.joined => {
                let (part, whole) = (i128::from(second - from), i128::from(to - from));
                let used = i128::from(a) + (i128::from(b) - i128::from(a)) * part / whole;
                u64::try_from(used).expect("not negative")
            }
            (Some((_, used)), _) => used,
            (None, _) => 0,
        }
    }

    /// As the agent does it: told when it moved by a thousandth or 16 MiB, and vouched for otherwise.
    fn measure(&mut self, second: i64) {
        let raw = Raw {
            capacity: self.capacity,
            available: self.capacity - self.used,
            used: self.used,
            inodes_total: 0,
            inodes_free: 0,
            read_only: self.read_only,
            sampled_at: at(second),
        };
        let sample = Sample::check(raw, at(second)).expect("believable");
        let point = Point {
            at: at(second),
            used: Bytes::new(self.used),
            capacity: Bytes::new(self.capacity),
        };
        match self.past.last_mut() {
            Some(last) if last.at.as_second() / REPLAY.1 == second_of(point) / REPLAY.1 => {
                if point.used > last.used {
                    *last = point;
                }
            }
            _ => self.past.push(point),
        }
        self.past.retain(|p| second_of(*p) >= second_of(point) - REPLAY.0);
        let step = (self.capacity / 1_000).min(16 << 20);
        let moved = |told: Sample| {
            told.usage.used.get().abs_diff(self.used) >= step
                || told.usage.capacity != sample.usage.capacity
                || told.read_only != sample.read_only
        };
        match &mut self.told {
            Some((told, held)) if !moved(*told) => *held = at(second),
            told => {
                if let Some((_, held)) = told {
                    self.window.hold(*held);
                }
                self.window.push(point);
                *told = Some((sample, at(second)));
            }
        }
    }

    /// Another decider: it knows what the agent says first, and then its past.
    fn restart(&mut self, replay: bool) {
        (self.window, self.told) = (Window::default(), None);
        if replay {
            self.window.replay(self.past.iter().copied());
        }
    }

    pub(crate) fn decide(&self, second: i64) -> Decision {
        let Timeline {
            threshold,
            upper,
            time_to_full,
            expansion,
            budget,
            ..
        } = self.timeline;
        let spec = PolicySpec {
            trigger: Some("On".into()),
            usage_threshold: *threshold,
            upper_bound: upper.clone(),
            time_to_full: time_to_full.clone(),
            ..PolicySpec::default()
        };
        let defaults = Profile::default();
        let profile = Profile {
            modifications: *budget,
            duration: expansion.map_or(defaults.duration, Duration::from_secs),
            ..defaults
        };
        decide(
            &self.database(second),
            &Policy::read(&spec, STALE_AFTER),
            &profile,
            at(second),
        )
    }

    fn database(&self, second: i64) -> Database {
        let size = Bytes::new(self.capacity);
        let usage = match self.told {
            None => Usage::Never,
            Some((sample, as_of)) => Usage::Seen(Seen {
                sample,
                as_of,
                trend: self.trend(as_of, second),
                node: "node-1".into(),
                fixed_inodes: false,
                network: false,
                shared: false,
                stuck: self.stuck.then_some(0),
            }),
        };
        let spent = self.timeline.spent.iter().map(|minutes| at(-minutes * 60));
        let volume = Volume {
            claim: Claim {
                name: "data-pg-0".into(),
                request: size,
                capacity: size,
                device: size,
                charged: size,
                mounted: true,
                class: "standard".into(),
                expandable: true,
                other_controller: None,
            },
            usage,
            resize: Resize::Settled,
            before_growth: None,
        };
        Database {
            open_request: self.growing.map(|_| OpenRequest {
                name: "pgops-pg-abcdef".into(),
                waits_since: None,
            }),
            growths: self.growths.clone(),
            modified: Modified {
                at: self.growths.iter().map(|g| g.at).chain(spent).collect(),
                unknown_before: None,
            },
            ..Database::of("demo/pg", vec![volume])
        }
    }

    fn trend(&self, as_of: Timestamp, second: i64) -> Trend {
        let trend = self.window.trend(as_of);
        if self.slope == Slope::OfPeaks || second < TEN {
            return trend;
        }
        let rise = self.used_at(second).saturating_sub(self.used_at(second - TEN));
        let rate = Rate::of(Bytes::new(rise), Duration::from_secs(10));
        Trend { rate, ..trend }
    }

    pub(crate) fn grow(&mut self, second: i64, from: Bytes, to: Bytes) {
        let takes = self.timeline.expansion.unwrap_or(60);
        let due = second + i64::try_from(takes).expect("small");
        self.growing = Some((due, to.get()));
        self.growths.push(PastGrowth {
            at: at(second),
            from,
            to,
        });
    }
}

fn second_of(point: Point) -> i64 {
    point.at.as_second()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000).expect("in range") + SignedDuration::from_secs(second)
}
