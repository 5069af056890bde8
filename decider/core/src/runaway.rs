//! The guard against a volume that something fills without end: without an upperBound, a day's growth is bounded.

use std::time::Duration;

use jiff::Timestamp;
use units::{Bytes, Reason};

use crate::{
    database::{Database, PastGrowth},
    human::human,
    note::Note,
    sample::elapsed,
};

/// Growths within [`WINDOW`]: what EBS allows, and more than a healthy database needs.
const MOST_GROWTHS: usize = 4;
/// Growth within [`WINDOW`], as a multiple of the size at its begin.
const MOST_TIMES: u64 = 4;
/// Rolling.
const WINDOW: Duration = Duration::from_secs(24 * 3600);

/// Says stop when the guard holds. Emergencies and databases with an upperBound are not asked.
pub(crate) fn stop(db: &Database, base: Bytes, now: Timestamp) -> Option<Note> {
    let recent: Vec<&PastGrowth> = db
        .growths
        .iter()
        .filter(|g| elapsed(g.at, now) < WINDOW)
        .collect();
    let first = recent.iter().min_by_key(|g| g.at)?;
    if recent.len() >= MOST_GROWTHS {
        return Some(Note::new(
            Reason::Runaway,
            format!(
                "grown {} times since {}, from {} to {}",
                recent.len(),
                first.at,
                human(first.from),
                human(base)
            ),
        ));
    }
    let most = first.from.checked_mul_ratio(MOST_TIMES, 1)?;
    (base >= most).then(|| {
        Note::new(
            Reason::Runaway,
            format!(
                "grown {MOST_TIMES}-fold since {}, from {} to {}",
                first.at,
                human(first.from),
                human(base)
            ),
        )
    })
}
