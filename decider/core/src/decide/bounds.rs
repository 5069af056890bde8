//! The rules that ask whether there is room, and how much of it to take.

use jiff::Timestamp;
use units::Bytes;

use super::{Database, Limits, Note, Profile, Seen, Volume};
use crate::{
    caps::{self, Cap, tightest},
    record::human,
    runaway,
    size::{self, Sizing},
    trigger,
};

/// At the autoscaler's upperBound, or at the largest that the storage gives.
pub(super) fn at_upper_bound(
    db: &Database,
    base: Bytes,
    limits: &Limits,
    profile: &Profile,
) -> Result<(), Note> {
    exhausted(db, base, &caps::of_policy(limits, profile))
}

/// Quota: the headroom for the sum over all claims, and limit ranges.
pub(super) fn quota(db: &Database, base: Bytes, profile: &Profile) -> Result<(), Note> {
    exhausted(db, base, &caps::of_namespace(db, profile))
}

/// Holds when the tightest of `caps` leaves nothing above the present size.
fn exhausted(db: &Database, base: Bytes, caps: &[Cap]) -> Result<(), Note> {
    match tightest(caps).filter(|cap| cap.limit <= base) {
        None => Ok(()),
        Some(cap) => {
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

/// Runaway: asked only without an upperBound, and not in an emergency.
pub(super) fn runaway(
    db: &Database,
    base: Bytes,
    limits: &Limits,
    fresh: &[(&Volume, &Seen)],
    now: Timestamp,
) -> Result<(), Note> {
    let exempt = limits.upper_bound.is_some() || fresh.iter().any(|(_, seen)| trigger::emergency(seen));
    match runaway::stop(db, base, now).filter(|_| !exempt) {
        None => Ok(()),
        Some(note) => Err(note),
    }
}

/// Size: always a true growth.
pub(super) fn sized(
    db: &Database,
    base: Bytes,
    fresh: &[(&Volume, &Seen)],
    limits: &Limits,
    profile: &Profile,
) -> Result<Sizing, Note> {
    let caps: Vec<Cap> = caps::of_policy(limits, profile)
        .into_iter()
        .chain(caps::of_namespace(db, profile))
        .collect();
    size::grow(base, fresh, limits, profile, caps)
        .map_err(|reason| Note::new(reason, format!("the rules give nothing above {}", human(base))))
}
