//! The rules that ask whether there is room, and how much of it to take.

use std::time::Duration;

use units::{Bytes, Reason};

use super::{Against, Database, Limits, Note, Profile, Seen, Volume};
use crate::{
    budget::Need,
    caps::{self, Bound, Cap},
    human::human,
    rate::coarse,
    runaway,
    size::{self, Sizing},
};

/// At the autoscaler's upperBound, or at the largest that the storage gives.
pub(super) fn at_upper_bound(
    db: &Database,
    base: Bytes,
    limits: &Limits,
    profile: &Profile,
) -> Result<(), Note> {
    exhausted(db, base, caps::of_policy(limits, profile))
}

/// Quota: the headroom for the sum over all claims, and limit ranges.
pub(super) fn quota(db: &Database, base: Bytes, profile: &Profile) -> Result<(), Note> {
    exhausted(db, base, caps::of_namespace(db, profile))
}

/// Holds when the tightest of `bounds` leaves nothing above the present size.
fn exhausted<'a>(db: &Database, base: Bytes, bounds: impl Iterator<Item = Bound<'a>>) -> Result<(), Note> {
    match bounds
        .min_by_key(|bound| bound.limit)
        .filter(|bound| bound.limit <= base)
    {
        None => Ok(()),
        Some(bound) => {
            let cap = bound.cap();
            let text = format!(
                "the volumes of {} have {}, {} leaves no growth",
                db.name,
                human(base),
                cap.what
            );
            Err(Note::new(cap.reason, text))
        }
    }
}

/// Budget: what the provider allows within a rolling time; a part of it is kept for emergencies.
pub(super) fn budget(db: &Database, writable: &[(&Volume, &Seen)], against: Against<'_>) -> Result<(), Note> {
    let need = if writable.iter().any(|(_, seen)| against.is_emergency(seen)) {
        Need::Emergency
    } else {
        Need::Ordinary
    };
    within_budget(db, need, against)
}

/// Whether the budget has something for an emergency: the most that it ever gives.
pub(super) fn budget_for_emergencies(db: &Database, against: Against<'_>) -> Result<(), Note> {
    within_budget(db, Need::Emergency, against)
}

fn within_budget(db: &Database, need: Need, against: Against<'_>) -> Result<(), Note> {
    let Some(budget) = &against.profile.modifications else {
        return Ok(());
    };
    let next = budget.permitted(&db.modified, need, against.now);
    if next <= against.now {
        return Ok(());
    }
    let spent = budget.count_spent(&db.modified, against.now);
    let unknown = budget
        .unknown(&db.modified, against.now)
        .map_or_else(String::new, |at| {
            format!(", what was before {at:.0} is not known and counts as spent")
        });
    let reserve = match need {
        Need::Ordinary if budget.reserve > 0 => format!(", {} kept for emergencies", budget.reserve),
        Need::Ordinary | Need::Emergency => String::new(),
    };
    Err(Note::new(
        Reason::BudgetSpent,
        format!(
            "storage profile {} allows {} modifications in {}, {spent} are spent{unknown}{reserve}: the next one at {next:.0}",
            against.profile.name,
            budget.count,
            coarse(budget.window),
        ),
    ))
}

/// Runaway: asked only without an upperBound, and not in an emergency.
pub(super) fn runaway(
    db: &Database,
    base: Bytes,
    writable: &[(&Volume, &Seen)],
    against: Against<'_>,
) -> Result<(), Note> {
    let exempt =
        against.limits.upper_bound.is_some() || writable.iter().any(|(_, seen)| against.is_emergency(seen));
    match runaway::stop(db, base, against.now).filter(|_| !exempt) {
        None => Ok(()),
        Some(note) => Err(note),
    }
}

/// Size: always a true growth.
pub(super) fn sized(
    db: &Database,
    base: Bytes,
    writable: &[(&Volume, &Seen)],
    against: Against<'_>,
) -> Result<Sizing, Note> {
    let Against { limits, profile, now } = against;
    let caps: Vec<Cap> = caps::of_policy(limits, profile)
        .chain(caps::of_namespace(db, profile))
        .chain(caps::of_failure(db, base, profile))
        .map(Bound::cap)
        .collect();
    let until_next = profile
        .modifications
        .map_or(Duration::ZERO, |budget| budget.next(&db.modified, now));
    size::grow(base, writable, against, until_next, caps)
        .map_err(|reason| Note::new(reason, format!("the rules give nothing above {}", human(base))))
}
