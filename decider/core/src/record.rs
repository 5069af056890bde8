//! What was seen and why it was decided so: one text for the condition's message, the Event and the log line.

use std::{fmt, time::Duration};

use jiff::Timestamp;
use units::{Percent, Reason, Usage};

use crate::{
    database::{self, Database, Seen, Volume},
    forecast,
    human::human,
    note::Note,
    policy::{Limits, Policy},
    profile::Profile,
    rate::{Trend, coarse},
    size::Sizing,
    trigger::Against,
};

/// One decision, explained. Texts hold times of change, never ages, so that an idle database's stays the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// When it was decided.
    pub at: Timestamp,
    /// The one word.
    pub reason: Reason,
    /// The words for this object.
    pub text: String,
    /// What was seen of each volume, in the order of the database's.
    pub volumes: Vec<VolumeRecord>,
    /// What else would have made it grow, had the cause told not done so.
    pub alternatives: Vec<Note>,
    /// The size and what it was weighed against, if it came to that.
    pub sizing: Option<Sizing>,
    /// What keeps this database from growing even if it had to; `None` if nothing does.
    pub barrier: Option<Note>,
    /// Things to know beside the decision.
    pub notes: Vec<Note>,
}

/// What was seen of one volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeRecord {
    /// Name of the claim.
    pub claim: String,
    /// The node that measured.
    pub node: Option<String>,
    /// Capacity, available, used; `None` is unknown, which is not zero.
    pub usage: Option<Usage>,
    /// Used inodes, where their number is fixed.
    pub inodes: Option<Percent>,
    /// Time since the numbers were last known to hold.
    pub sample_age: Option<Duration>,
    /// When they were measured.
    pub sampled_at: Option<Timestamp>,
    /// How fast it fills; unknown without a past.
    pub trend: Trend,
    /// When it is full if that goes on, from the time of the decision; also from a measurement too old to act upon.
    pub full_in: Option<Duration>,
    /// What a growth is reckoned to need: with less than this left, it is time.
    pub lead: Option<Duration>,
    /// What it says by itself.
    pub reason: Reason,
    /// The words for this volume.
    pub text: String,
}

impl Record {
    /// Text and remedy: what a condition, an Event and a log line print.
    #[must_use]
    pub fn message(&self) -> String {
        Note::new(self.reason, self.text.as_str()).message()
    }

    /// The fullest of the volumes that are known.
    #[must_use]
    pub fn fullest(&self) -> Option<(&VolumeRecord, Percent)> {
        let known = self.volumes.iter().filter_map(|v| Some((v, v.usage?.percent())));
        known.max_by_key(|(_, percent)| *percent)
    }
}

impl VolumeRecord {
    /// Judges one volume by itself.
    pub(crate) fn of(volume: &Volume, policy: &Policy, profile: &Profile, now: Timestamp) -> Self {
        let seen = volume.seen();
        let against = policy
            .limits
            .as_ref()
            .ok()
            .map(|limits| Against { limits, profile, now });
        let (reason, text) = judge(volume, policy, against, now);
        Self {
            claim: volume.claim.name.clone(),
            node: seen.map(|s| s.node.clone()),
            usage: seen.map(|s| s.sample.usage),
            inodes: seen
                .filter(|s| s.fixed_inodes)
                .and_then(|s| s.sample.inodes_percent()),
            sample_age: seen.map(|s| s.age(now)),
            sampled_at: seen.map(|s| s.sample.sampled_at),
            trend: seen.map(|s| s.trend).unwrap_or_default(),
            full_in: seen.and_then(|s| full_in(s, now)),
            lead: seen.map(|s| forecast::lead(s.age(now), profile.duration)),
            reason,
            text,
        }
    }

    /// What it would say of its fullness is not known, or is of no use.
    pub(crate) fn is_unknown(&self) -> bool {
        !self.reason.is_trigger()
            && !matches!(self.reason, Reason::BelowThreshold | Reason::FinishesAtNextMount)
    }
}

/// The word and the words for one volume.
fn judge(volume: &Volume, policy: &Policy, against: Option<Against<'_>>, now: Timestamp) -> (Reason, String) {
    let claim = &volume.claim.name;
    let seen = match &volume.usage {
        database::Usage::Seen(seen) => seen,
        database::Usage::Refused { reason, text } => return (*reason, format!("{claim}: {text}")),
        database::Usage::Never if volume.claim.mounted => {
            return (Reason::NotMeasured, format!("{claim} is not measured"));
        }
        database::Usage::Never => {
            return (Reason::FinishesAtNextMount, format!("{claim} is mounted nowhere"));
        }
    };
    if seen.is_stale(now, policy.stale_after) {
        if !volume.claim.mounted {
            return (Reason::FinishesAtNextMount, format!("{claim} is mounted nowhere"));
        }
        let why = match seen.stuck {
            None => String::new(),
            Some(0) => ", statfs hangs".into(),
            Some(errno) => format!(", statfs fails with errno {errno}"),
        };
        return (
            Reason::Stale,
            format!("{claim}: last measured {:.0} on {}{why}", seen.as_of, seen.node),
        );
    }
    if seen.sample.read_only {
        let Note { reason, text } = read_only(volume, seen);
        return (reason, text);
    }
    let numbers = Numbers(claim, seen.sample.usage);
    let Some(against) = against else {
        return (Reason::BelowThreshold, numbers.to_string());
    };
    match against.fired(seen) {
        Some(reason) => (reason, fires(reason, volume, seen, against)),
        None => (
            Reason::BelowThreshold,
            format!("{numbers}, threshold {}", against.limits.usage_threshold),
        ),
    }
}

/// How full a claim is, in words.
struct Numbers<'a>(&'a str, Usage);

impl fmt::Display for Numbers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(claim, usage) = self;
        let (percent, used, capacity) = (usage.percent(), human(usage.used), human(usage.capacity));
        write!(f, "{claim} is {percent} used ({used} of {capacity})")
    }
}

/// The words for a trigger that fires.
pub(crate) fn fires(reason: Reason, volume: &Volume, seen: &Seen, against: Against<'_>) -> String {
    let claim = &volume.claim.name;
    let Limits {
        usage_threshold,
        inode_threshold,
        ..
    } = against.limits;
    let numbers = Numbers(claim, seen.sample.usage);
    match (reason, against.forecast(seen)) {
        (Reason::InodesExceeded, _) => {
            let inodes = seen.sample.inodes_percent().unwrap_or(Percent::FULL);
            format!("{claim} has {inodes} of its inodes used, threshold {inode_threshold}")
        }
        (Reason::TimeToFull, Some(forecast)) => {
            let left = forecast.rate.fills(forecast.available).unwrap_or(Duration::MAX);
            format!(
                "{numbers} and fills at {}: full in {}, a growth is reckoned to need {}",
                forecast.rate,
                coarse(left),
                coarse(forecast.lead)
            )
        }
        _ => format!("{numbers}, threshold {usage_threshold}"),
    }
}

/// From now, though the numbers are of a while ago.
fn full_in(seen: &Seen, now: Timestamp) -> Option<Duration> {
    let left = seen.trend.full_in(seen.sample.usage.available)?;
    Some(left.saturating_sub(seen.age(now)))
}

/// Notes that hold whatever is decided.
pub(crate) fn notes(db: &Database, policy: &Policy, now: Timestamp) -> Vec<Note> {
    let seen = db
        .volumes
        .iter()
        .filter_map(|v| Some((v, v.fresh(now, policy.stale_after)?)));
    let read_only = seen
        .filter(|(_, seen)| seen.sample.read_only)
        .map(|(volume, seen)| read_only(volume, seen));
    policy
        .notes
        .iter()
        .cloned()
        .chain(spec_behind(db))
        .chain(
            db.wal_retained
                .iter()
                .map(|text| Note::new(Reason::WALRetained, text.as_str())),
        )
        .chain(read_only)
        .collect()
}

/// A volume whose filesystem cannot be written, and so cannot be grown.
pub(crate) fn read_only(volume: &Volume, seen: &Seen) -> Note {
    let text = format!("{} is mounted read-only on {}", volume.claim.name, seen.node);
    Note::new(Reason::ReadOnly, text)
}

/// Manifests were applied again that ask for less than the volumes have.
fn spec_behind(db: &Database) -> Option<Note> {
    let asked = db.spec_size.filter(|_| db.exists && db.open_request.is_none())?;
    let has = db
        .volumes
        .iter()
        .map(|v| v.claim.request.min(v.claim.capacity))
        .max()?;
    (asked < has).then(|| {
        Note::new(
            Reason::SpecBehind,
            format!(
                "Postgres {}: spec.storage.resources.requests.storage is {asked}, the volumes have {has}",
                db.name
            ),
        )
    })
}
