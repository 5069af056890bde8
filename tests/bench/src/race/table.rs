//! The table: who survives what.

use std::time::Duration;

use super::{
    Cell, Rule,
    filler::rounded,
    rivals::{RIVALS, full_at},
    steady::Steady,
};

/// The highest rate of each of our rules in one column, MiB a second.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    pub(super) cell: Cell,
    pub(super) whole: Option<u64>,
    pub(super) threshold: Option<u64>,
}

/// Prints all columns: rates, and in brackets their part of what all rules survive. What is marked survived all that was tried.
pub(super) fn print(columns: &[Column], recorded: &[Steady], rates: &[u64], runs: usize) {
    println!("\nhighest rate survived in {runs} of {runs} runs, MiB/s (part of Highwater's)");
    let heads = columns.iter().map(|column| {
        let Cell { size, delay } = column.cell;
        format!("{}, {} s", size.text, delay.as_secs())
    });
    row("size, expansions longer by", heads);
    let top = rates.last().copied();
    let of = |rate: Option<u64>, column: &Column| cell(rate, column.whole, top);
    row(&Rule::Whole.to_string(), columns.iter().map(|c| of(c.whole, c)));
    row(
        &Rule::ThresholdAlone.to_string(),
        columns.iter().map(|c| of(c.threshold, c)),
    );
    for (n, rival) in RIVALS.iter().enumerate() {
        let survived = columns
            .iter()
            .map(|c| of(rival_survives(n, c.cell, recorded, runs), c));
        row(rival.name, survived);
    }
}

/// The highest rate below which a rival loses none, by the recorded fills; it looks at another time in each run.
fn rival_survives(rival: usize, cell: Cell, recorded: &[Steady], runs: usize) -> Option<u64> {
    let rival = RIVALS.get(rival)?;
    let of_size = recorded.iter().filter(|fill| fill.size == cell.size);
    let survives = |fill: &&Steady| {
        let phase = |run: usize| (rounded(run as u64) + 0.5) / rounded(runs as u64);
        let full = |run| {
            full_at(
                rival,
                &fill.timeline,
                fill.capacity,
                seconds(cell.delay),
                phase(run),
            )
        };
        (0..runs).all(|run| full(run).is_none())
    };
    of_size.take_while(survives).last().map(|fill| fill.rate)
}

fn seconds(delay: Duration) -> f64 {
    delay.as_secs_f64()
}

fn cell(rate: Option<u64>, whole: Option<u64>, top: Option<u64>) -> String {
    let Some(rate) = rate else {
        return "none (0.00)".to_owned();
    };
    let mark = if Some(rate) == top { "+" } else { "" };
    match whole {
        Some(whole) => format!("{rate}{mark} ({:.2})", rounded(rate) / rounded(whole)),
        None => format!("{rate}{mark}"),
    }
}

fn row(name: &str, cells: impl Iterator<Item = String>) {
    let cells: String = cells.map(|cell| format!("{cell:>15}")).collect();
    println!("{name:<46}{cells}");
}
