//! A heat: runs of one rule at one rate, side by side, all of which must survive.

use std::sync::atomic::{AtomicBool, Ordering};

use e2e::{Objects, World, objects::kinds};
use futures::future::try_join_all;
use runtime::clock::{Clock as _, SystemClock};

use super::{
    Cell, MIB, Rule,
    entrant::{Entrant, unused},
    filler::{Filled, fill},
    live::{Live, noted},
    track::{Track, paced},
};

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
    pub(super) live: Live,
}

impl Heat {
    /// Makes the databases, and fills them once all are there.
    ///
    /// # Errors
    /// When a database does not come up, or is not filled at the rate that was asked for.
    pub(super) async fn run(self, track: &Track) -> anyhow::Result<Outcome> {
        let Self {
            cell: Cell { size, delay },
            rule,
            rate,
            runs,
        } = self;
        let letter = if rule == Rule::Whole { "w" } else { "t" };
        let name = format!("race-{}-{}-{letter}-{rate}", delay.as_secs(), size.gib);
        let outcome = async |world: World, objects: Objects| {
            let (world, objects) = (&world, &objects);
            let entrants = (0..runs).map(async |n| {
                let _permit = track.through_the_door().await?;
                Entrant::create(
                    world,
                    objects,
                    &format!("race{n}"),
                    unused(size.text),
                    rule,
                    delay,
                )
                .await
            });
            let entrants = try_join_all(entrants).await?;
            let lost = AtomicBool::new(false);
            let fills = try_join_all(entrants.iter().map(|e| self.fill(track, e, &lost)));
            let (fills, made) = noted(objects, fills).await?;
            let until = SystemClock.now();
            let survived = fills.iter().flatten().all(|fill| !fill.full);
            println!("{}", self.told(&fills));
            let first = entrants.first().map(|e| e.db.autoscaler()).unwrap_or_default();
            let live = Live {
                rule,
                delay,
                namespace: objects.namespace().to_owned(),
                policy: objects.get(&kinds::AUTOSCALER, &first).await?,
                made,
                until,
            };
            Ok(Outcome { survived, live })
        };
        track.world.in_namespace(&name, outcome).await
    }

    /// Fills one volume; none once another was full, for that decides it.
    async fn fill(
        &self,
        track: &Track,
        entrant: &Entrant,
        lost: &AtomicBool,
    ) -> anyhow::Result<Option<Filled>> {
        let _lane = track.lane(self.rate).await?;
        if lost.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let (volume, rate) = (entrant.volume.clone(), self.rate);
        let capacity = volume.space()?.capacity;
        // Beyond what it has at first, and a quarter of that.
        let total = capacity + capacity / 4;
        let filled = tokio::task::spawn_blocking(move || fill(&volume, rate * MIB, total)).await??;
        if filled.full {
            lost.store(true, Ordering::Relaxed);
        } else {
            paced(filled.rate, rate)?;
        }
        Ok(Some(filled))
    }

    fn told(&self, fills: &[Option<Filled>]) -> String {
        let ran = fills.iter().flatten().count();
        let full = fills.iter().flatten().filter(|fill| fill.full).count();
        let rates = fills
            .iter()
            .flatten()
            .filter(|f| !f.full)
            .map(|f| format!("{:.1}", f.mib_a_second()));
        let rates: Vec<String> = rates.collect();
        format!(
            "{}, {} s, {}: {} MiB/s: {full} of {ran} were full; achieved {}",
            self.cell.size.text,
            self.cell.delay.as_secs(),
            self.rule,
            self.rate,
            if rates.is_empty() {
                "by none".to_owned()
            } else {
                rates.join(" ")
            }
        )
    }
}
