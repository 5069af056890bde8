//! What stops a scaling before anything is written.

use jiff::Timestamp;
use units::Reason;

use super::goal::{Goal, asked, largest};
use crate::{
    checks::{Obstacle, SETTLE},
    observed::Observed,
    quota,
    request::{Request, Scaling, StandbyMode, StreamingMode},
    texts,
};

/// Far more members than streaming replication serves; a number beyond is a mistake.
const MOST_MEMBERS: i32 = 64;

fn refuse<T>(reason: Reason, what: impl Into<String>) -> Result<T, Obstacle> {
    Err(Obstacle::Refuse(reason, what.into()))
}

/// What the request alone shows: KubeDB's rules, which its webhook may not have applied.
pub(crate) fn spec(request: &Request) -> Result<(), Obstacle> {
    let Some(scaling) = asked(request) else {
        return refuse(
            Reason::InvalidRequest,
            "`spec.horizontalScaling` nil not supported in HorizontalScaling type",
        );
    };
    if scaling.read_replicas {
        return refuse(
            Reason::NotSupported,
            "not supported by Highwater: spec.horizontalScaling.readReplicas",
        );
    }
    match scaling.replicas {
        None => refuse(
            Reason::InvalidRequest,
            "spec.horizontalScaling.replicas has to be mentioned",
        ),
        Some(replicas) if replicas <= 0 => refuse(
            Reason::InvalidRequest,
            format!("spec.horizontalScaling.replicas {replicas} can't be less than or equal 0"),
        ),
        Some(replicas) if replicas > MOST_MEMBERS => refuse(
            Reason::InvalidRequest,
            format!("spec.horizontalScaling.replicas {replicas} is more than {MOST_MEMBERS}"),
        ),
        Some(_) => modes(scaling),
    }
}

fn modes(scaling: &Scaling) -> Result<(), Obstacle> {
    let unknown = |field: &str, word: &str| {
        let text = format!("spec.horizontalScaling.{field} {word:?} is not known");
        refuse(Reason::InvalidRequest, text)
    };
    match (&scaling.standby, &scaling.streaming) {
        (Some(StandbyMode::Other(word)), _) => unknown("standbyMode", word),
        (_, Some(StreamingMode::Other(word))) => unknown("streamingMode", word),
        _ => Ok(()),
    }
}

/// What the database and what is around it show.
pub(crate) fn world(request: &Request, seen: &Observed, now: Timestamp) -> Result<(), Obstacle> {
    managed(request, seen, now)?;
    let goal = Goal::of(request, seen).map_err(|(reason, what)| Obstacle::Refuse(reason, what.to_owned()))?;
    if goal.database.halted {
        return refuse(
            Reason::InvalidRequest,
            "the Postgres is halted; set spec.halted to false first",
        );
    }
    if goal.members == 1 && goal.synchronous() {
        return refuse(
            Reason::InvalidRequest,
            "a Synchronous database needs more than 1 member: no standby would be left for a commit to wait for; ask \
             for streamingMode: Asynchronous too",
        );
    }
    let same = |asked: Option<&str>, present: Option<&str>| asked.is_none() || asked == present;
    let scaling = goal.scaling;
    let standby = |mode: &Option<StandbyMode>| mode.as_ref().map(|mode| mode.as_str().to_owned());
    let streaming = |mode: &Option<StreamingMode>| mode.as_ref().map(|mode| mode.as_str().to_owned());
    let nothing = goal.petset.replicas == goal.members
        && goal.database.replicas == Some(goal.members)
        && same(
            standby(&scaling.standby).as_deref(),
            standby(&goal.database.standby).as_deref().or(Some("Hot")),
        )
        && same(
            streaming(&scaling.streaming).as_deref(),
            streaming(&goal.database.streaming)
                .as_deref()
                .or(Some("Asynchronous")),
        );
    if nothing {
        let text = format!(
            "Postgres {} has {} members already, and spec.horizontalScaling asks for nothing else",
            request.database_path(),
            goal.members
        );
        return refuse(Reason::NotDifferent, text);
    }
    room(&goal, seen)
}

/// Whether the namespace has room for the claims of all new members; one that is there already is not counted again.
fn room(goal: &Goal<'_>, seen: &Observed) -> Result<(), Obstacle> {
    let new = (goal.petset.replicas..goal.members).filter(|ordinal| seen.claim(*ordinal).is_none());
    let count = u64::try_from(new.count()).unwrap_or(u64::MAX);
    let sibling = seen.claims.iter().max_by_key(|claim| claim.size());
    let size = largest(seen, goal.petset.replicas);
    let blocked = sibling
        .zip(size)
        .filter(|_| count > 0)
        .and_then(|(sibling, size)| {
            let size = size.max(goal.petset.template.unwrap_or(size));
            quota::blocked_for_new(seen, sibling, size, count)
        });
    blocked.map_or(Ok(()), |text| refuse(Reason::QuotaExceeded, text))
}

/// Members are made and removed by the provisioner's PetSet; what was made a moment ago may not be seen yet.
fn managed(request: &Request, seen: &Observed, now: Timestamp) -> Result<(), Obstacle> {
    let managed = seen.database.as_ref().is_some_and(|database| database.managed);
    let (reason, what) = match (&seen.petset, managed, &seen.credentials) {
        (None, ..) => (Reason::Unmanaged, "the database has no PetSet".to_owned()),
        (Some(petset), ..) if petset.unmanaged => (
            Reason::Unmanaged,
            format!("the PetSet {} is unmanaged", petset.name),
        ),
        (_, false, _) => (
            Reason::Unmanaged,
            format!(
                "no provisioner has ever written the status of Postgres {}",
                request.database_path()
            ),
        ),
        (_, true, Some(trouble)) => (trouble.reason, trouble.message.clone()),
        (Some(_), true, None) => return Ok(()),
    };
    let until = texts::after(request.created, SETTLE);
    match now < until {
        true => Err(Obstacle::Hold(reason, what, Some(until))),
        false => refuse(reason, what),
    }
}
