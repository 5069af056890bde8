//! The race to ENOSPC: the highest steady fill rate at which no volume is ever full.
//!
//! Databases without PostgreSQL are filled side by side: some under all rules, some by the threshold alone. What others
//! document of their detection is then played against the recorded fill (`rivals`). A rate is survived if every run
//! survives it, and a rule that has lost a rate is not asked for higher ones. At last a real PostgreSQL is filled by COPY
//! (`copy`), one at a time, at whatever rate the disk allows.

mod copy;
mod filler;
mod rivals;
mod size;
mod survived;

use std::{fmt, time::Duration};

use anyhow::ensure;
use clap::Parser;
use e2e::{Database, Objects, Shape, Volume, World, faults, wait};
use futures::future::try_join_all;
use serde_json::{Value, json};

use filler::{Filled, fill, rounded};
use rivals::{RIVALS, full_at};
use size::Size;
use survived::Survived;

const MIB: u64 = 1 << 20;
/// How far the achieved rate may be from the one asked for.
const PACE: f64 = 0.05;

/// Flags of `make bench-race`.
#[derive(Debug, Parser)]
pub struct Args {
    /// Fill rates to try, MiB a second, rising; without any, COPYs alone.
    #[arg(long, value_delimiter = ',', num_args = 0.., default_values_t = [5, 10, 20, 40, 80, 160, 320])]
    pub rates: Vec<u64>,
    /// What the storage driver takes longer for an expansion, seconds.
    #[arg(long, value_delimiter = ',', default_values_t = [0, 10, 60])]
    pub delays: Vec<u64>,
    /// COPYs into a real PostgreSQL for each rule and delay.
    #[arg(long, default_value_t = 5)]
    pub copies: usize,
    /// Size of the volumes that are filled at a rate.
    #[arg(long, default_value = "1Gi", value_parser = size::read)]
    pub size: Size,
    /// Size of the volumes that are filled by COPY: an expansion that takes long needs one that takes longer to fill.
    #[arg(long, default_value = "1Gi", value_parser = size::read)]
    pub copy_size: Size,
    /// Fill at most so many volumes side by side: one at a time where several would want more together than a disk writes.
    #[arg(long, default_value_t = 10)]
    pub at_once: usize,
    /// Runs that must all survive.
    #[arg(long, default_value_t = 5)]
    pub runs: usize,
}

/// One of our ways to notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    Whole,
    ThresholdAlone,
}

/// Runs the race and prints the table.
///
/// # Errors
/// When the cluster is not up, a fill cannot be made, or its rate is not the one asked for.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let Args {
        rates,
        delays,
        copies,
        size,
        copy_size,
        at_once,
        runs,
    } = args;
    ensure!(runs > 0, "--runs is at least 1");
    ensure!(at_once > 0, "--at-once is at least 1");
    let world = World::connect().await?;
    for delay in delays {
        let added = Duration::from_secs(delay);
        learn(&world, added).await?;
        let survived = race(&world, &rates, added, runs, at_once, size).await?;
        if !rates.is_empty() {
            survived.print(delay, runs, size);
        }
        for rule in [Rule::Whole, Rule::ThresholdAlone] {
            copy::all(&world, rule, added, copies, copy_size).await?;
        }
    }
    Ok(())
}

/// Two growths at leisure: drivers do not change their habits from one minute to the next, and the decider knows them.
async fn learn(world: &World, delay: Duration) -> anyhow::Result<()> {
    let grown = async |world: World, objects: Objects| {
        let name = "known";
        let (_, volume, _slow) =
            entrant(&world, &objects, name, unused("1Gi"), Rule::ThresholdAlone, delay).await?;
        let kind = &e2e::objects::kinds::REQUEST;
        let mut known = Vec::new();
        for _ in 0..2 {
            volume.fill_to(81.0)?;
            let name = |request: &Value| {
                request["metadata"]["name"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned()
            };
            let new = |request: &Value| !known.contains(&name(request));
            let request = name(&objects.until_any(kind, "a request", new).await?);
            let done = |request: Option<&Value>| request.is_some_and(|r| wait::phase(r) == "Successful");
            let patience = delay + wait::PATIENCE;
            objects
                .until_within(patience, kind, &request, "Successful", done)
                .await?;
            known.push(request);
        }
        Ok(())
    };
    let name = format!("race-{}-known", delay.as_secs());
    world.in_namespace(&name, grown).await
}

async fn race(
    world: &World,
    rates: &[u64],
    delay: Duration,
    runs: usize,
    at_once: usize,
    size: Size,
) -> anyhow::Result<Survived> {
    let mut survived = Survived::default();
    let (mut whole, mut threshold) = (true, true);
    for rate in rates {
        if !whole && !threshold {
            break;
        }
        let rules = [(Rule::Whole, whole), (Rule::ThresholdAlone, threshold)];
        let asked = rules.iter().filter(|(_, asked)| *asked).map(|(rule, _)| *rule);
        let heats: Vec<Rule> = asked.flat_map(|rule| std::iter::repeat_n(rule, runs)).collect();
        let mut filled = Vec::new();
        for (n, heat) in heats.chunks(at_once).enumerate() {
            let name = format!("race-{}-{rate}-{n}", delay.as_secs());
            filled.extend(fill_all(world, &name, heat, rate * MIB, delay, size).await?);
        }
        let all = |wanted: Rule| {
            let of_rule = filled.iter().filter(|(rule, ..)| *rule == wanted);
            of_rule.clone().next().is_some() && of_rule.clone().all(|(_, _, fill)| !fill.full)
        };
        (whole, threshold) = (all(Rule::Whole), all(Rule::ThresholdAlone));
        if whole {
            survived.whole = *rate;
        }
        if threshold {
            survived.threshold = *rate;
        }
        rivals(&mut survived, &filled, *rate, delay, runs);
        let lost = filled.iter().filter(|(.., fill)| fill.full).count();
        println!(
            "{rate} MiB/s, {} s: {lost} of {} were full; achieved {}",
            delay.as_secs(),
            filled.len(),
            achieved(&filled)
        );
    }
    Ok(survived)
}

/// Plays what others document against a fill that went to its end; without one nothing is known of them.
fn rivals(survived: &mut Survived, filled: &[(Rule, u64, Filled)], rate: u64, delay: Duration, runs: usize) {
    let Some((_, capacity, fill)) = filled.iter().find(|(.., fill)| !fill.full) else {
        return;
    };
    for (rival, best) in RIVALS.iter().zip(&mut survived.rivals) {
        let phase = |run: usize| (rounded(run as u64) + 0.5) / rounded(runs as u64);
        let lost = (0..runs)
            .any(|run| full_at(rival, &fill.timeline, *capacity, delay.as_secs_f64(), phase(run)).is_some());
        if !lost {
            *best = rate;
        }
    }
}

/// Fills one new database for each of `rules` at once, in a namespace of this name. Answers their capacities and fills.
async fn fill_all(
    world: &World,
    name: &str,
    rules: &[Rule],
    rate: u64,
    delay: Duration,
    size: Size,
) -> anyhow::Result<Vec<(Rule, u64, Filled)>> {
    let filled = async |world: World, objects: Objects| {
        let each = rules.iter().enumerate();
        try_join_all(each.map(|(n, rule)| one(&world, &objects, n, *rule, rate, delay, size))).await
    };
    world.in_namespace(name, filled).await
}

async fn one(
    world: &World,
    objects: &Objects,
    n: usize,
    rule: Rule,
    rate: u64,
    delay: Duration,
    size: Size,
) -> anyhow::Result<(Rule, u64, Filled)> {
    let (_, volume, slow) = entrant(
        world,
        objects,
        &format!("race{n}"),
        unused(size.text),
        rule,
        delay,
    )
    .await?;
    let capacity = volume.space()?.capacity;
    // Beyond the first growth, and less than what a second one may be asked for.
    let total = capacity + capacity / 2;
    let fill = tokio::task::spawn_blocking(move || fill(&volume, rate, total)).await??;
    let off = (fill.rate / rounded(rate) - 1.0).abs();
    ensure!(
        fill.full || off <= PACE,
        "filled at {:.1} MiB/s instead of {}",
        fill.rate / rounded(MIB),
        rate / MIB
    );
    drop(slow);
    Ok((rule, capacity, fill))
}

/// What is filled without PostgreSQL.
fn unused(size: &'static str) -> Shape {
    Shape {
        size,
        ..Shape::default()
    }
}

/// A database that Highwater watches, with its volume, whose expansions take longer until the last is dropped.
async fn entrant(
    world: &World,
    objects: &Objects,
    name: &str,
    shape: Shape,
    rule: Rule,
    delay: Duration,
) -> anyhow::Result<(Database, Volume, faults::Injected)> {
    let db = Database::create(world, objects, name, shape).await?;
    let volume = db.volume(world).await?;
    let slow = faults::slow_node(world, &volume, delay)?;
    db.autoscale(json!({"scalingThreshold": 50})).await?;
    if rule == Rule::Whole {
        let annotations = json!({"metadata": {"annotations": {"highwater.dev/time-to-full": "On"}}});
        let kind = &e2e::objects::kinds::AUTOSCALER;
        objects.merge(kind, &db.autoscaler(), &annotations).await?;
    }
    // Databases are older than the three seconds before which nothing is said of a rate.
    let measured = |object: &Value| {
        let volume = &object["status"]["volumes"][0];
        volume["reason"] == "BelowThreshold" && volume["rate"].is_string()
    };
    let kind = &e2e::objects::kinds::AUTOSCALER;
    objects
        .until_some(kind, &db.autoscaler(), "measured", measured)
        .await?;
    Ok((db, volume, slow))
}

/// The slowest and the fastest of those that went to their end.
fn achieved(filled: &[(Rule, u64, Filled)]) -> String {
    let mut rates: Vec<f64> = filled
        .iter()
        .filter(|(.., f)| !f.full)
        .map(|(.., f)| f.rate)
        .collect();
    rates.sort_by(f64::total_cmp);
    match (rates.first(), rates.last()) {
        (Some(least), Some(most)) => {
            format!("{:.1} to {:.1}", least / rounded(MIB), most / rounded(MIB))
        }
        _ => "by none".to_owned(),
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Whole => "Highwater",
            Self::ThresholdAlone => "Highwater, threshold alone",
        })
    }
}
