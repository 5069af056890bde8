//! One growth by Highwater: crossing, request, usable space.

use std::time::{Duration, Instant};

use anyhow::Context;
use e2e::{Database, Volume, World, objects::kinds, pace::steadily, wait::PATIENCE};
use futures::{StreamExt, pin_mut};
use kube::{
    api::{ListParams, WatchParams},
    core::WatchEvent,
};

/// How a volume gets to its threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fill {
    /// In steps, so that it is seen to come.
    Rising,
    /// At once.
    Leap,
}

/// The stages of one growth.
pub struct Growth {
    /// From the crossing until the API server told a watch of the new request.
    pub to_request: Duration,
    /// From there until statfs shows a larger filesystem.
    pub to_usable: Duration,
}

/// As [`Database::autoscale`] sets it.
const THRESHOLD: u8 = 80;
/// A rising volume takes so many bytes a second ...
const RATE: u64 = 8 << 20;
/// ... this much at a time ...
const STEP: u64 = 512 << 10;
/// ... from so far below its threshold.
const APPROACH: u64 = 3 * RATE;

/// Fills the volume past its threshold and times what follows.
///
/// A rising one needs three seconds for it, so that it has been seen to rise.
///
/// # Errors
/// When no growth comes within the patience of a test.
pub async fn measure(world: &World, db: &Database, fill: Fill) -> anyhow::Result<Growth> {
    let volume = db.volume(world).await?;
    let before = volume.space()?.capacity;
    let api = db.objects.api(&kinds::REQUEST);
    let known = api.list(&ListParams::default()).await?;
    let since = known
        .metadata
        .resource_version
        .context("a list has a resourceVersion")?;
    let events = api.watch(&WatchParams::default().timeout(290), &since).await?;
    let request = async {
        pin_mut!(events);
        while let Some(event) = events.next().await {
            if let WatchEvent::Added(_) = event? {
                return Ok(Instant::now());
            }
        }
        anyhow::bail!("the watch ended before a request came")
    };
    // The poll runs from before the filling, so that the first reading above the threshold is the crossing.
    let crossing = volume.until("above the threshold", |space| {
        space.percent() > f64::from(THRESHOLD)
    });
    let filling = {
        let volume = volume.clone();
        tokio::task::spawn_blocking(move || past_the_threshold(&volume, fill))
    };
    let timed = tokio::time::timeout(PATIENCE, async {
        let (request, crossing, filled) = tokio::join!(request, crossing, filling);
        filled??;
        let ((_, crossed), requested) = (crossing?, request?);
        anyhow::Ok((crossed, requested))
    });
    let usable = volume.until_larger_than(before);
    let (timed, usable) = tokio::join!(timed, usable);
    let ((crossed, requested), (_, grown)) = (timed.context("no request came")??, usable?);
    db.settled(world).await?;
    Ok(Growth {
        to_request: requested.saturating_duration_since(crossed),
        to_usable: grown.saturating_duration_since(requested),
    })
}

fn past_the_threshold(volume: &Volume, fill: Fill) -> anyhow::Result<()> {
    if fill == Fill::Rising {
        let space = volume.space()?;
        let near = (space.capacity / 100 * u64::from(THRESHOLD)).saturating_sub(APPROACH);
        if let Some(more) = near.checked_sub(space.used) {
            volume.allocate(more)?;
        }
        for _ in steadily(RATE, STEP) {
            if volume.space()?.percent() > f64::from(THRESHOLD) {
                return Ok(());
            }
            volume.allocate(STEP)?;
        }
    }
    volume.fill_to(f64::from(THRESHOLD + 1)).map(drop)
}
