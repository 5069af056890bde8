//! The rules that ask whether this database may grow at all, whatever its volumes say.

use jiff::Timestamp;
use units::Reason;

use super::{
    Database, Expansion, Limits, Note, Policy, Profile, Seen, Trigger, Volume, VolumeRecord, record,
};

/// Off: the user said no.
pub(super) fn off(policy: &Policy) -> Result<(), Note> {
    match policy.trigger {
        Trigger::On => Ok(()),
        Trigger::Off => Err(Note::new(
            Reason::TriggerOff,
            "spec.storage.postgres.trigger is Off",
        )),
    }
}

/// Unknown database: nothing to grow.
pub(super) fn unknown_database(db: &Database) -> Result<(), Note> {
    if db.exists {
        return Ok(());
    }
    Err(Note::new(
        Reason::DatabaseNotFound,
        format!("Postgres {} does not exist", db.name),
    ))
}

/// Two autoscalers: whose numbers hold is not ours to guess, so none acts.
pub(super) fn two_autoscalers(db: &Database) -> Result<(), Note> {
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
pub(super) fn usable(policy: &Policy) -> Result<&Limits, Note> {
    policy
        .limits
        .as_ref()
        .map_err(|error| Note::new(Reason::InvalidPolicy, error.to_string()))
}

/// Another controller on a claim: two of them double every growth.
pub(super) fn other_controller(db: &Database) -> Result<(), Note> {
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
pub(super) fn measured<'a>(
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
pub(super) fn shared_filesystem(profile: &Profile, fresh: &[(&Volume, &Seen)]) -> Result<(), Note> {
    if profile.shared_filesystem == Some(true) {
        let text = format!(
            "storage profile {} says that claims share a filesystem",
            profile.name
        );
        return Err(Note::new(Reason::SharedFilesystem, text));
    }
    if let Some((volume, _)) = fresh.iter().find(|(_, seen)| seen.network) {
        let text = format!("{} is on a network filesystem", volume.claim.name);
        return Err(Note::new(Reason::SharedFilesystem, text));
    }
    // What is said of the class goes before what is seen.
    if profile.shared_filesystem.is_some() {
        return Ok(());
    }
    match fresh.iter().find(|(volume, seen)| is_directory(volume, seen)) {
        Some((volume, seen)) => {
            let text = format!(
                "{} has {} and is on a filesystem of {} that other PersistentVolumes are on, too; if it is to be grown all the \
                 same, set sharedFilesystem: false in a StorageProfile for its storage class",
                volume.claim.name, seen.sample.usage.capacity, seen.node
            );
            Err(Note::new(Reason::SharedFilesystem, text))
        }
        None => Ok(()),
    }
}

/// One of several on a disk, of which it shows the whole. With a quota each, directories show sizes of their own, which are
/// the claims'.
fn is_directory(volume: &Volume, seen: &Seen) -> bool {
    let own = volume.claim.capacity.max(volume.claim.device);
    seen.shared && seen.sample.usage.capacity > own
}

/// Read-only: nobody fills such a filesystem, and neither its driver nor kubelet grows it. What the writable ones say
/// still counts: a member with a broken disk must not keep the others from growing.
pub(super) fn writable<'a>(
    mut fresh: Vec<(&'a Volume, &'a Seen)>,
) -> Result<Vec<(&'a Volume, &'a Seen)>, Note> {
    let first = fresh.first().copied();
    fresh.retain(|(_, seen)| !seen.sample.read_only);
    match first {
        Some((volume, seen)) if fresh.is_empty() => Err(record::read_only(volume, seen)),
        Some(_) | None => Ok(fresh),
    }
}

/// Not expandable: the API server would refuse each claim, or the driver while the volume is in use.
pub(super) fn expandable(db: &Database, policy: &Policy, profile: &Profile) -> Result<(), Note> {
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
        Expansion::Online => Ok(()),
        Expansion::Offline if policy.offline => Ok(()),
        Expansion::Offline => {
            let text = format!(
                "storage profile {} says that its driver expands only volumes not in use; set \
                 spec.storage.postgres.expansionMode to Offline, which stops one member after the other",
                profile.name
            );
            Err(Note::new(Reason::InUse, text))
        }
        Expansion::Unsupported => {
            let text = format!(
                "storage profile {} says that its driver cannot expand",
                profile.name
            );
            Err(Note::new(Reason::NotExpandable, text))
        }
    }
}

/// Somebody resizes: the last request at this size found nobody who does, or whoever did has gone. It is tried all the same:
/// neither proves that nobody comes.
pub(super) fn somebody_resizes(db: &Database) -> Result<(), Note> {
    if let Some(gone) = &db.no_resizer {
        return Err(Note::new(Reason::NobodyResizes, gone.clone()));
    }
    let failed = db.failed_request.as_ref();
    match failed.filter(|failed| failed.why == Some(Reason::NobodyResizes)) {
        None => Ok(()),
        Some(failed) => Err(Note::new(
            Reason::NobodyResizes,
            format!("PostgresOpsRequest {} found no resizer", failed.name),
        )),
    }
}
