//! What the demo looks at: the filesystems on the node, and watches of three kinds of objects.

use std::time::Duration;

use anyhow::Context;
use e2e::{Objects, Volume, objects::Kind, volume::Space};
use futures::{StreamExt, pin_mut};
use kube::runtime::{WatchStreamExt, watcher};
use serde_json::Value;
use tokio::sync::mpsc::Sender;

use crate::{sizes::used_percent, story::Seen};

/// How often they are read. A filesystem sends no notice when it grows.
const PACE: Duration = Duration::from_millis(5);

/// Reads the members' filesystems and tells every change of the fullest, until nobody listens any more: the first to cross the
/// threshold, and the last to be grown. Blocks: for a thread of its own.
///
/// # Errors
/// When one cannot be read.
pub(crate) fn filesystems(volumes: &[Volume], tell: &Sender<Seen>) -> anyhow::Result<()> {
    let mut last = None;
    while !tell.is_closed() {
        let space = fullest(volumes)?;
        if last.replace(space) != Some(space) && tell.blocking_send(Seen::Space(space)).is_err() {
            break;
        }
        std::thread::sleep(PACE);
    }
    Ok(())
}

/// The filesystem with the least left.
///
/// # Errors
/// When one cannot be read, or there is none.
pub(crate) fn fullest(volumes: &[Volume]) -> anyhow::Result<Space> {
    let mut spaces = Vec::new();
    for volume in volumes {
        spaces.push(volume.space()?);
    }
    let fullest = spaces
        .into_iter()
        .max_by(|a, b| used_percent(*a).total_cmp(&used_percent(*b)));
    fullest.context("the database has no volume")
}

/// Watches the objects of a kind and tells every state of those that `wanted` names.
///
/// # Errors
/// When nobody listens any more.
pub(crate) async fn objects(
    objects: Objects,
    kind: Kind,
    wanted: impl Fn(&Value) -> bool,
    tell: Sender<Seen>,
    seen: fn(Value) -> Seen,
) -> anyhow::Result<()> {
    let events = watcher(objects.api(&kind), watcher::Config::default())
        .default_backoff()
        .applied_objects();
    pin_mut!(events);
    while let Some(event) = events.next().await {
        let Ok(object) = event else { continue }; // the watcher starts over by itself
        let object = serde_json::to_value(object)?;
        if wanted(&object) {
            tell.send(seen(object)).await?;
        }
    }
    Ok(())
}
