//! The rules that wait for something under way: they end by themselves.

use jiff::Timestamp;
use units::{Bytes, Reason};

use super::{Against, Database, Note, Seen, Volume};
use crate::{database::Resize, human::human, sample::elapsed, trigger};

/// VolumeExpansion open: one at a time for a database. One that waits for the database to be Ready while its storage
/// is why it is not would wait for ever: it is superseded, which is answered by its name.
pub(super) fn request_open<'a>(
    db: &'a Database,
    writable: &[(&Volume, &Seen)],
    against: Against<'_>,
) -> Result<Option<&'a str>, Note> {
    let Some(open) = &db.open_request else {
        return Ok(None);
    };
    let Some(left) = open.wait(against.now) else {
        let text = format!("PostgresOpsRequest {} is not finished", open.name);
        return Err(Note::new(Reason::RequestOpen, text));
    };
    let storage_is_why = writable
        .iter()
        .any(|(_, seen)| trigger::is_nearly_full(seen) && against.fired(seen).is_some());
    if storage_is_why && left.is_zero() {
        return Ok(Some(&open.name));
    }
    let text = format!(
        "PostgresOpsRequest {} waits for the database to be Ready",
        open.name
    );
    Err(Note::new(Reason::RequestOpen, text))
}

/// A request at this size has just failed: the next one waits, longer each time.
pub(super) fn request_failed(db: &Database, now: Timestamp) -> Result<(), Note> {
    let Some(failed) = &db.failed_request else {
        return Ok(());
    };
    let wait = failed.wait();
    if elapsed(failed.at, now) >= wait {
        return Ok(());
    }
    let text = format!(
        "PostgresOpsRequest {} failed at {:.0}, tried again after {}s",
        failed.name,
        failed.at,
        wait.as_secs()
    );
    Err(Note::new(Reason::RequestFailed, text))
}

/// Resize in flight: a claim is on its way to a size, by whomever, and its filesystem has not come there yet.
pub(super) fn resize_in_flight(db: &Database) -> Result<(), Note> {
    let found = db.volumes.iter().find_map(|v| match &v.resize {
        Resize::InFlight { what } if !has_arrived(v) => Some((&v.claim.name, what)),
        Resize::InFlight { .. } | Resize::Settled | Resize::Infeasible | Resize::Abandoned => None,
    });
    match found {
        None => Ok(()),
        Some((claim, what)) => Err(Note::new(
            Reason::ResizeInFlight,
            format!("claim {claim}: {what}"),
        )),
    }
}

/// True when the device has what is asked for and the filesystem shows more than the claim says it has, and nearly all that is asked
/// for: the node step is done, even if it is called failing for ever. A filesystem may grow bit by bit, and an earlier step of
/// which the claim does not know does not count for the present one.
fn has_arrived(volume: &Volume) -> bool {
    let claim = &volume.claim;
    let shows = volume.seen().map(|s| s.sample.usage.capacity);
    claim.device >= claim.request
        && shows.is_some_and(|shows| shows > claim.capacity && shows >= nearly(claim.request))
}

/// What a filesystem shows of such a volume at least: the log of a small one takes up to a fifth.
fn nearly(size: Bytes) -> Bytes {
    Bytes::new(size.get() / 5 * 4)
}

/// Not followed: the claim has grown, and the filesystem's numbers are still those from before.
pub(super) fn not_followed(db: &Database) -> Result<(), Note> {
    let found = db.volumes.iter().filter(|v| v.claim.mounted).find_map(|v| {
        let before = v.before_growth?;
        let has = v.seen().map(|s| s.sample.usage.capacity)?;
        (has <= before).then_some((v, has))
    });
    match found {
        None => Ok(()),
        Some((volume, has)) => {
            let claim = &volume.claim;
            let text = format!(
                "claim {} has {}, its filesystem still {}",
                claim.name,
                human(claim.capacity),
                human(has)
            );
            Err(Note::new(Reason::NotFollowed, text))
        }
    }
}
