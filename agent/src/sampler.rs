//! What one stream has to be told: the difference between the latest state and what it was told before.
//!
//! Pure: the state and the time are arguments. A [`Sampler`] belongs to one stream. It is asked when the stream
//! can take a message, so whatever happened in between has merged into one change for each volume.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;

use crate::{
    board::Latest,
    history::Point,
    report::{BYTES_A_MESSAGE, Named, POINT_BYTES, Reading, Report, parts},
    sweeper::Observation,
    volumes::Volume,
};

mod changes;
mod step;

/// The memory of one stream.
#[derive(Debug)]
pub struct Sampler {
    heartbeat: Duration,
    snapshot_every: Duration,
    sent: BTreeMap<String, Sent>,
    /// The next index; never used again within the stream.
    next_index: u32,
    /// Values of `used` whose crossing is told at once, by index.
    levels: BTreeMap<u32, Vec<u64>>,
    /// The rest of a snapshot and of the history.
    queue: VecDeque<Report>,
    snapshot_due: Option<Instant>,
    /// As of when the latest snapshot was.
    snapshot_as_of: Timestamp,
    last_report: Option<Instant>,
    /// The moment up to which the stream has been told of everything.
    covered: Timestamp,
    /// The tick all of which has been compared with what was sent: comparing it again would find nothing.
    compared: Option<u64>,
    /// Where to go on when one message could not hold all changes.
    resume: Option<String>,
}

#[derive(Debug)]
struct Sent {
    volume: Arc<Volume>,
    reading: Reading,
}

impl Sampler {
    /// For a new stream, which is sent a heartbeat whenever nothing else went out for `heartbeat`, and everything
    /// again after `snapshot_every`.
    #[must_use]
    pub fn new(heartbeat: Duration, snapshot_every: Duration) -> Self {
        Self {
            heartbeat,
            snapshot_every,
            sent: BTreeMap::new(),
            next_index: 0,
            levels: BTreeMap::new(),
            queue: VecDeque::new(),
            snapshot_due: None,
            snapshot_as_of: Timestamp::UNIX_EPOCH,
            last_report: None,
            covered: Timestamp::UNIX_EPOCH,
            compared: None,
            resume: None,
        }
    }

    /// The next message, if there is anything to say at `now`.
    pub fn tick(&mut self, latest: &Latest, now: Instant) -> Option<Report> {
        if self.queue.is_empty() && self.snapshot_due.is_none_or(|due| due <= now) {
            self.snapshot(latest, now);
        }
        let heartbeat = Report::Heartbeat {
            as_of: latest.as_of,
            snapshot: self.snapshot_as_of,
        };
        let is_due = |last: Instant| now.saturating_duration_since(last) >= self.heartbeat;
        // After a message that did not hold all, what it left is not vouched for before this is said.
        let due = self.resume.is_some() || self.last_report.is_none_or(is_due);
        let report = match self.queue.pop_front() {
            Some(report) => report,
            None => self.changes(latest).or_else(|| due.then_some(heartbeat))?,
        };
        if let Report::Heartbeat { as_of, .. } = report {
            self.covered = as_of;
        }
        self.last_report = Some(now);
        Some(report)
    }

    /// When a message is due even if nothing moves.
    #[must_use]
    pub fn heartbeat_due(&self, now: Instant) -> Instant {
        let heartbeat = self.last_report.map_or(now, |last| last + self.heartbeat);
        heartbeat.min(self.snapshot_due.unwrap_or(now))
    }

    /// Sets the levels of `used` of some volumes, and answers them by name; a volume that is not named keeps its own.
    pub fn set_levels(
        &mut self,
        levels: impl IntoIterator<Item = (u32, Vec<u64>)>,
    ) -> BTreeMap<String, Vec<u64>> {
        let new: BTreeMap<u32, Vec<u64>> = levels.into_iter().collect();
        let by_name = |sent: &Sent| Some((sent.volume.pv.clone(), new.get(&sent.reading.index)?.clone()));
        let named = self.sent.values().filter_map(by_name).collect();
        self.levels.extend(new);
        self.forget_levels();
        self.compared = None;
        named
    }

    /// Queues all volumes; the first time also their past.
    fn snapshot(&mut self, latest: &Latest, now: Instant) {
        let first_ever = self.snapshot_due.is_none();
        let mut known = std::mem::take(&mut self.sent);
        let mut all = Vec::with_capacity(latest.volumes.len());
        for seen in &latest.volumes {
            let index = match known.remove(&seen.volume.pv) {
                Some(sent) if sent.volume.has_names_of(&seen.volume) => sent.reading.index,
                _ => self.new_index(),
            };
            all.push(self.name(seen, index));
        }
        self.forget_levels();
        let mut parts = parts(all).into_iter().peekable();
        let mut first = true;
        while let Some(volumes) = parts.next() {
            let last = parts.peek().is_none();
            self.queue.push_back(Report::Snapshot {
                as_of: latest.as_of,
                volumes,
                first,
                last,
            });
            first = false;
        }
        if first_ever {
            self.history(latest);
        }
        self.covered = latest.as_of;
        self.resume = None;
        self.snapshot_as_of = latest.as_of;
        self.snapshot_due = Some(now + self.snapshot_every);
    }

    fn history(&mut self, latest: &Latest) {
        let mut message = Vec::new();
        let mut size = 0;
        for (pv, sent) in &self.sent {
            let Some(past) = latest.history.get(pv) else {
                continue;
            };
            let points: Vec<Point> = past
                .points()
                .filter(|point| Some(point.at) != sent.reading.at)
                .collect();
            if points.is_empty() {
                continue;
            }
            if !message.is_empty() && size + points.len() * POINT_BYTES > BYTES_A_MESSAGE {
                self.queue
                    .push_back(Report::History(std::mem::take(&mut message)));
                size = 0;
            }
            size += points.len() * POINT_BYTES;
            message.push((sent.reading.index, points));
        }
        if !message.is_empty() {
            self.queue.push_back(Report::History(message));
        }
    }

    /// Takes a volume's present numbers as sent.
    fn name(&mut self, seen: &Observation, index: u32) -> Named {
        let at = seen.last.map(|last| last.at);
        let reading = Reading {
            index,
            at,
            usage: step::usage(seen),
            failure: seen.failure,
        };
        let volume = Arc::clone(&seen.volume);
        self.sent.insert(
            volume.pv.clone(),
            Sent {
                volume: Arc::clone(&volume),
                reading,
            },
        );
        Named { volume, reading }
    }

    fn new_index(&mut self) -> u32 {
        let index = self.next_index;
        // Four thousand million mounts within one stream are not to be expected.
        self.next_index = self.next_index.saturating_add(1);
        index
    }

    fn forget_levels(&mut self) {
        if !self.levels.is_empty() {
            let live: BTreeSet<u32> = self.sent.values().map(|sent| sent.reading.index).collect();
            self.levels.retain(|index, _| live.contains(index));
        }
    }
}

#[cfg(test)]
mod tests;
