//! The race to ENOSPC: the highest steady fill rate at which no volume is ever full.
//!
//! For each size and delay of expansions the highest rate is searched (`search`) that five of five databases survive (`heat`):
//! under all of Highwater's rules, and under the threshold alone. Beside them fills are recorded that nothing ends
//! (`steady`), against which what others document of their detection is played (`rivals`). A recorder of usage runs all the
//! time, and at last what it wrote is replayed and compared with what was decided (`replayed`). A real PostgreSQL is filled by
//! COPY, one at a time, at whatever rate the disk allows (`copy`).

mod copy;
mod entrant;
mod filler;
mod heat;
mod live;
mod replayed;
mod rivals;
mod search;
mod size;
mod steady;
mod table;
mod track;

use std::{fmt, path::PathBuf, time::Duration};

use anyhow::ensure;
use clap::{Parser, value_parser};
use e2e::World;
use futures::{StreamExt as _, future::join, stream};
use tokio::sync::Notify;

use heat::Heat;
use live::Live;
use size::Size;
use table::{Best, Column, Searched};
use track::Track;

const MIB: u64 = 1 << 20;

/// Flags of `make bench-race`.
#[derive(Debug, Parser)]
pub struct Args {
    /// Fill rates to try, MiB a second; without any, COPYs alone.
    #[arg(long, value_delimiter = ',', num_args = 0.., value_parser = value_parser!(u64).range(1..),
        default_values_t = [5, 10, 20, 40, 60, 80, 120, 160, 240, 320, 400, 480])]
    pub rates: Vec<u64>,
    /// What the storage driver takes longer for an expansion, seconds.
    #[arg(long, value_delimiter = ',', default_values_t = [0, 10, 60])]
    pub delays: Vec<u64>,
    /// Sizes of the volumes that are filled at a rate.
    #[arg(long, value_delimiter = ',', default_value = "1Gi,5Gi,20Gi", value_parser = size::read)]
    pub sizes: Vec<Size>,
    /// MiB that are filled a second, all volumes together, where expansions are not made longer: no disk writes more.
    #[arg(long, default_value_t = 480)]
    pub together: u32,
    /// Runs that must all survive.
    #[arg(long, default_value_t = 5)]
    pub runs: usize,
    /// COPYs into a real PostgreSQL for each rule and delay.
    #[arg(long, default_value_t = 0)]
    pub copies: usize,
    /// Size of the volumes that are filled by COPY: an expansion that takes long needs one that takes longer to fill.
    #[arg(long, default_value = "1Gi", value_parser = size::read)]
    pub copy_size: Size,
    /// Where the recording of usage is kept; without it, it is removed once it has been replayed.
    #[arg(long)]
    pub recording: Option<PathBuf>,
}

/// One of our ways to notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    Whole,
    ThresholdAlone,
}

/// COPYs for each rule and delay.
#[derive(Debug, Clone, Copy)]
struct Copies {
    count: usize,
    size: Size,
}

impl Copies {
    async fn run(self, world: &World, delay: Duration) -> anyhow::Result<()> {
        for rule in [Rule::Whole, Rule::ThresholdAlone] {
            copy::all(world, rule, delay, self.count, self.size).await?;
        }
        Ok(())
    }
}

/// What a column of the table is about.
#[derive(Debug, Clone, Copy)]
struct Cell {
    size: Size,
    delay: Duration,
}

/// Runs the race and prints the table.
///
/// # Errors
/// When the cluster is not up, or nothing can be learned or recorded in it. A search that cannot be brought to its end, and a fill
/// that cannot be recorded, are told and marked in the table.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let Args {
        mut rates,
        mut delays,
        sizes,
        together,
        runs,
        copies,
        copy_size,
        recording,
    } = args;
    ensure!(runs > 0, "--runs is at least 1");
    ensure!(together > 0, "--together is at least 1");
    rates.sort_unstable();
    rates.dedup();
    // What is learned of long expansions would help with short ones.
    delays.sort_unstable();
    delays.dedup();
    let delays: Vec<Duration> = delays.into_iter().map(Duration::from_secs).collect();
    let world = World::connect().await?;
    let copies = Copies {
        count: copies,
        size: copy_size,
    };
    if rates.is_empty() {
        for delay in delays {
            entrant::learn(&world, delay).await?;
            copies.run(&world, delay).await?;
        }
        return Ok(());
    }
    let track = Track::new(world, together);
    at_rates(&track, &rates, &delays, &sizes, runs, copies, recording).await
}

/// All that is filled at a rate: recorded fills and, delay after delay, the searches.
async fn at_rates(
    track: &Track,
    rates: &[u64],
    delays: &[Duration],
    sizes: &[Size],
    runs: usize,
    copies: Copies,
    recording: Option<PathBuf>,
) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let recording = recording.unwrap_or_else(|| folder.path().join("race.jsonl"));
    let mut recorder = replayed::recorder(&track.world, &recording)?;
    // Nothing else is made while the first growths are learned from.
    if let Some(first) = delays.first() {
        entrant::learn(&track.world, *first).await?;
    }
    let made = Notify::new();
    let (mut columns, mut lives) = (Vec::new(), Vec::new());
    let searches = async {
        made.notified().await;
        for (n, delay) in delays.iter().enumerate() {
            if n > 0 {
                entrant::learn(&track.world, *delay).await?;
            }
            for (column, of_column) in searched(track, rates, *delay, sizes, runs).await {
                columns.push(column);
                lives.extend(of_column);
            }
            copies.run(&track.world, *delay).await?;
        }
        anyhow::Ok(())
    };
    let fills = async {
        let recorded = steady::record(track, sizes, rates, &made).await;
        // Also where not all could be made.
        made.notify_one();
        recorded
    };
    let (searches, recorded) = join(searches, fills).await;
    // What was found before something failed is told as well.
    table::print(&columns, recorded.as_deref().unwrap_or_default(), rates, runs).await?;
    ensure!(recorder.try_wait()?.is_none(), "the recorder of usage has ended");
    recorder.kill().await?;
    searches.and(recorded)?;
    replayed::compare(&track.world, &recording, &lives).await
}

/// The columns of one delay. Expansions that are not made longer take what two processors have time for, and are searched one
/// after the other; others mostly wait, and do so side by side.
async fn searched(
    track: &Track,
    rates: &[u64],
    delay: Duration,
    sizes: &[Size],
    runs: usize,
) -> Vec<(Column, Vec<Live>)> {
    let both = sizes
        .iter()
        .flat_map(|size| [(*size, Rule::Whole), (*size, Rule::ThresholdAlone)]);
    let searches = both.map(|(size, rule)| highest(track, Cell { size, delay }, rule, rates, runs));
    let at_once = if delay.is_zero() { 1 } else { 2 * sizes.len() };
    let found: Vec<Found> = stream::iter(searches).buffered(at_once).collect().await;
    let mut found = found.into_iter();
    let mut columns = Vec::new();
    while let (Some(whole), Some(threshold)) = (found.next(), found.next()) {
        let column = Column {
            cell: whole.cell,
            whole: whole.searched,
            threshold: threshold.searched,
        };
        columns.push((column, [whole.lives, threshold.lives].concat()));
    }
    columns
}

/// What a search found, and what was decided meanwhile.
struct Found {
    cell: Cell,
    searched: Searched,
    lives: Vec<Live>,
}

/// Searches what one of our rules survives. A heat that cannot be run ends the search, and not the others.
async fn highest(track: &Track, cell: Cell, rule: Rule, rates: &[u64], runs: usize) -> Found {
    let (mut lives, mut best) = (Vec::new(), None);
    let ended = search::highest(rates, async |rate| {
        let heat = Heat {
            cell,
            rule,
            rate,
            runs,
        };
        let outcome = heat.run(track).await?;
        lives.push(outcome.live);
        if outcome.survived {
            let grown = outcome.grown;
            best = Some(Best { rate, grown });
        }
        Ok(outcome.survived)
    })
    .await;
    if let Err(error) = &ended {
        println!("{cell}, {rule}: not searched further: {error:#}");
    }
    let open = ended.is_err();
    Found {
        cell,
        searched: Searched { best, open },
        lives,
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { size, delay } = self;
        write!(f, "{}, {} s", size.text, delay.as_secs())
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
