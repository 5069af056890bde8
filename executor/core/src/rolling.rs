//! Members replaced one after the other: other resources, or only a restart.

use jiff::Timestamp;
use units::Reason;

use crate::{
    attempt,
    checks::{self, Obstacle},
    observed::Observed,
    request::Request,
    step::{Step, Update},
};

/// The condition that says how far the work is.
pub(crate) fn progress(_request: &Request) -> Reason {
    Reason::NotSupported
}

/// What the request alone shows.
pub(crate) fn spec(request: &Request) -> Result<(), Obstacle> {
    Err(Obstacle::Refuse(
        Reason::NotSupported,
        checks::not_supported(request),
    ))
}

/// What the database and what is around it show.
pub(crate) fn world(_request: &Request, _seen: &Observed, _now: Timestamp) -> Result<(), Obstacle> {
    Ok(())
}

/// The members that a run begins with.
pub(crate) fn plan(_request: &Request, _seen: &Observed) -> Update {
    Update::default()
}

/// Whether all that the request asks for is there.
pub(crate) fn is_complete(_request: &Request, _seen: &Observed) -> bool {
    false
}

/// State `Rolling`.
pub(crate) fn rolling(request: &Request, _seen: &Observed, _now: Timestamp) -> Step {
    attempt::give_up(request, Reason::NotSupported, &checks::not_supported(request))
}

/// State `Aligning`.
pub(crate) fn aligning(request: &Request, _seen: &Observed, _now: Timestamp) -> Step {
    attempt::give_up(request, Reason::NotSupported, &checks::not_supported(request))
}

/// What is still to be put right when the run has failed.
pub(crate) fn tidy(_request: &Request, _seen: &Observed) -> Option<Step> {
    None
}

/// What is done or awaited up to the next safe point when the request is deleted.
pub(crate) fn settle(_request: &Request, _seen: &Observed, _now: Timestamp) -> Option<Step> {
    None
}

/// Text of the condition `Running`.
pub(crate) fn running_text(_request: &Request) -> &'static str {
    "Postgres ops request is running"
}

/// Text of the condition `Successful`.
pub(crate) fn successful_text(_request: &Request) -> &'static str {
    "Successfully completed."
}
