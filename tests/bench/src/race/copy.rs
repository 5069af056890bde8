//! The race of a real PostgreSQL: one COPY, as fast as the disk takes it, into a volume that it does not fit into.

use std::time::{Duration, Instant};

use anyhow::ensure;
use e2e::{Objects, Shape, World, objects::kinds, wait};
use serde_json::Value;

use super::{MIB, Rule, entrant, filler::rounded};

/// Characters of a row; with what PostgreSQL adds, eight make a page.
const ROW: u64 = 980;
/// Rows for each GiB, of which the table takes half as much again as the volume has when it begins.
const ROWS: u64 = 1_500_000;

/// Size of a volume.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// As a claim has it.
    pub(super) text: &'static str,
    gib: u64,
}

/// Reads a size.
///
/// # Errors
/// When it is none of those a COPY is made for.
pub(super) fn size(text: &str) -> Result<Size, String> {
    let sizes = [("1Gi", 1), ("2Gi", 2), ("3Gi", 3), ("5Gi", 5), ("10Gi", 10)];
    let found = sizes.into_iter().find(|(known, _)| *known == text);
    found
        .map(|(text, gib)| Size { text, gib })
        .ok_or_else(|| "1Gi, 2Gi, 3Gi, 5Gi or 10Gi".to_owned())
}

/// How a COPY went.
#[derive(Debug)]
pub(super) struct Copied {
    /// MiB of table a second.
    pub(super) rate: f64,
    /// PostgreSQL had no space left.
    pub(super) full: bool,
}

/// One COPY into a new database of this size under a rule.
///
/// # Errors
/// When it fails for another reason than want of space.
pub(super) async fn copy(
    world: &World,
    objects: &Objects,
    size: Size,
    rule: Rule,
    delay: Duration,
) -> anyhow::Result<Copied> {
    let shape = Shape {
        size: size.text,
        postgres: true,
        ..Shape::default()
    };
    let (db, _, _slow) = entrant(world, objects, "copy", shape, rule, delay).await?;
    let answers = |pod: &Value| wait::condition(pod, "Ready").is_some_and(|c| c.0 == "True");
    db.objects
        .until_some(&kinds::POD, &db.pod(), "ready", answers)
        .await?;
    let program = format!(
        "yes $(head -c {ROW} /dev/zero | tr \\\\0 x) | head -n {}",
        ROWS * size.gib
    );
    let statement = format!("CREATE TABLE rows (filler text); COPY rows FROM PROGRAM '{program}'");
    let began = Instant::now();
    let outcome = db.sql(world, &statement).await;
    let took = began.elapsed().as_secs_f64();
    if let Err(error) = outcome {
        ensure!(format!("{error:#}").contains("No space left"), error);
        return Ok(Copied {
            rate: 0.0,
            full: true,
        });
    }
    let bytes: u64 = db
        .sql(world, "SELECT pg_total_relation_size('rows')")
        .await?
        .parse()?;
    Ok(Copied {
        rate: rounded(bytes) / rounded(MIB) / took,
        full: false,
    })
}
