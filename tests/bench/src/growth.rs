//! One growth by Highwater: crossing, request, usable space.

use std::time::{Duration, Instant};

use anyhow::Context;
use e2e::{Database, World, objects::kinds, wait::PATIENCE};
use futures::{StreamExt, pin_mut};
use kube::{
    api::{ListParams, WatchParams},
    core::WatchEvent,
};

/// The stages of one growth, from the crossing.
pub struct Growth {
    /// Until the API server told a watch of the new request.
    pub to_request: Duration,
    /// Until statfs shows a larger filesystem.
    pub to_usable: Duration,
}

/// Fills the volume past its threshold and times what follows.
///
/// # Errors
/// When no growth comes within the patience of a test.
pub async fn measure(world: &World, db: &Database) -> anyhow::Result<Growth> {
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
    let crossing = volume.until("above 80 %", |space| space.percent() > 80.0);
    let filling = {
        let volume = volume.clone();
        tokio::task::spawn_blocking(move || volume.fill_to(81.0))
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
        to_usable: grown.saturating_duration_since(crossed),
    })
}
