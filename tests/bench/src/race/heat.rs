//! A heat: runs of one rule at one rate, side by side, all of which must survive.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::bail;
use e2e::{Objects, World, objects::kinds};
use futures::future::try_join_all;
use runtime::clock::{Clock as _, SystemClock};
use serde_json::Value;

use super::{
    Cell, MIB, Rule,
    entrant::{Entrant, unused},
    filler::{Filled, filled, rounded},
    live::{Live, noted},
    track::{Kind, Track, is_paced},
};

/// How often a run is made that is not at its rate.
const ATTEMPTS: usize = 3;
/// How often a heat is run that cannot be run, by a database that does not come up while the machine has too much to do.
const HEATS: usize = 2;

/// What is run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heat {
    pub(super) cell: Cell,
    pub(super) rule: Rule,
    /// MiB a second.
    pub(super) rate: u64,
    pub(super) runs: usize,
}

/// What came of it.
pub(super) struct Outcome {
    /// No run met an end of space.
    pub(super) survived: bool,
    /// How many times as large as at first a volume was at the end, in the middle of all.
    pub(super) grown: f64,
    pub(super) live: Live,
}

/// One run.
struct Run {
    filled: Filled,
    grown: f64,
    policy: Value,
}

impl Heat {
    /// Runs it, with databases of its own.
    ///
    /// # Errors
    /// When, each time, a database does not come up, or cannot be filled at the rate that was asked for.
    pub(super) async fn run(self, track: &Track) -> anyhow::Result<Outcome> {
        for heat in 1..HEATS {
            match self.once(track, heat).await {
                Ok(outcome) => return Ok(outcome),
                Err(error) => println!("{}: {error:#}; once more", self.title()),
            }
        }
        self.once(track, HEATS).await
    }

    async fn once(self, track: &Track, heat: usize) -> anyhow::Result<Outcome> {
        let Self {
            cell: Cell { size, delay },
            rule,
            rate,
            runs,
        } = self;
        let letter = if rule == Rule::Whole { "w" } else { "t" };
        let name = format!("race-{}-{}-{letter}-{rate}-{heat}", delay.as_secs(), size.gib);
        let outcome = async |_: World, objects: Objects| {
            let lost = AtomicBool::new(false);
            let all = (0..runs).map(|n| self.one(track, &objects, n, &lost));
            let (all, made) = noted(&objects, try_join_all(all)).await?;
            let ran: Vec<Run> = all.into_iter().flatten().collect();
            println!("{}", self.told(&ran));
            let live = Live {
                rule,
                delay,
                namespace: objects.namespace().to_owned(),
                policy: ran.first().map(|run| run.policy.clone()).unwrap_or_default(),
                made,
                until: SystemClock.now(),
            };
            let mut grown: Vec<f64> = ran.iter().map(|run| run.grown).collect();
            grown.sort_by(f64::total_cmp);
            Ok(Outcome {
                survived: ran.iter().all(|run| !run.filled.full),
                grown: grown.get(grown.len() / 2).copied().unwrap_or(1.0),
                live,
            })
        };
        track.world.in_namespace(&name, outcome).await
    }

    /// One run; none once another was full, for that decides it. One that the machine was too slow for is made anew.
    async fn one(
        &self,
        track: &Track,
        objects: &Objects,
        n: usize,
        lost: &AtomicBool,
    ) -> anyhow::Result<Option<Run>> {
        let Cell { size, delay } = self.cell;
        for attempt in 0..ATTEMPTS {
            let name = format!("race{n}-{attempt}");
            let entrant = {
                let _permit = track.through_the_door().await?;
                let shape = unused(size.text);
                Entrant::create(&track.world, objects, &name, shape, self.rule, delay).await?
            };
            let kind = if delay.is_zero() { Kind::Quick } else { Kind::Slow };
            let _lane = track.lane(kind, self.rate).await?;
            if lost.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let capacity = entrant.volume.space()?.capacity;
            // Beyond what it has at first, and a quarter of that.
            let total = capacity + capacity / 4;
            let filled = filled(&entrant.volume, self.rate * MIB, total).await?;
            if filled.full {
                lost.store(true, Ordering::Relaxed);
            } else if !is_paced(filled.rate, self.rate) {
                continue;
            }
            let kind = &kinds::AUTOSCALER;
            return Ok(Some(Run {
                filled,
                grown: rounded(entrant.volume.space()?.capacity) / rounded(capacity),
                policy: objects.get(kind, &entrant.db.autoscaler()).await?,
            }));
        }
        bail!("{} MiB/s cannot be filled here", self.rate)
    }

    fn title(&self) -> String {
        let Self { cell, rule, rate, .. } = self;
        format!("{cell}, {rule}, {rate} MiB/s")
    }

    fn told(&self, ran: &[Run]) -> String {
        let full = ran.iter().filter(|run| run.filled.full).count();
        let achieved = ran.iter().filter(|run| !run.filled.full).map(|run| {
            let rate = run.filled.mib_a_second();
            format!(" {rate:.1} ({:.1} times as large)", run.grown)
        });
        let achieved: String = achieved.collect();
        format!(
            "{}: {full} of {} were full; achieved{achieved}",
            self.title(),
            ran.len()
        )
    }
}
