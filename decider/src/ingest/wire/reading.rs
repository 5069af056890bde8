//! The numbers of one volume: whole, or without those that are as they were sent before.

use decider_core::Raw;
use jiff::Timestamp;
use proto::usage::v1;

use super::{BadMessage, instant};

/// A measurement under its index. Its steady numbers are all there, or each is there or left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading<N = u64> {
    /// The volume.
    pub index: u32,
    /// Sent also if no measurement ever completed, and without meaning then: a later reading may leave them out.
    pub steady: Steady<N>,
    /// None if no measurement ever completed.
    pub moving: Option<Moving>,
    /// It cannot be measured now: the errno of a statfs that fails, 0 when it does not come back.
    pub stuck: Option<u32>,
}

/// The numbers that seldom change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Steady<N = u64> {
    /// See [`Raw::capacity`].
    pub capacity: N,
    /// See [`Raw::inodes_total`].
    pub inodes_total: N,
    /// See [`Raw::inodes_free`].
    pub inodes_free: N,
}

/// What is sent with every reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moving {
    /// See [`Raw::available`].
    pub available: u64,
    /// See [`Raw::used`].
    pub used: u64,
    /// See [`Raw::read_only`].
    pub read_only: bool,
    /// See [`Raw::sampled_at`].
    pub sampled_at: Timestamp,
}

impl Reading {
    /// The numbers, not yet believed; none if no measurement ever completed.
    #[must_use]
    pub fn raw(&self) -> Option<Raw> {
        let Steady {
            capacity,
            inodes_total,
            inodes_free,
        } = self.steady;
        let Moving {
            available,
            used,
            read_only,
            sampled_at,
        } = self.moving?;
        Some(Raw {
            capacity,
            available,
            used,
            inodes_total,
            inodes_free,
            read_only,
            sampled_at,
        })
    }
}

impl Reading<Option<u64>> {
    /// The same with all numbers.
    #[must_use]
    pub fn with(self, steady: Steady) -> Reading {
        let Self {
            index,
            steady: _,
            moving,
            stuck,
        } = self;
        Reading {
            index,
            steady,
            moving,
            stuck,
        }
    }
}

impl Steady<Option<u64>> {
    /// What is left out is as it was before.
    #[must_use]
    pub fn or(self, before: Steady) -> Steady {
        Steady {
            capacity: self.capacity.unwrap_or(before.capacity),
            inodes_total: self.inodes_total.unwrap_or(before.inodes_total),
            inodes_free: self.inodes_free.unwrap_or(before.inodes_free),
        }
    }
}

/// The reading of a volume, which leaves nothing out.
pub(super) fn read_whole(reading: v1::Reading, as_of_ms: i64) -> Result<Reading, BadMessage> {
    let reading = read(reading, as_of_ms)?;
    let index = reading.index;
    let there = |field, number: Option<u64>| number.ok_or(BadMessage::LeftOut { index, field });
    Ok(reading.with(Steady {
        capacity: there("capacity", reading.steady.capacity)?,
        inodes_total: there("inodes_total", reading.steady.inodes_total)?,
        inodes_free: there("inodes_free", reading.steady.inodes_free)?,
    }))
}

pub(super) fn read(reading: v1::Reading, as_of_ms: i64) -> Result<Reading<Option<u64>>, BadMessage> {
    let v1::Reading {
        index,
        capacity,
        available,
        used,
        inodes_total,
        inodes_free,
        read_only,
        stuck,
        age_ms,
        unknown,
        errno,
    } = reading;
    let moving = || {
        let sampled_at = instant("age_ms", as_of_ms.saturating_sub(age_ms))?;
        Ok(Moving {
            available,
            used,
            read_only,
            sampled_at,
        })
    };
    Ok(Reading {
        index,
        steady: Steady {
            capacity,
            inodes_total,
            inodes_free,
        },
        moving: (!unknown).then(moving).transpose()?,
        stuck: stuck.then_some(errno),
    })
}
