//! The decision. Its order is the documentation: each rule is one line of [`ready`] or, after that, of [`ask`], and each
//! line that says "hold" ends it.

use jiff::Timestamp;
use units::{Bytes, Reason};

use crate::{
    database::{Database, Seen, Volume},
    note::Note,
    policy::{Limits, Mode, Policy, Trigger},
    profile::{Expansion, Profile},
    record::{self, Record, VolumeRecord},
    size::{self, Sizing},
    trigger::Against,
};

mod able;
mod bounds;
mod pause;

/// Hold or expand, with the record of why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Nothing is done now.
    Hold {
        /// Why not.
        reason: Reason,
        /// In full.
        record: Record,
    },
    /// All claims of the database are to be given this size.
    Expand {
        /// Larger than any of them.
        to: Bytes,
        /// The size it starts from: part of the request's name.
        base: Bytes,
        /// What made it necessary.
        why: Reason,
        /// The request that this one takes the place of. It is to run in any state of the database.
        supersedes: Option<String>,
        /// In full.
        record: Record,
    },
}

impl Decision {
    /// The record, whatever was decided.
    #[must_use]
    pub const fn record(&self) -> &Record {
        match self {
            Self::Hold { record, .. } | Self::Expand { record, .. } => record,
        }
    }

    /// The one word.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.record().reason
    }
}

/// Decides for one database. Pure and total: the same input gives the same answer, and every input an answer.
#[must_use]
pub fn decide(db: &Database, policy: &Policy, profile: &Profile, now: Timestamp) -> Decision {
    let volumes: Vec<_> = db
        .volumes
        .iter()
        .map(|v| VolumeRecord::of(v, policy, profile, now))
        .collect();
    let ready = ready(db, policy, profile, now, &volumes);
    let barrier = could_grow(db, policy, &ready).err();
    let answer = ask(db, policy, &ready, &volumes);
    let mut record = Record {
        at: now,
        reason: Reason::BelowThreshold,
        text: String::new(),
        alternatives: alternatives(db, policy, profile, answer.0.as_ref(), now),
        volumes,
        sizing: None,
        barrier,
        notes: record::notes(db, policy, now),
    };
    let (outcome, sizing) = answer;
    if sizing.as_ref().is_some_and(|s| s.fallback) {
        record.notes.push(Note::new(
            Reason::RuleFallback,
            "no tier of scalingRules reaches this size",
        ));
    }
    record.sizing = sizing;
    match outcome {
        Err(Note { reason, text }) => {
            (record.reason, record.text) = (reason, text);
            Decision::Hold { reason, record }
        }
        Ok(Growth {
            to,
            base,
            why,
            supersedes,
            text,
        }) => {
            (record.reason, record.text) = (why, text);
            Decision::Expand {
                to,
                base,
                why,
                supersedes,
                record,
            }
        }
    }
}

/// What an expansion needs.
struct Growth {
    to: Bytes,
    base: Bytes,
    why: Reason,
    supersedes: Option<String>,
    text: String,
}

/// A database that may grow, and what of it can be acted upon.
struct Ready<'a> {
    against: Against<'a>,
    writable: Vec<(&'a Volume, &'a Seen)>,
}

/// The first part of the order: may it grow at all, whatever its volumes say? `Err` is a hold with its reason.
fn ready<'a>(
    db: &'a Database,
    policy: &'a Policy,
    profile: &'a Profile,
    now: Timestamp,
    volumes: &[VolumeRecord],
) -> Result<Ready<'a>, Note> {
    able::off(policy)?;
    able::unknown_database(db)?;
    able::two_autoscalers(db)?;
    let limits = able::usable(policy)?;
    able::other_controller(db)?;
    let fresh = able::measured(db, policy, now, volumes)?;
    able::shared_filesystem(profile, &fresh)?;
    let writable = able::writable(fresh)?;
    able::expandable(db, policy, profile)?;
    let against = Against { limits, profile, now };
    Ok(Ready { against, writable })
}

/// The rest of the order.
fn ask(
    db: &Database,
    policy: &Policy,
    ready: &Result<Ready<'_>, Note>,
    volumes: &[VolumeRecord],
) -> (Result<Growth, Note>, Option<Sizing>) {
    let mut sizing = None;
    let answer = (|| {
        let Ready { against, writable } = ready.as_ref().map_err(Clone::clone)?;
        let Against { limits, profile, now } = *against;
        let superseded = pause::request_open(db, writable, *against)?;
        pause::request_failed(db, now)?;
        pause::resize_in_flight(db)?;
        pause::not_followed(db)?;
        let cause = triggers(writable, *against, volumes)?;
        let base = size::base(db).ok_or_else(|| Note::new(Reason::NotMeasured, "no claim has a size"))?;
        bounds::at_upper_bound(db, base, limits, profile)?;
        bounds::budget(db, writable, *against)?;
        bounds::quota(db, base, profile)?;
        bounds::runaway(db, base, writable, *against)?;
        let size = sizing.insert(bounds::sized(db, base, writable, *against)?);
        let cause = superseding(cause, superseded);
        let growth = Growth {
            to: size.to,
            base,
            why: cause.reason,
            supersedes: superseded.map(str::to_owned),
            text: format!("{}: {}{}", cause.text, size.text(), pinned(db)),
        };
        shadow(policy, &growth)?;
        Ok(growth)
    })();
    (answer, sizing)
}

/// The same questions without those that time answers: could it grow if it had to?
fn could_grow(db: &Database, policy: &Policy, ready: &Result<Ready<'_>, Note>) -> Result<(), Note> {
    let Ready { against, writable } = ready.as_ref().map_err(Clone::clone)?;
    let Against { limits, profile, .. } = *against;
    able::somebody_resizes(db)?;
    let base = size::base(db).unwrap_or(Bytes::ZERO);
    bounds::at_upper_bound(db, base, limits, profile)?;
    bounds::budget_for_emergencies(db, *against)?;
    bounds::quota(db, base, profile)?;
    bounds::runaway(db, base, writable, *against)?;
    match policy.mode {
        Mode::Live => Ok(()),
        Mode::Shadow => Err(Note::new(
            Reason::Shadow,
            "annotation highwater.dev/mode is Shadow",
        )),
    }
}

/// Triggers: any volume is enough. When none fires, a volume that is not known, or cannot grow, is not "below".
fn triggers(
    writable: &[(&Volume, &Seen)],
    against: Against<'_>,
    volumes: &[VolumeRecord],
) -> Result<Note, Note> {
    let fire: Vec<&str> = writable
        .iter()
        .filter(|(_, seen)| against.fired(seen).is_some())
        .map(|(volume, _)| volume.claim.name.as_str())
        .collect();
    let fired = |record: &&VolumeRecord| fire.contains(&record.claim.as_str());
    let fullest = |record: &&VolumeRecord| record.usage.map(|u| u.percent());
    if let Some(volume) = volumes.iter().filter(fired).max_by_key(fullest) {
        return Ok(Note::new(volume.reason, volume.text.clone()));
    }
    if let Some(unknown) = volumes.iter().find(|v| v.is_unknown()) {
        // The refusal's own word goes to the volume; the database is, for whatever cause, not measured.
        let reason = match unknown.reason {
            Reason::Stale | Reason::ReadOnly => unknown.reason,
            _ => Reason::NotMeasured,
        };
        return Err(Note::new(reason, unknown.text.clone()));
    }
    let below = volumes
        .iter()
        .filter(|v| v.reason == Reason::BelowThreshold)
        .max_by_key(fullest);
    Err(Note::new(
        Reason::BelowThreshold,
        below.map(|v| v.text.clone()).unwrap_or_default(),
    ))
}

/// Alternatives: what else fires, whatever was told as the cause.
fn alternatives(
    db: &Database,
    policy: &Policy,
    profile: &Profile,
    told: Result<&Growth, &Note>,
    now: Timestamp,
) -> Vec<Note> {
    let Ok(limits) = &policy.limits else {
        return Vec::new();
    };
    let against = Against { limits, profile, now };
    let seen = db
        .volumes
        .iter()
        .filter_map(|v| Some((v, v.fresh(now, policy.stale_after)?)));
    let fires = seen
        .filter(|(_, seen)| !seen.sample.read_only)
        .flat_map(|(volume, seen)| {
            against
                .all(seen)
                .map(move |reason| Note::new(reason, record::fires(reason, volume, seen, against)))
        });
    let told = told.map_or_else(|note| note.text.as_str(), |growth| growth.text.as_str());
    fires.filter(|note| !told.contains(&note.text)).collect()
}

/// What of the growth goes to log that nobody takes.
fn pinned(db: &Database) -> String {
    let retained = db.wal_retained.as_ref();
    retained.map_or_else(String::new, |text| format!("; {}: {text}", Reason::WALRetained))
}

/// Superseding: what the volume says is why, and the request that waits is why now.
fn superseding(cause: Note, superseded: Option<&str>) -> Note {
    match superseded {
        None => cause,
        Some(request) => Note::new(
            Reason::IfReadySuperseded,
            format!(
                "PostgresOpsRequest {request} waits for the database to be Ready, which its storage keeps it from: {}",
                cause.text
            ),
        ),
    }
}

/// Shadow: all is decided, nothing is done.
fn shadow(policy: &Policy, growth: &Growth) -> Result<(), Note> {
    match policy.mode {
        Mode::Live => Ok(()),
        Mode::Shadow => Err(Note::new(Reason::Shadow, format!("would grow: {}", growth.text))),
    }
}
