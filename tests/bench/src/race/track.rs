//! What all runs share: the cluster, and how much of it may be taken at once.

use anyhow::Context as _;
use e2e::World;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::{MIB, filler::rounded};

/// Databases that are made at once; more of them wait for each other anyhow, and longer than a test has patience.
const DOOR: usize = 6;
/// So many times as much is filled where expansions are made longer: they wait for that, and not for a processor.
const SLOW: u32 = 5;
/// How far the achieved rate may be from the one asked for.
const PACE: f64 = 0.05;

/// The cluster, and room in it.
pub(super) struct Track {
    pub(super) world: World,
    /// Databases that may be made now.
    door: Semaphore,
    /// MiB a second that may be filled now, by kind.
    lanes: [(Kind, u32, Semaphore); 3],
}

impl Track {
    /// A track on which no more than `width` MiB are filled a second, all volumes together, where expansions are quick, and more
    /// where they mostly wait.
    pub(super) fn new(world: World, width: u32) -> Self {
        Self {
            world,
            door: Semaphore::new(DOOR),
            lanes: [
                (Kind::Quick, width),
                (Kind::Slow, width.saturating_mul(SLOW)),
                (Kind::Recorded, width),
            ]
            .map(|(kind, width)| (kind, width, Semaphore::new(width as usize))),
        }
    }

    /// Waits until one more database may be made.
    ///
    /// # Errors
    /// Never: the door is not closed.
    pub(super) async fn through_the_door(&self) -> anyhow::Result<SemaphorePermit<'_>> {
        Ok(self.door.acquire().await?)
    }

    /// Waits until a volume may be filled at this rate, MiB a second. Who comes first is served first.
    ///
    /// # Errors
    /// Never: the lanes are not closed.
    pub(super) async fn lane(&self, kind: Kind, rate: u64) -> anyhow::Result<SemaphorePermit<'_>> {
        let lane = self.lanes.iter().find(|(known, ..)| *known == kind);
        let (_, width, lanes) = lane.context("each kind has its lanes")?;
        Ok(lanes.acquire_many(u32::try_from(rate)?.min(*width)).await?)
    }
}

/// What a volume is filled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A search, with expansions as quick as they are.
    Quick,
    /// A search, with expansions that are made longer.
    Slow,
    /// A fill that is recorded.
    Recorded,
}

/// Whether a fill was made at the rate that was asked for, MiB a second.
pub(super) fn is_paced(achieved: f64, rate: u64) -> bool {
    (achieved / rounded(MIB) / rounded(rate) - 1.0).abs() <= PACE
}
