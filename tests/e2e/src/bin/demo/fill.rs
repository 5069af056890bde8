//! The load: accounts as pgbench fills them, inserted with `psql` in the primary's own pod, like an application that will not
//! stop.

use std::time::Duration;

use e2e::{Managed, Volume, World};
use tokio::sync::mpsc::Sender;

use crate::{observe, sizes, story::Seen};

/// Rows of one kilobyte in one statement: enough to fill the volume in seconds.
const FAST: u64 = 8192;
/// And near the threshold, so that the crossing shows on its own and writing goes on while the volume grows.
const SLOW: u64 = 1024;
/// Points below the threshold from which on rows come slowly.
const NEAR: f64 = 8.0;

/// Inserts until dropped. A refused statement is told and tried again: this is the moment a user would call.
///
/// # Errors
/// When the table cannot be made, or the volume is gone.
pub(crate) async fn run(
    world: World,
    db: Managed,
    primary: String,
    volumes: Vec<Volume>,
    threshold: f64,
    tell: Sender<Seen>,
) -> anyhow::Result<()> {
    let table =
        "CREATE TABLE IF NOT EXISTS accounts (aid bigserial, bid int, abalance int, filler char(984))";
    db.psql(&world, &primary, table).await?;
    loop {
        let near = sizes::used_percent(observe::fullest(&volumes)?) > threshold - NEAR;
        let rows = if near { SLOW } else { FAST };
        let insert = format!(
            "INSERT INTO accounts (bid, abalance, filler) SELECT 1, i, md5(i::text) FROM generate_series(1, {rows}) i"
        );
        match db.psql(&world, &primary, &insert).await {
            Ok(_) => tell.send(Seen::Inserted(rows)).await?,
            Err(error) => {
                tell.send(Seen::Refused(format!("{error:#}"))).await?;
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
    }
}
