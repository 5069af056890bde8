//! What all runs share: the cluster, and how much of it may be taken at once.

use anyhow::ensure;
use e2e::World;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::{MIB, filler::rounded};

/// Databases that are made at once; more of them wait for each other anyhow, and longer than a test has patience.
const DOOR: usize = 6;
/// How far the achieved rate may be from the one asked for.
const PACE: f64 = 0.05;

/// The cluster, and room in it.
pub(super) struct Track {
    pub(super) world: World,
    /// Databases that may be made now.
    door: Semaphore,
    /// MiB a second that may be filled now.
    lanes: Semaphore,
    /// All of them.
    width: u32,
}

impl Track {
    /// A track on which no more than `width` MiB are filled a second, all volumes together.
    pub(super) fn new(world: World, width: u32) -> Self {
        Self {
            world,
            door: Semaphore::new(DOOR),
            lanes: Semaphore::new(width as usize),
            width,
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
    pub(super) async fn lane(&self, rate: u64) -> anyhow::Result<SemaphorePermit<'_>> {
        let wanted = u32::try_from(rate)?.min(self.width);
        Ok(self.lanes.acquire_many(wanted).await?)
    }
}

/// Refuses a fill that was not made at the rate that was asked for, MiB a second.
///
/// # Errors
/// With both rates.
pub(super) fn paced(achieved: f64, rate: u64) -> anyhow::Result<()> {
    let achieved = achieved / rounded(MIB);
    let off = (achieved / rounded(rate) - 1.0).abs();
    ensure!(off <= PACE, "filled at {achieved:.1} MiB/s instead of {rate}");
    Ok(())
}
