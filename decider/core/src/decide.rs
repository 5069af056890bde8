//! The decision. Its order is the documentation: each rule is one line of [`ask`], and each line that says
//! "hold" ends it.

use jiff::Timestamp;
use units::{Bytes, Reason};

use crate::{
    caps::{self, Cap, tightest},
    database::{Database, Resize, Seen, Volume},
    note::Note,
    policy::{Limits, Mode, Policy, Trigger},
    profile::{Expansion, Profile},
    record::{self, Record, VolumeRecord, human},
    runaway,
    sample::elapsed,
    size::{self, Sizing},
    trigger,
};

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
        .map(|v| VolumeRecord::of(v, policy, now))
        .collect();
    let barrier = able(db, policy, profile, now, &volumes)
        .err()
        .map(|note| note.reason);
    let answer = ask(db, policy, profile, now, &volumes);
    let mut record = Record {
        at: now,
        reason: Reason::BelowThreshold,
        text: String::new(),
        volumes,
        sizing: None,
        barrier,
        notes: record::notes(db, policy),
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
        Ok(Growth { to, base, why, text }) => {
            (record.reason, record.text) = (why, text);
            Decision::Expand {
                to,
                base,
                why,
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
    text: String,
}

/// The order. `Err` is a hold with its reason.
fn ask(
    db: &Database,
    policy: &Policy,
    profile: &Profile,
    now: Timestamp,
    volumes: &[VolumeRecord],
) -> (Result<Growth, Note>, Option<Sizing>) {
    let mut sizing = None;
    let answer = (|| {
        off(policy)?;
        unknown_database(db)?;
        two_autoscalers(db)?;
        let limits = usable(policy)?;
        other_controller(db)?;
        let fresh = measured(db, policy, now, volumes)?;
        shared_filesystem(profile, &fresh)?;
        expandable(db, profile)?;
        pause::request_open(db)?;
        pause::request_failed(db, now)?;
        pause::resize_in_flight(db)?;
        pause::not_followed(db)?;
        let cause = triggers(&fresh, limits, volumes)?;
        let base = size::base(db).ok_or_else(|| Note::new(Reason::NotMeasured, "no claim has a size"))?;
        at_upper_bound(db, base, limits, profile)?;
        // The budget of modifications is asked here, once profiles' windows are counted.
        quota(db, base, profile)?;
        runaway(db, base, limits, &fresh, now)?;
        let size = sizing.insert(sized(db, base, &fresh, limits, profile)?);
        let growth = Growth {
            to: size.to,
            base,
            why: cause.reason,
            text: format!("{}: {}", cause.text, size.text()),
        };
        shadow(policy, &growth)?;
        Ok(growth)
    })();
    (answer, sizing)
}

/// The same questions without those that time answers: could it grow if it had to?
fn able(
    db: &Database,
    policy: &Policy,
    profile: &Profile,
    now: Timestamp,
    volumes: &[VolumeRecord],
) -> Result<(), Note> {
    off(policy)?;
    unknown_database(db)?;
    two_autoscalers(db)?;
    let limits = usable(policy)?;
    other_controller(db)?;
    let fresh = measured(db, policy, now, volumes)?;
    shared_filesystem(profile, &fresh)?;
    expandable(db, profile)?;
    let base = size::base(db).unwrap_or(Bytes::ZERO);
    at_upper_bound(db, base, limits, profile)?;
    quota(db, base, profile)?;
    runaway(db, base, limits, &fresh, now)?;
    match policy.mode {
        Mode::Live => Ok(()),
        Mode::Shadow => Err(Note::new(Reason::Shadow, "")),
    }
}

/// Off: the user said no.
fn off(policy: &Policy) -> Result<(), Note> {
    match policy.trigger {
        Trigger::On => Ok(()),
        Trigger::Off => Err(Note::new(
            Reason::TriggerOff,
            "spec.storage.postgres.trigger is Off",
        )),
    }
}

/// Unknown database: nothing to grow.
fn unknown_database(db: &Database) -> Result<(), Note> {
    if db.exists {
        return Ok(());
    }
    Err(Note::new(
        Reason::DatabaseNotFound,
        format!("Postgres {} does not exist", db.name),
    ))
}

/// Two autoscalers: whose numbers hold is not ours to guess, so none acts.
fn two_autoscalers(db: &Database) -> Result<(), Note> {
    if db.other_autoscalers.is_empty() {
        return Ok(());
    }
    let others = db.other_autoscalers.join(", ");
    Err(Note::new(
        Reason::DuplicateAutoscaler,
        format!("Postgres {} is also named by {others}", db.name),
    ))
}

/// A policy that cannot be read: growing by a guess is worse than saying so.
fn usable(policy: &Policy) -> Result<&Limits, Note> {
    policy
        .limits
        .as_ref()
        .map_err(|error| Note::new(Reason::InvalidPolicy, error.to_string()))
}

/// Another controller on a claim: two of them double every growth.
fn other_controller(db: &Database) -> Result<(), Note> {
    let found = db
        .volumes
        .iter()
        .find_map(|v| Some((&v.claim.name, v.claim.other_controller.as_ref()?)));
    match found {
        None => Ok(()),
        Some((claim, what)) => Err(Note::new(
            Reason::OtherController,
            format!("claim {claim} carries {what}"),
        )),
    }
}

/// Not measured, or stale: without one fresh number nothing is known, and unknown is neither full nor empty.
/// One is enough to go on: what it says is true whatever the others would say.
fn measured<'a>(
    db: &'a Database,
    policy: &Policy,
    now: Timestamp,
    volumes: &[VolumeRecord],
) -> Result<Vec<(&'a Volume, &'a Seen)>, Note> {
    let fresh: Vec<_> = db
        .volumes
        .iter()
        .filter_map(|v| Some((v, v.fresh(now, policy.stale_after)?)))
        .collect();
    if !fresh.is_empty() {
        return Ok(fresh);
    }
    if let Some(stale) = volumes.iter().find(|v| v.reason == Reason::Stale) {
        return Err(Note::new(Reason::Stale, stale.text.clone()));
    }
    match volumes
        .iter()
        .find(|v| v.is_unknown())
        .or_else(|| volumes.first())
    {
        None => Err(Note::new(
            Reason::NotMeasured,
            format!("Postgres {} has no claim yet", db.name),
        )),
        // The refusal's own word goes to the volume; the database is, for whatever cause, not measured.
        Some(volume) => Err(Note::new(Reason::NotMeasured, volume.text.clone())),
    }
}

/// Shared filesystem: its fullness is not this database's, and growing the claim does not help.
fn shared_filesystem(profile: &Profile, fresh: &[(&Volume, &Seen)]) -> Result<(), Note> {
    if profile.shared_filesystem {
        let text = format!(
            "storage profile {} says that claims share a filesystem",
            profile.name
        );
        return Err(Note::new(Reason::SharedFilesystem, text));
    }
    match fresh.iter().find(|(_, seen)| seen.network) {
        None => Ok(()),
        Some((volume, _)) => Err(Note::new(
            Reason::SharedFilesystem,
            format!("{} is on a network filesystem", volume.claim.name),
        )),
    }
}

/// Not expandable: the API server would refuse each claim.
fn expandable(db: &Database, profile: &Profile) -> Result<(), Note> {
    if let Some(volume) = db.volumes.iter().find(|v| !v.claim.expandable) {
        let text = format!(
            "storage class {:?} of claim {} does not",
            volume.claim.class, volume.claim.name
        );
        return Err(Note::new(
            Reason::NotExpandable,
            format!("{text} allow expansion"),
        ));
    }
    match profile.expansion {
        Expansion::Online | Expansion::Offline => Ok(()),
        Expansion::Unsupported => {
            let text = format!(
                "storage profile {} says that its driver cannot expand",
                profile.name
            );
            Err(Note::new(Reason::NotExpandable, text))
        }
    }
}

/// Triggers: any volume is enough. When none fires, a volume that is not known is not "below".
fn triggers(fresh: &[(&Volume, &Seen)], limits: &Limits, volumes: &[VolumeRecord]) -> Result<Note, Note> {
    let fired = |record: &&VolumeRecord| {
        fresh
            .iter()
            .any(|(v, s)| v.claim.name == record.claim && trigger::fired(s, limits).is_some())
    };
    let fullest = |record: &&VolumeRecord| record.usage.map(|u| u.percent());
    if let Some(volume) = volumes.iter().filter(fired).max_by_key(fullest) {
        return Ok(Note::new(volume.reason, volume.text.clone()));
    }
    if let Some(unknown) = volumes.iter().find(|v| v.is_unknown()) {
        let reason = if unknown.reason == Reason::Stale {
            Reason::Stale
        } else {
            Reason::NotMeasured
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

/// At the autoscaler's upperBound, or at the largest that the storage gives.
fn at_upper_bound(db: &Database, base: Bytes, limits: &Limits, profile: &Profile) -> Result<(), Note> {
    exhausted(db, base, &caps::of_policy(limits, profile))
}

/// Quota: the headroom for the sum over all claims, and limit ranges.
fn quota(db: &Database, base: Bytes, profile: &Profile) -> Result<(), Note> {
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
fn runaway(
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
fn sized(
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

/// Shadow: all is decided, nothing is done.
fn shadow(policy: &Policy, growth: &Growth) -> Result<(), Note> {
    match policy.mode {
        Mode::Live => Ok(()),
        Mode::Shadow => Err(Note::new(Reason::Shadow, format!("would grow: {}", growth.text))),
    }
}
