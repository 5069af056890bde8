//! What this autoscaler asked for before, and what became of it.

use std::sync::Arc;

use control::watch::Key;
use decider_core::{Database, FailedRequest, PastGrowth, base};
use units::Bytes;

use crate::objects::{Autoscaler, Request};

/// What this autoscaler asked for and was not refused: requests that still exist, and the annotation's memory of
/// those that do not.
pub(super) fn growths(autoscaler: &Autoscaler, requests: &[(Key, Arc<Request>)]) -> Vec<PastGrowth> {
    let present = requests.iter().filter(|(_, r)| r.autoscaler == autoscaler.uid);
    let mut growths: Vec<PastGrowth> = present
        .clone()
        .filter(|(_, r)| !r.has_failed())
        .filter_map(|(_, r)| {
            Some(PastGrowth {
                at: r.created,
                from: r.base?,
                to: r.to?,
            })
        })
        .collect();
    let gone = autoscaler
        .modifications
        .iter()
        .filter(|m| present.clone().all(|(key, _)| *key.name != *m.request));
    growths.extend(gone.filter_map(|m| {
        let size = |text: &str| Bytes::parse_quantity(text).ok();
        Some(PastGrowth {
            at: m.at.parse().ok()?,
            from: size(&m.from)?,
            to: size(&m.to)?,
        })
    }));
    growths
}

/// Requests of this autoscaler that ended at the present base. The newest one says how many there were before
/// it, since old ones are pruned.
pub(super) fn attempt(db: &Database, ended: &[(Key, Arc<Request>)]) -> u32 {
    let at_base = ended.iter().filter(|(_, r)| r.base == base(db));
    at_base
        .map(|(_, r)| r.attempt.saturating_add(1))
        .max()
        .unwrap_or(0)
}

/// The failures in a row at the present base that nothing has followed yet.
pub(super) fn failed_request(db: &Database, ended: &[(Key, Arc<Request>)]) -> Option<FailedRequest> {
    let mut row = ended
        .iter()
        .filter(|(_, r)| r.base == base(db))
        .take_while(|(_, r)| r.has_failed());
    let (key, newest) = row.next()?;
    let in_a_row = u32::try_from(row.count()).unwrap_or(u32::MAX).saturating_add(1);
    Some(FailedRequest {
        name: key.name.to_string(),
        at: newest.ended?,
        in_a_row,
    })
}
