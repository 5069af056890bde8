//! What one stream carries, in bytes: of a node where nothing happens, and for each sample that changed.

use std::{path::Path, time::Duration};

use anyhow::{Context, ensure};
use tokio::time::sleep;

use crate::{
    heard::{Heard, Kind},
    programs::Program,
    receiver::Receiver,
    table::{Bound, Figure},
    volumes::Volumes,
};

/// The time over which an idle node's bytes are averaged: two snapshots are in it.
const MEAN_OVER: Duration = Duration::from_secs(20 * 60);
const SNAPSHOTS: f64 = 2.0;
/// In use before anything is counted, so that numbers are as long as they are on a real volume.
const IN_USE: i64 = 40 << 30;
/// More than the step of 16 MiB that the agent tells of.
const STEP: i64 = 20 << 20;
/// How often samples are changed.
const ROUNDS: usize = 30;
const BATCH: usize = 10;

/// Counts the bytes that `agent` sends for `node`, idle for a time and then busy.
///
/// # Errors
/// When the agent does not send what it must.
pub async fn measure(agent: &Path, node: &Volumes, time: Duration) -> anyhow::Result<Vec<Figure>> {
    let count = node.paths().len();
    (0..count).try_for_each(|volume| node.fill(volume, IN_USE))?;
    let receiver = Receiver::start().await?;
    let _agent = Program::agent(agent, node.root(), receiver.address())?;
    receiver
        .until("a stream", |heard| !heard.all().is_empty())
        .await?;
    sleep(time).await;
    let heard = receiver.heard();
    ensure!(
        heard.mounted() == count,
        "the agent reports {} of {count} volumes",
        heard.mounted()
    );
    ensure!(heard.bytes(Kind::Changes) == 0, "the node was not idle");
    let idle = idle(&heard, time) / count as f64;

    let alone = busy(&receiver, node, 1).await?;
    let together = busy(&receiver, node, BATCH).await?;
    Ok(vec![
        Figure {
            what: "idle, 30 volumes: bytes a volume and minute",
            value: idle,
            bound: Bound::AtMost(25.0),
        },
        Figure {
            what: "changed alone: bytes a sample",
            value: alone,
            bound: Bound::AtMost(40.0),
        },
        Figure {
            what: "ten changed together: bytes a sample",
            value: together,
            bound: Bound::AtMost(28.0),
        },
    ])
}

/// Bytes a minute, over [`MEAN_OVER`] or longer. What was heard in a shorter time has one snapshot; the mean is
/// calculated with as many as there are in [`MEAN_OVER`].
fn idle(heard: &Heard, time: Duration) -> f64 {
    let bytes = |kind| heard.bytes(kind) as f64;
    let (opening, snapshots, heartbeats) = (
        bytes(Kind::Opening),
        bytes(Kind::Snapshot),
        bytes(Kind::Heartbeat),
    );
    if time >= MEAN_OVER {
        return (opening + snapshots + heartbeats) / minutes(time);
    }
    let heartbeats = heartbeats * (minutes(MEAN_OVER) / minutes(time));
    (opening + SNAPSHOTS * snapshots + heartbeats) / minutes(MEAN_OVER)
}

fn minutes(time: Duration) -> f64 {
    time.as_secs_f64() / 60.0
}

/// Bytes a sample, when `batch` volumes change at a time.
async fn busy(receiver: &Receiver, node: &Volumes, batch: usize) -> anyhow::Result<f64> {
    let before = receiver.heard();
    let changed = |heard: &Heard| heard.of(Kind::Changes).map(|said| said.volumes).sum::<usize>();
    let mut expected = changed(&before);
    // Every volume has its turn: the index of the first takes no bytes.
    let mut next = (0..node.paths().len()).cycle();
    for _ in 0..ROUNDS {
        next.by_ref()
            .take(batch)
            .try_for_each(|volume| node.fill(volume, STEP))?;
        expected += batch;
        receiver
            .until("every change", |heard| changed(heard) >= expected)
            .await?;
    }
    let after = receiver.heard();
    let told = after.all().get(before.all().len()..).unwrap_or_default();
    // A sweep may fall between the changes of a batch, and then it is told in two parts.
    let whole = || {
        told.iter()
            .filter(|said| said.kind == Kind::Changes && said.volumes >= batch)
    };
    let (bytes, samples) = whole().fold((0, 0), |(bytes, samples), said| {
        (bytes + said.bytes, samples + said.volumes)
    });
    (samples > 0)
        .then(|| bytes as f64 / samples as f64)
        .with_context(|| format!("no message with {batch} changes"))
}
