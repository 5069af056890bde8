//! The race, recorded and replayed: a backtest must make the decisions that were made.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    time::Duration,
};

use anyhow::Context as _;
use e2e::World;
use jiff::Timestamp;
use serde::Deserialize;
use tokio::process::Child;

use super::live::Live;

/// How far a replayed decision may be from the one that was made, seconds.
const NEAR: f64 = 1.0;
/// What an expansion takes here that is not made longer.
const QUICK: Duration = Duration::from_millis(500);

/// Starts `kubectl highwater record` of everything; it ends when this is dropped.
///
/// # Errors
/// When it cannot be started.
pub(super) fn recorder(world: &World, file: &Path) -> anyhow::Result<Child> {
    let record = ["highwater", "record", "--every", "200ms", "--for", "24h"];
    let file = File::create(file).with_context(|| format!("create {}", file.display()))?;
    let mut command = world.kubectl_command(&record)?;
    command
        .stdout(file)
        .spawn()
        .context("run kubectl highwater record")
}

/// A line of a recording, as far as it is sorted by.
#[derive(Deserialize)]
struct Line<'a> {
    namespace: &'a str,
}

/// What `backtest -o json` says of a database.
#[derive(Deserialize)]
struct Outcome {
    database: String,
    growths: Vec<Growth>,
}

#[derive(Deserialize)]
struct Growth {
    at: Timestamp,
}

/// How a replay compares with what happened.
#[derive(Debug, Default, PartialEq)]
struct Compared {
    /// Decisions that were made, and those of them that the replay made at the same time.
    live: usize,
    near: usize,
    /// Decisions of the replay alone.
    alone: usize,
    /// The most that those at the same time differ, seconds.
    off: f64,
}

/// Replays each heat of the recording with its own policy, and prints for each rule and delay how the replay compares with what
/// happened. How long expansions took is told to the replay.
///
/// # Errors
/// When the recording cannot be read or replayed.
pub(super) async fn compare(world: &World, recording: &Path, lives: &[Live]) -> anyhow::Result<()> {
    let mut all: BTreeMap<(Duration, String), Compared> = BTreeMap::new();
    for live in lives {
        let compared = all.entry((live.delay, live.rule.to_string())).or_default();
        compared.add(live, &replay(world, recording, live).await?);
    }
    for ((delay, rule), compared) in all {
        println!(
            "backtest of the recording, {rule}, {} s: {} of {} decisions within a second, at most {:.2} s off; {} of its own: {}",
            delay.as_secs(),
            compared.near,
            compared.live,
            compared.off,
            compared.alone,
            if compared.near == compared.live && compared.alone == 0 {
                "holds"
            } else {
                "misses"
            }
        );
    }
    Ok(())
}

/// What a backtest makes of one heat.
async fn replay(world: &World, recording: &Path, live: &Live) -> anyhow::Result<Vec<Outcome>> {
    let folder = tempfile::tempdir()?;
    let (usage, policy) = (
        folder.path().join("usage.jsonl"),
        folder.path().join("policy.json"),
    );
    extract(recording, &live.namespace, &usage)?;
    fs::write(&policy, live.policy.to_string())?;
    let expansion = live.expansion().unwrap_or(live.delay + QUICK);
    let text = |path: &Path| path.display().to_string();
    let replay = [
        "highwater",
        "backtest",
        "--policy",
        &text(&policy),
        "--usage",
        &text(&usage),
        "--expansion-time",
        &format!("{}ms", expansion.as_millis()),
        "--output",
        "json",
    ];
    // Where a volume would have been full, its exit code says so.
    let (said, _) = world.kubectl_says(&replay).await?;
    serde_json::from_str(&said).with_context(|| format!("the backtest of {}", live.namespace))
}

/// Writes the lines of a heat into a file of their own.
fn extract(recording: &Path, namespace: &str, into: &Path) -> anyhow::Result<()> {
    let mut extract = File::create(into)?;
    let recording = File::open(recording).with_context(|| format!("open {}", recording.display()))?;
    for line in BufReader::new(recording).lines() {
        let line = line?;
        // The last one may be cut short.
        if serde_json::from_str::<Line>(&line).is_ok_and(|parsed| parsed.namespace == namespace) {
            writeln!(extract, "{line}")?;
        }
    }
    Ok(())
}

impl Compared {
    /// Each decision is compared with the nearest of its database, and each of the replay's stands for one. What a replay decides
    /// after the fill is nobody's.
    fn add(&mut self, live: &Live, outcomes: &[Outcome]) {
        let mut replayed: BTreeMap<&str, Vec<Timestamp>> = BTreeMap::new();
        for outcome in outcomes {
            let name = outcome.database.strip_prefix(&live.namespace);
            if let Some(name) = name.and_then(|name| name.strip_prefix('/')) {
                replayed.insert(name, outcome.growths.iter().map(|growth| growth.at).collect());
            }
        }
        for made in &live.made {
            self.live += 1;
            let others = replayed.entry(&made.database).or_default();
            let Some((nearest, off)) = nearest(made.at, others) else {
                continue;
            };
            if off <= NEAR {
                others.swap_remove(nearest);
                self.near += 1;
                self.off = self.off.max(off);
            }
        }
        let alone = replayed.values().flatten();
        self.alone += alone.filter(|at| **at < live.until).count();
    }
}

/// The nearest of `others`, and the seconds to it.
fn nearest(at: Timestamp, others: &[Timestamp]) -> Option<(usize, f64)> {
    let off = |other: &Timestamp| other.duration_since(at).as_secs_f64().abs();
    let offs = others.iter().map(off).enumerate();
    offs.min_by(|a, b| a.1.total_cmp(&b.1))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{
        super::{Rule, live::Made},
        *,
    };

    fn at(seconds: i64, millis: i32) -> Timestamp {
        Timestamp::new(seconds, millis * 1_000_000).unwrap()
    }

    fn heat(made: Vec<Made>) -> Live {
        Live {
            rule: Rule::Whole,
            delay: Duration::ZERO,
            namespace: "heat".to_owned(),
            policy: Value::Null,
            made,
            until: at(300, 0),
        }
    }

    #[test]
    fn expansions_take_as_long_as_the_middle_request() {
        let made = |took: Option<i64>| Made {
            database: "a".to_owned(),
            at: at(100, 0),
            done: took.map(|took| at(100 + took, 0)),
        };
        let mut live = heat(vec![made(Some(9)), made(None), made(Some(2)), made(Some(3))]);
        assert_eq!(live.expansion(), Some(Duration::from_secs(3)));
        live.made = vec![made(None)];
        assert_eq!(live.expansion(), None);
    }

    #[test]
    fn decisions_are_compared_with_the_nearest_of_their_own_database() {
        let made = [
            ("a", at(100, 0)),
            ("a", at(101, 0)),
            ("a", at(200, 0)),
            ("b", at(100, 0)),
            ("c", at(100, 0)),
        ];
        let made = made.map(|(database, at)| Made {
            database: database.to_owned(),
            at,
            done: None,
        });
        let live = heat(made.to_vec());
        let outcome = |database: &str, growths: &[Timestamp]| Outcome {
            database: database.to_owned(),
            growths: growths.iter().map(|at| Growth { at: *at }).collect(),
        };
        let outcomes = [
            outcome("heat/a", &[at(100, 250), at(202, 0), at(400, 0)]),
            outcome("heat/b", &[at(99, 500)]),
            outcome("heats/a", &[at(100, 0)]),
        ];
        let mut compared = Compared::default();
        compared.add(&live, &outcomes);
        let expected = Compared {
            live: 5,
            near: 2,
            alone: 1,
            off: 0.5,
        };
        assert_eq!(compared, expected);
    }
}
