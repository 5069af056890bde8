//! What is checked before anything is written: KubeDB's webhook rules, which a cluster may lack, and those it does
//! not have (class, quota, profile, the real sizes).

use std::time::Duration;

use jiff::Timestamp;
use units::{Bytes, Reason};

use crate::{
    observed::{Capability, Claim, Database, Observed},
    operation, place, quota,
    request::{
        Expansion, HORIZONTAL_SCALING, Mode, Operation, RESTART, Request, Size, VERTICAL_SCALING,
        VOLUME_EXPANSION,
    },
    texts,
};

/// Why a request does not start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Obstacle {
    /// It never will.
    Refuse(Reason, String),
    /// Not now; when it is refused, if that can be said.
    Hold(Reason, String, Option<Timestamp>),
}

/// Time for objects made together with a request to be seen.
pub(crate) const SETTLE: Duration = Duration::from_secs(5);

fn refuse<T>(reason: Reason, what: impl Into<String>) -> Result<T, Obstacle> {
    Err(Obstacle::Refuse(reason, what.into()))
}

/// What the request alone shows; gives the size asked for.
pub(crate) fn spec(request: &Request) -> Result<Bytes, Obstacle> {
    let Operation::VolumeExpansion(expansion) = &request.operation else {
        return refuse(Reason::NotSupported, not_supported(request));
    };
    let Some(expansion) = expansion else {
        return refuse(
            Reason::InvalidRequest,
            "`spec.volumeExpansion` field is required, can not be nil.",
        );
    };
    let size = size(expansion)?;
    match &expansion.mode {
        Mode::Online | Mode::Offline => Ok(size),
        Mode::Other(mode) => refuse(
            Reason::InvalidRequest,
            format!("spec.volumeExpansion.mode {mode:?} is neither Online nor Offline"),
        ),
    }
}

/// What is said of a type that is not carried out.
pub(crate) fn not_supported(request: &Request) -> String {
    format!(
        "not supported by Highwater: spec.type {}; supported are {VOLUME_EXPANSION}, {HORIZONTAL_SCALING}, \
         {VERTICAL_SCALING} and {RESTART}",
        request.kind()
    )
}

fn size(expansion: &Expansion) -> Result<Bytes, Obstacle> {
    match &expansion.postgres {
        _ if expansion.arbiter => refuse(
            Reason::NotSupported,
            "not supported by Highwater: spec.volumeExpansion.arbiter",
        ),
        Size::Absent => refuse(
            Reason::InvalidRequest,
            "at least one of `spec.volumeExpansion.postgres` or `spec.volumeExpansion.arbiter` must be specified in \
             volume expansion ops request",
        ),
        Size::Bad(text) => refuse(
            Reason::InvalidRequest,
            format!("spec.volumeExpansion.postgres: {text}"),
        ),
        Size::Of(size) => Ok(*size),
    }
}

/// What the database, its claims and their storage show. NotLarger comes first: asking for nothing needs no room.
pub(crate) fn world(
    request: &Request,
    seen: &Observed,
    target: Bytes,
    now: Timestamp,
) -> Result<(), Obstacle> {
    let Some(database) = &seen.database else {
        return refuse(Reason::DatabaseNotFound, texts::no_database(request));
    };
    claims(request, seen, database, target, now)?;
    for claim in &seen.claims {
        bound(request, claim, now)?;
    }
    let growing: Vec<_> = seen
        .claims
        .iter()
        .filter(|claim| place::needs_patch(claim, target))
        .collect();
    for claim in &growing {
        expandable(request, claim, target)?;
    }
    match quota::blocked(seen, &growing, target) {
        Some(text) => refuse(Reason::QuotaExceeded, text),
        None => Ok(()),
    }
}

/// Whether members can be stopped and come back: somebody must make their pods.
pub(crate) fn rollable(request: &Request, seen: &Observed) -> Result<(), Obstacle> {
    let path = request.database_path();
    if seen.database.as_ref().is_some_and(|database| database.halted) {
        let text = format!("Postgres {path} is halted");
        return Err(Obstacle::Hold(Reason::DatabaseNotReady, text, None));
    }
    match &seen.petset {
        Some(set) if set.unmanaged => refuse(
            Reason::Unmanaged,
            format!("nobody would make a pod of PetSet {} again", set.name),
        ),
        Some(set) if set.replicas == 0 => refuse(
            Reason::InvalidRequest,
            format!("PetSet {} has no replicas", set.name),
        ),
        Some(_) => Ok(()),
        None => refuse(Reason::Unmanaged, format!("Postgres {path} has no PetSet")),
    }
}

fn claims(
    request: &Request,
    seen: &Observed,
    database: &Database,
    target: Bytes,
    now: Timestamp,
) -> Result<(), Obstacle> {
    if database.storage.is_none() {
        return refuse(Reason::InvalidRequest, "storage not configured for Postgres");
    }
    if seen.claims.is_empty() {
        let text = "the database has no claim named data-<petset>-<ordinal>";
        let until = texts::after(request.created, SETTLE);
        return match now < until {
            true => Err(Obstacle::Hold(Reason::NoClaims, text.to_owned(), Some(until))),
            false => refuse(Reason::NoClaims, text),
        };
    }
    match seen.claims.iter().map(Claim::size).min() {
        Some(present) if present >= target => refuse(
            Reason::NotLarger,
            format!(
                "PostgresOpsRequest {}, spec.volumeExpansion.postgres: desired Postgres storage size must be greater than \
                 current storage. Current storage: {present}, desired: {target}",
                request.path()
            ),
        ),
        _ => Ok(()),
    }
}

/// A claim that is not bound yet may be bound in a moment: a member that is being made.
fn bound(request: &Request, claim: &Claim, now: Timestamp) -> Result<(), Obstacle> {
    if claim.is_usable() {
        return Ok(());
    }
    let what = if claim.deleting {
        "is being deleted"
    } else {
        "is not bound"
    };
    let text = format!("claim {} {what}", claim.name);
    let until = texts::after(request.created, request.step_timeout());
    match now < until {
        true => Err(Obstacle::Hold(Reason::ClaimNotBound, text, Some(until))),
        false => refuse(Reason::ClaimNotBound, text),
    }
}

fn expandable(request: &Request, claim: &Claim, target: Bytes) -> Result<(), Obstacle> {
    let Some(class) = &claim.class else {
        return refuse(
            Reason::NotExpandable,
            format!("claim {} has no storage class", claim.name),
        );
    };
    if !class.expandable {
        let text = format!(
            "storage class {} of claim {} does not allow expansion",
            class.name, claim.name
        );
        return refuse(Reason::NotExpandable, text);
    }
    let Some(profile) = &class.profile else {
        return Ok(());
    };
    let says = |what: &str| format!("{} of storage class {} {what}", profile.name, class.name);
    if profile.shared {
        let text = says("says that its volumes share a filesystem");
        return refuse(Reason::SharedFilesystem, text);
    }
    match (profile.expansion, profile.maximum) {
        (Capability::Unsupported, _) => refuse(Reason::NotExpandable, says("says that it cannot expand")),
        (Capability::Offline, _) if !operation::is_offline(request) => refuse(
            Reason::InUse,
            says("says that it expands only volumes not in use"),
        ),
        (Capability::Online | Capability::Offline, Some(maximum)) if maximum < target => refuse(
            Reason::AtMaximumSize,
            says(&format!("allows {maximum}, {target} is asked for")),
        ),
        (Capability::Online | Capability::Offline, _) => Ok(()),
    }
}
