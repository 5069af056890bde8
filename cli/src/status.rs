//! `status`: a line for each database.

use api::view::Database;
use jiff::Timestamp;

use crate::{
    args::Form,
    cluster::Cluster,
    error::Error,
    human, output,
    style::{self, Tone},
    table::{Cell, Table, number, words},
};

/// Percent from which a volume stands out whatever its threshold.
const NEARLY_FULL: u8 = 95;

pub(crate) async fn status(cluster: &Cluster, form: Form) -> Result<(), Error> {
    let answer = cluster.databases().await?;
    output::answer(form, &answer.content, || match answer.content.as_slice() {
        [] => cluster.has_none(),
        databases => render(databases, answer.replica.at),
    })
}

/// The table.
pub(crate) fn render(databases: &[Database], now: Timestamp) -> String {
    let mut table = Table::new([
        words("NAMESPACE"),
        words("DATABASE"),
        number("USED"),
        number("OF"),
        number("RATE"),
        number("FULL IN"),
        words("CAN GROW"),
        words("LAST GROWTH"),
        words("NEXT"),
        words("REASON"),
    ]);
    for database in databases {
        let fullest = fullest(database);
        let usage = fullest.and_then(|v| v.usage);
        table.row([
            database.namespace.as_str().into(),
            database.name.as_str().into(),
            usage.map_or_else(|| "".into(), |u| used(u.percent, database)),
            usage.map(|u| human::size(u.capacity)).unwrap_or_default().into(),
            human::rate(database.rate).into(),
            full_in(database),
            can_grow(database),
            last(database, now).into(),
            next(database).into(),
            Cell::toned(
                &database.decision.reason,
                style::of_reason(&database.decision.reason),
            ),
        ]);
    }
    table.to_string()
}

/// The fullest of the volumes that are known.
pub(crate) fn fullest(database: &Database) -> Option<&api::view::Volume> {
    let known = database.volumes.iter().filter(|v| v.usage.is_some());
    known.max_by_key(|v| v.usage.map(|u| u.percent))
}

fn used(percent: u8, database: &Database) -> Cell {
    let threshold = database.thresholds.as_ref().map_or(100, |t| t.usage);
    let tone = match percent {
        p if p >= NEARLY_FULL => Tone::Bad,
        p if p > threshold => Tone::Doubtful,
        _ => Tone::Plain,
    };
    Cell::toned(format!("{percent}%"), tone)
}

fn full_in(database: &Database) -> Cell {
    let text = human::full_in(database.full_in, database.rate);
    match database.full_in {
        Some(seconds) if seconds < 3_600 && !database.can_grow => Cell::toned(text, Tone::Bad),
        Some(seconds) if seconds < 3_600 => Cell::toned(text, Tone::Doubtful),
        _ => text.into(),
    }
}

/// `yes`, or what keeps it.
fn can_grow(database: &Database) -> Cell {
    match &database.barrier {
        _ if database.can_grow => Cell::toned("yes", Tone::Good),
        Some(barrier) => Cell::toned(format!("no: {barrier}"), Tone::Bad),
        None => Cell::toned("no", Tone::Bad),
    }
}

/// `512Mi -> 768Mi, 3m ago`.
fn last(database: &Database, now: Timestamp) -> String {
    let Some(last) = &database.last else {
        return String::new();
    };
    let size = |size: Option<u64>| size.map_or_else(|| human::UNKNOWN.into(), human::size);
    let ago = last
        .at
        .map(|at| format!(", {}", human::ago(at, now)))
        .unwrap_or_default();
    format!("{} -> {}{ago}", size(last.from), size(last.to))
}

/// What will happen without anybody's doing.
fn next(database: &Database) -> String {
    let to = |to: Option<u64>| to.map_or_else(String::new, |to| format!(" to {}", human::size(to)));
    if let Some(request) = &database.request {
        let phase = request.phase.as_deref().unwrap_or("Pending");
        return format!("{}{}, {phase}", request.name, to(request.to));
    }
    if database.decision.to.is_some() {
        return format!("grows{}", to(database.decision.to));
    }
    match database.budget.as_ref().and_then(|b| b.next) {
        Some(at) => format!("not before {at:.0}"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests;
