//! Volumes that grow while detached, member by member.

use jiff::Timestamp;
use units::Reason;

use crate::{
    attempt,
    checks::{self, Obstacle},
    observed::Observed,
    request::Request,
    step::Step,
};

/// What the request alone shows.
pub(crate) fn spec(request: &Request) -> Result<(), Obstacle> {
    checks::spec(request).map(drop)
}

/// What the database and what is around it show.
pub(crate) fn world(_request: &Request, _seen: &Observed, _now: Timestamp) -> Result<(), Obstacle> {
    Ok(())
}

/// State `Detaching`.
pub(crate) fn detaching(request: &Request, _seen: &Observed, _now: Timestamp) -> Step {
    attempt::give_up(request, Reason::NotSupported, "spec.volumeExpansion.mode Offline")
}

/// What is still to be put right when the run has failed.
pub(crate) fn tidy(_request: &Request, _seen: &Observed) -> Option<Step> {
    None
}

/// What is done or awaited up to the next safe point when the request is deleted.
pub(crate) fn settle(_request: &Request, _seen: &Observed, _now: Timestamp) -> Option<Step> {
    None
}
