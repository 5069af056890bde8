//! What moved since the stream was told.

use std::sync::Arc;

use super::{Sampler, Sent, step};
use crate::{
    board::Latest,
    report::{BYTES_A_MESSAGE, INDEX_BYTES, Moved, READING_BYTES, Reading, Report, bytes},
    sweeper::Observation,
};

/// The most that are told to be gone at once.
const GONE_A_MESSAGE: usize = BYTES_A_MESSAGE / INDEX_BYTES;

impl Sampler {
    /// What moved, as far as one message holds it; goes on with the rest the next time, so that volumes late in
    /// the order get their turn also when those before them keep moving.
    pub(super) fn changes(&mut self, latest: &Latest) -> Option<Report> {
        if self.compared == Some(latest.tick) || (self.resume.is_none() && self.is_as_sent(latest)) {
            return None;
        }
        let mut readings = Vec::new();
        let mut added = Vec::new();
        let mut gone = self.take_gone(latest);
        let start = self.resume.take().map_or(0, |name| {
            latest.volumes.partition_point(|seen| seen.volume.pv < name)
        });
        let (before, from_start) = latest.volumes.split_at(start);
        let mut size = gone.len() * INDEX_BYTES;
        for seen in from_start.iter().chain(before) {
            // The next one takes no more than all of it would.
            if size > 0 && size + bytes(&seen.volume) > BYTES_A_MESSAGE {
                self.resume = Some(seen.volume.pv.clone());
                break;
            }
            match self.sent.get(&seen.volume.pv) {
                Some(sent) if sent.volume.has_names_of(&seen.volume) => {
                    let Reading { index, usage, .. } = sent.reading;
                    if step::has_moved(&sent.reading, seen, self.levels_of(index)) {
                        let (before, reading) = (usage, self.name(seen, index).reading);
                        readings.push(Moved { reading, before });
                        size += READING_BYTES;
                    }
                }
                other => {
                    gone.extend(other.map(|sent| sent.reading.index));
                    let index = self.new_index();
                    added.push(self.name(seen, index));
                    size += bytes(&seen.volume);
                }
            }
        }
        if gone.len() >= GONE_A_MESSAGE {
            // There may be more of them, and nobody else to stop at.
            self.resume.get_or_insert_default();
        }
        self.compared = self.resume.is_none().then_some(latest.tick);
        if readings.is_empty() && added.is_empty() && gone.is_empty() {
            return None;
        }
        self.forget_levels();
        // With changes still to be told, nothing newer is known of those volumes.
        if self.resume.is_none() {
            self.covered = latest.as_of;
        }
        Some(Report::Changes {
            as_of: self.covered,
            readings,
            added,
            gone,
        })
    }

    /// Whether nothing at all is to be told, for the many ticks when that is so: looks no name up.
    fn is_as_sent(&self, latest: &Latest) -> bool {
        let is_as_sent = |(sent, seen): (&Sent, &Observation)| {
            Arc::ptr_eq(&sent.volume, &seen.volume)
                && !step::has_moved(&sent.reading, seen, self.levels_of(sent.reading.index))
        };
        self.sent.len() == latest.volumes.len() && self.sent.values().zip(&latest.volumes).all(is_as_sent)
    }

    fn levels_of(&self, index: u32) -> &[u64] {
        self.levels.get(&index).map_or(&[], Vec::as_slice)
    }

    /// Indices that name nothing any more, as many as one message holds.
    fn take_gone(&mut self, latest: &Latest) -> Vec<u32> {
        let mut there = latest.volumes.iter().map(|seen| &seen.volume.pv).peekable();
        let mut gone = Vec::new();
        // Both are in the order of the names.
        self.sent.retain(|pv, sent| {
            while there.next_if(|name| *name < pv).is_some() {}
            let keep = there.next_if_eq(&pv).is_some() || gone.len() >= GONE_A_MESSAGE;
            if !keep {
                gone.push(sent.reading.index);
            }
            keep
        });
        gone
    }
}
