//! The table: who survives what.

use super::{
    Cell, Rule,
    filler::rounded,
    rivals::{RIVALS, Rival, full_at},
    search,
    steady::Steady,
};

/// One column: what each of our rules survives.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    pub(super) cell: Cell,
    pub(super) whole: Searched,
    pub(super) threshold: Searched,
}

/// What a search has found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Searched {
    /// If any rate is survived.
    pub(super) best: Option<Best>,
    /// It could not be brought to its end: more may be survived.
    pub(super) open: bool,
}

/// The highest rate that is survived.
#[derive(Debug, Clone, Copy)]
pub(super) struct Best {
    /// MiB a second.
    pub(super) rate: u64,
    /// How many times as large as at first the volumes were then.
    pub(super) grown: f64,
}

/// Prints all columns: rates, and in brackets their part of what all rules survive. What is marked `+`
/// survived all that was tried; `?` is where a search could not be brought to its end, or nothing was recorded.
///
/// # Errors
/// None: what is searched is at hand.
pub(super) async fn print(
    columns: &[Column],
    recorded: &[Steady],
    rates: &[u64],
    runs: usize,
) -> anyhow::Result<()> {
    println!("\nhighest rate survived in {runs} of {runs} runs, MiB/s (part of Highwater's)");
    row(
        "size, expansions longer by",
        columns.iter().map(|c| c.cell.to_string()),
    );
    let of = |rate: Option<u64>, column: &Column| cell(rate, column.whole.best, rates);
    let ours = |searched: Searched, column: &Column| match searched {
        // What was tried may be anywhere above what was not.
        Searched {
            best: None,
            open: true,
        } => "?".to_owned(),
        Searched { best, open } => of(best.map(|best| best.rate), column) + if open { "?" } else { "" },
    };
    let whole = columns.iter().map(|c| ours(c.whole, c));
    row(&Rule::Whole.to_string(), whole);
    let threshold = columns.iter().map(|c| ours(c.threshold, c));
    row(&Rule::ThresholdAlone.to_string(), threshold);
    for rival in &RIVALS {
        let mut cells = Vec::new();
        for column in columns {
            let Cell { size, .. } = column.cell;
            if size.gib < rival.smallest {
                cells.push("-".to_owned());
                continue;
            }
            let fills: Vec<&Steady> = recorded.iter().filter(|fill| fill.size == size).collect();
            let survived = survives(rival, column.cell, &fills, runs).await?;
            // The rate that would have been lost was not recorded.
            let next = rates.iter().find(|rate| Some(**rate) > survived);
            let open = next.is_some_and(|next| fills.iter().all(|fill| fill.rate != *next));
            cells.push(of(survived, column) + if open { "?" } else { "" });
        }
        row(rival.name, cells.into_iter());
    }
    let grown = |searched: Searched| {
        let grown = |best: Best| format!("{:.1}", best.grown);
        searched.best.map_or_else(|| "-".to_owned(), grown)
    };
    println!("\nsize at the end of such a fill, times the first; a fill takes 1.25 times the first");
    row(&Rule::Whole.to_string(), columns.iter().map(|c| grown(c.whole)));
    let threshold = columns.iter().map(|c| grown(c.threshold));
    row(&Rule::ThresholdAlone.to_string(), threshold);
    Ok(())
}

/// The highest rate that a rival survives, searched as ours is, by the recorded fills; it looks at another time in each run.
async fn survives(
    rival: &Rival,
    cell: Cell,
    recorded: &[&Steady],
    runs: usize,
) -> anyhow::Result<Option<u64>> {
    let rates: Vec<u64> = recorded.iter().map(|fill| fill.rate).collect();
    search::highest(&rates, async |rate| {
        let fill = recorded.iter().find(|fill| fill.rate == rate);
        let expansion = cell.delay.as_secs_f64();
        let phase = |run: usize| (rounded(run as u64) + 0.5) / rounded(runs as u64);
        Ok(fill.is_some_and(|fill| {
            (0..runs)
                .all(|run| full_at(rival, &fill.timeline, fill.capacity, expansion, phase(run)).is_none())
        }))
    })
    .await
}

fn cell(rate: Option<u64>, whole: Option<Best>, rates: &[u64]) -> String {
    let Some(rate) = rate else {
        return rates.first().map(|least| format!("<{least}")).unwrap_or_default();
    };
    let mark = if rates.last() == Some(&rate) { "+" } else { "" };
    match whole {
        Some(whole) => format!("{rate}{mark} ({:.2})", rounded(rate) / rounded(whole.rate)),
        None => format!("{rate}{mark}"),
    }
}

fn row(name: &str, cells: impl Iterator<Item = String>) {
    let cells: String = cells.map(|cell| format!("{cell:>15}")).collect();
    println!("{name:<46}{cells}");
}
