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
use clap::Parser;
use e2e::World;
use futures::future::{try_join, try_join_all};

use heat::Heat;
use live::Live;
use size::Size;
use table::Column;
use track::Track;

const MIB: u64 = 1 << 20;

/// Flags of `make bench-race`.
#[derive(Debug, Parser)]
pub struct Args {
    /// Fill rates to try, MiB a second; without any, COPYs alone.
    #[arg(long, value_delimiter = ',', num_args = 0..,
        default_values_t = [5, 10, 20, 40, 60, 80, 120, 160, 240, 320, 400, 480])]
    pub rates: Vec<u64>,
    /// What the storage driver takes longer for an expansion, seconds.
    #[arg(long, value_delimiter = ',', default_values_t = [0, 10, 60])]
    pub delays: Vec<u64>,
    /// Sizes of the volumes that are filled at a rate.
    #[arg(long, value_delimiter = ',', default_value = "1Gi,5Gi,20Gi", value_parser = size::read)]
    pub sizes: Vec<Size>,
    /// MiB that are filled a second, all volumes of a kind together. Nothing is written; but two processors have other work, too.
    #[arg(long, default_value_t = 1_600)]
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

/// What a column of the table is about.
#[derive(Debug, Clone, Copy)]
struct Cell {
    size: Size,
    delay: Duration,
}

/// Runs the race and prints the table.
///
/// # Errors
/// When the cluster is not up, a fill cannot be made, or its rate is not the one asked for.
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
    // What is learned of long expansions would help with short ones.
    delays.sort_unstable();
    let delays: Vec<Duration> = delays.into_iter().map(Duration::from_secs).collect();
    let world = World::connect().await?;
    if !rates.is_empty() {
        at_rates(&world, &rates, &delays, &sizes, together, runs, recording).await?;
    }
    for delay in delays {
        if copies > 0 {
            entrant::learn(&world, delay).await?;
        }
        for rule in [Rule::Whole, Rule::ThresholdAlone] {
            copy::all(&world, rule, delay, copies, copy_size).await?;
        }
    }
    Ok(())
}

/// All that is filled at a rate: recorded fills and, delay after delay, the searches of all sizes and rules side by side.
async fn at_rates(
    world: &World,
    rates: &[u64],
    delays: &[Duration],
    sizes: &[Size],
    together: u32,
    runs: usize,
    recording: Option<PathBuf>,
) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let recording = recording.unwrap_or_else(|| folder.path().join("race.jsonl"));
    let mut recorder = replayed::recorder(world, &recording)?;
    let beside = Track::new(world.clone(), together);
    let searches = async {
        let mut columns = Vec::new();
        for delay in delays {
            entrant::learn(world, *delay).await?;
            let track = Track::new(world.clone(), together);
            let cells = sizes.iter().map(|size| Cell {
                size: *size,
                delay: *delay,
            });
            columns.extend(try_join_all(cells.map(|cell| column(&track, cell, rates, runs))).await?);
        }
        Ok(columns)
    };
    let (columns, recorded) = try_join(searches, steady::record(&beside, sizes, rates)).await?;
    recorder.kill().await?;
    let (columns, lives): (Vec<Column>, Vec<Vec<Live>>) = columns.into_iter().unzip();
    table::print(&columns, &recorded, rates, runs);
    let lives: Vec<Live> = lives.into_iter().flatten().collect();
    replayed::compare(world, &recording, &lives).await
}

/// Searches what both of our rules survive, and what was decided meanwhile.
async fn column(
    track: &Track,
    cell: Cell,
    rates: &[u64],
    runs: usize,
) -> anyhow::Result<(Column, Vec<Live>)> {
    let highest = async |rule: Rule| {
        let mut lives = Vec::new();
        let survives = async |rate: u64| {
            let heat = Heat {
                cell,
                rule,
                rate,
                runs,
            };
            let outcome = heat.run(track).await?;
            lives.push(outcome.live);
            Ok(outcome.survived)
        };
        let highest = search::highest(rates, survives).await?;
        anyhow::Ok((highest, lives))
    };
    let ((whole, mut lives), (threshold, more)) =
        try_join(highest(Rule::Whole), highest(Rule::ThresholdAlone)).await?;
    lives.extend(more);
    let column = Column {
        cell,
        whole,
        threshold,
    };
    Ok((column, lives))
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Whole => "Highwater",
            Self::ThresholdAlone => "Highwater, threshold alone",
        })
    }
}
