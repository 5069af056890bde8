//! The race of a real PostgreSQL: one COPY, as fast as the disk takes it, into a volume that it does not fit into.

use std::time::{Duration, Instant};

use anyhow::ensure;
use e2e::{Objects, Shape, World, objects::kinds, wait};
use serde_json::Value;

use super::{MIB, Rule, entrant::Entrant, filler::rounded, size::Size};

/// Characters of a row; with what PostgreSQL adds, eight make a page.
const ROW: u64 = 980;
/// Rows for each GiB, of which the table takes half as much again as the volume has when it begins.
const ROWS: u64 = 1_500_000;

/// COPYs one after the other, each into a database of its own; prints how many survived, and their rates.
///
/// # Errors
/// See [`copy`].
pub(super) async fn all(
    world: &World,
    rule: Rule,
    delay: Duration,
    copies: usize,
    size: Size,
) -> anyhow::Result<()> {
    if copies == 0 {
        return Ok(());
    }
    let mut survived = Vec::new();
    for n in 0..copies {
        let one = async |world: World, objects: Objects| copy(&world, &objects, size, rule, delay).await;
        let letter = if rule == Rule::Whole { "w" } else { "t" };
        let name = format!("copy-{}-{letter}{n}", delay.as_secs());
        survived.extend(world.in_namespace(&name, one).await?);
    }
    let rates: Vec<String> = survived.iter().map(|rate| format!("{rate:.0}")).collect();
    println!(
        "COPY into {}, {} s, {rule}: {} of {copies} survived, at MiB/s of table: {}",
        size.text,
        delay.as_secs(),
        survived.len(),
        rates.join(" ")
    );
    Ok(())
}

/// One COPY into a new database of this size under a rule: MiB of table a second, none if there was no space left.
///
/// # Errors
/// When it fails for another reason than want of space.
async fn copy(
    world: &World,
    objects: &Objects,
    size: Size,
    rule: Rule,
    delay: Duration,
) -> anyhow::Result<Option<f64>> {
    let shape = Shape {
        size: size.text,
        postgres: true,
        ..Shape::default()
    };
    let entrant = Entrant::create(world, objects, "copy", shape, rule, delay).await?;
    let db = &entrant.db;
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
        // Without space for its WAL the server ends, and the client hears of nothing but that.
        let logged = world
            .kubectl(&["logs", "-n", objects.namespace(), &db.pod()])
            .await?;
        let is_full = |text: &str| text.contains("No space left");
        ensure!(is_full(&format!("{error:#}")) || is_full(&logged), error);
        return Ok(None);
    }
    let bytes: u64 = db
        .sql(world, "SELECT pg_total_relation_size('rows')")
        .await?
        .parse()?;
    Ok(Some(rounded(bytes) / rounded(MIB) / took))
}
