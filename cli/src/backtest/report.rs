//! What came of replays, for people.

use super::Outcome;
use crate::{
    human,
    style::Tone,
    table::{Cell, Table, number, words},
};

/// A table of all databases, then what happened in each.
pub(super) fn render(outcomes: &[Outcome]) -> String {
    let mut table = Table::new([
        words("DATABASE"),
        number("MEASURED"),
        number("FOR"),
        number("GROWTHS"),
        number("FULL"),
        number("HIGHEST"),
        number("SIZE"),
        number("BUDGET HITS"),
        number("GIB-MONTHS UNUSED"),
    ]);
    for outcome in outcomes {
        let length = u64::try_from(outcome.to.duration_since(outcome.from).as_secs()).unwrap_or(0);
        let tone = if outcome.full.is_empty() {
            Tone::Good
        } else {
            Tone::Bad
        };
        table.row([
            outcome.database.as_str().into(),
            outcome.readings.to_string().into(),
            human::length(length).into(),
            outcome.growths.len().to_string().into(),
            Cell::toned(outcome.full.len().to_string(), tone),
            format!("{}%", outcome.highest).into(),
            human::size(outcome.size).into(),
            outcome.budget_hits.to_string().into(),
            format!("{:.3}", outcome.gib_months_unused).into(),
        ]);
    }
    outcomes.iter().fold(table.to_string(), |mut text, outcome| {
        story(&mut text, outcome);
        text
    })
}

/// What happened in one database, in the order of time.
fn story(text: &mut String, outcome: &Outcome) {
    let growths = outcome.growths.iter().map(|g| {
        let line = format!("{:.1}  grows   {}: {}", g.at, g.reason, g.message);
        (g.at, line)
    });
    let full = outcome.full.iter().map(|f| {
        let line = format!("{:.1}  FULL    {} for {:.1} s", f.at, f.claim, f.seconds);
        (f.at, Tone::Bad.paint(&line))
    });
    let mut lines: Vec<_> = growths.chain(full).collect();
    lines.sort_by_key(|(at, _)| *at);
    if lines.is_empty() && outcome.held.is_empty() {
        return;
    }
    text.push_str(&format!("\n{}\n", Tone::Heading.paint(&outcome.database)));
    for (_, line) in lines {
        text.push_str(&format!("  {line}\n"));
    }
    for (reason, held) in &outcome.held {
        let times = if held.times == 1 {
            "once".into()
        } else {
            format!("{} times", held.times)
        };
        text.push_str(&format!(
            "  held back {times} by {reason}, for {:.1} s in all\n",
            held.seconds
        ));
    }
}
