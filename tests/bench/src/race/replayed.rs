//! The race, recorded and replayed: a backtest must make the decisions that were made.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{BufRead as _, BufReader},
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
    database: &'a str,
}

/// What `backtest -o json` says of a database.
#[derive(Debug, Deserialize)]
struct Outcome {
    database: String,
    growths: Vec<Growth>,
}

#[derive(Debug, Deserialize)]
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

/// Replays each database of the recording with its own policy, and prints for each rule and delay how the replay compares with
/// what happened. How long expansions took is told to the replay.
///
/// # Errors
/// When the recording cannot be read or replayed.
pub(super) async fn compare(world: &World, recording: &Path, lives: &[Live]) -> anyhow::Result<()> {
    let recorded = by_database(recording)?;
    let mut all: BTreeMap<(Duration, String), Compared> = BTreeMap::new();
    for live in lives {
        let compared = all.entry((live.delay, live.rule.to_string())).or_default();
        let mut outcomes = Vec::new();
        for (database, lines) in recorded.get(&live.namespace).into_iter().flatten() {
            outcomes.extend(replay(world, live, database, lines).await?);
        }
        compared.add(live, &outcomes);
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

/// What a backtest makes of one database.
async fn replay(world: &World, live: &Live, database: &str, lines: &str) -> anyhow::Result<Vec<Outcome>> {
    let folder = tempfile::tempdir()?;
    let (usage, policy) = (
        folder.path().join("usage.jsonl"),
        folder.path().join("policy.json"),
    );
    fs::write(&usage, lines)?;
    fs::write(&policy, live.policy.to_string())?;
    let expansion = live.expansion(database).unwrap_or(live.delay + QUICK);
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
    serde_json::from_str(&said).with_context(|| format!("the backtest of {}/{database}", live.namespace))
}

/// The lines of a recording, by namespace and database.
fn by_database(recording: &Path) -> anyhow::Result<BTreeMap<String, BTreeMap<String, String>>> {
    let mut all: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let recording = File::open(recording).with_context(|| format!("open {}", recording.display()))?;
    for line in BufReader::new(recording).lines() {
        let line = line?;
        // The last one may be cut short.
        let Ok(parsed) = serde_json::from_str::<Line>(&line) else {
            continue;
        };
        let heat = all.entry(parsed.namespace.to_owned()).or_default();
        let lines = heat.entry(parsed.database.to_owned()).or_default();
        lines.push_str(&line);
        lines.push('\n');
    }
    Ok(all)
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
    fn expansions_take_as_long_as_the_first_request_or_else_the_middle_one() {
        let made = |database: &str, since: i64, took: Option<i64>| Made {
            database: database.to_owned(),
            at: at(since, 0),
            done: took.map(|took| at(since + took, 0)),
        };
        let mut live = heat(vec![
            made("a", 109, Some(2)),
            made("a", 100, Some(9)),
            made("b", 100, None),
            made("c", 100, Some(3)),
        ]);
        let took = |live: &Live, database| live.expansion(database).map(|took| took.as_secs());
        assert_eq!(took(&live, "a"), Some(9));
        assert_eq!(took(&live, "b"), Some(3));
        live.made = vec![made("a", 100, None)];
        assert_eq!(took(&live, "a"), None);
    }

    #[test]
    fn the_lines_of_databases_are_told_apart() {
        let line = |namespace, database| {
            format!("{{\"namespace\":\"{namespace}\",\"database\":\"{database}\",\"used\":1}}\n")
        };
        let file = tempfile::NamedTempFile::new().unwrap();
        let all = [
            line("heat", "a"),
            line("heats", "a"),
            line("heat", "b"),
            line("heat", "a"),
        ];
        // The last one is cut short.
        fs::write(file.path(), all.concat() + "{\"namespace\":\"he").unwrap();
        let found = by_database(file.path()).unwrap();
        assert_eq!(
            found["heats"],
            [("a".to_owned(), line("heats", "a"))].into(),
            "not the other's"
        );
        let expected = [("a", line("heat", "a").repeat(2)), ("b", line("heat", "b"))];
        assert_eq!(
            found["heat"],
            expected.map(|(name, lines)| (name.to_owned(), lines)).into()
        );
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
