//! What the demo looks at: the filesystem on the node, and watches of three objects.

use std::time::Duration;

use e2e::{Objects, Volume, objects::Kind};
use futures::{StreamExt, pin_mut};
use kube::runtime::{WatchStreamExt, watcher};
use serde_json::Value;
use tokio::sync::mpsc::Sender;

use crate::story::Seen;

/// How often the filesystem is read. A filesystem sends no notice when it grows.
const PACE: Duration = Duration::from_millis(5);

/// Reads the filesystem and tells every change, until nobody listens any more. Blocks: for a thread of its own.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn filesystem(volume: &Volume, tell: &Sender<Seen>) -> anyhow::Result<()> {
    let mut last = None;
    while !tell.is_closed() {
        let space = volume.space()?;
        if last.replace(space) != Some(space) && tell.blocking_send(Seen::Space(space)).is_err() {
            break;
        }
        std::thread::sleep(PACE);
    }
    Ok(())
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
