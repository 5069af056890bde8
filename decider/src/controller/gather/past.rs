//! What this autoscaler asked for before, and what became of it.

use std::sync::Arc;

use api::ops::v1alpha1::Phase;
use control::watch::Key;
use decider_core::{Database, FailedRequest, Modified, PastGrowth, base};
use jiff::Timestamp;
use units::{Bytes, Reason};

use crate::objects::{Autoscaler, Request};

/// What this autoscaler asked for and was not refused: requests that still exist, and the annotation's memory of
/// those that do not.
pub(super) fn growths(autoscaler: &Autoscaler, requests: &[(Key, Arc<Request>)]) -> Vec<PastGrowth> {
    let present = requests.iter().filter(|(_, r)| r.autoscaler == autoscaler.uid);
    let mut growths: Vec<PastGrowth> = present
        .clone()
        .filter(|(_, r)| !r.grew_nothing())
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

/// When the claims were modified, as far as is known: by the requests there are, whoever made them, by those that the
/// annotation remembers, and by whoever edited a claim itself, as long as the claim tells. What was before the autoscaler,
/// which began to remember, is not known, unless the claims, of which the first was made at `oldest`, are younger.
pub(super) fn modified(
    autoscaler: &Autoscaler,
    requests: &[(Key, Arc<Request>)],
    edits: &[(Bytes, Timestamp)],
    oldest: Option<Timestamp>,
    now: Timestamp,
) -> Modified {
    let present = requests.iter().filter(|(_, r)| !r.grew_nothing());
    let gone = autoscaler
        .modifications
        .iter()
        .filter(|m| requests.iter().all(|(key, _)| *key.name != *m.request))
        .filter_map(|m| m.at.parse().ok());
    let since = if autoscaler.forgetful {
        Some(now)
    } else {
        autoscaler.created
    };
    Modified {
        at: present
            .map(|(_, r)| r.created)
            .chain(gone)
            .chain(edited(autoscaler, requests, edits))
            .collect(),
        unknown_before: since.filter(|since| oldest.is_none_or(|oldest| oldest < *since)),
    }
}

/// The last time a claim was edited and not for a request, by whoever carries those out. A claim tells of its last edit only, so
/// that no volume has more than this one; where claims were edited one after the other, the last of them counts for all.
fn edited(
    autoscaler: &Autoscaler,
    requests: &[(Key, Arc<Request>)],
    edits: &[(Bytes, Timestamp)],
) -> Option<Timestamp> {
    let asked = |size: Bytes| {
        let remembered = autoscaler.modifications.iter();
        requests
            .iter()
            .any(|(_, r)| !r.grew_nothing() && r.to == Some(size))
            || remembered
                .filter_map(|m| Bytes::parse_quantity(&m.to).ok())
                .any(|to| to == size)
    };
    let others = edits.iter().filter(|(size, _)| !asked(*size));
    others.map(|(_, at)| *at).max()
}

/// Requests of this autoscaler at the present base that have ended, or are superseded by the next one. The newest one
/// says how many there were before it, since old ones are pruned.
pub(super) fn attempt(db: &Database, ours: &[(Key, Arc<Request>)]) -> u32 {
    let at_base = ours.iter().filter(|(_, r)| r.base == base(db));
    at_base
        .filter(|(_, r)| !r.is_open() || r.waits_for_ready)
        .map(|(_, r)| r.attempt.saturating_add(1))
        .max()
        .unwrap_or(0)
}

/// The failures in a row at the present base that nothing has followed yet. A request that another took the place of
/// neither failed nor followed.
pub(super) fn failed_request(db: &Database, ours: &[(Key, Arc<Request>)]) -> Option<FailedRequest> {
    let mut row = ours
        .iter()
        .filter(|(_, r)| r.base == base(db) && !r.is_open() && r.phase != Phase::Skipped)
        .take_while(|(_, r)| r.has_failed());
    let refused = row.clone().filter(|(_, r)| r.failure == Some(Reason::Infeasible));
    let infeasible = refused.filter_map(|(_, r)| r.to).min();
    let (key, newest) = row.next()?;
    let in_a_row = u32::try_from(row.count()).unwrap_or(u32::MAX).saturating_add(1);
    Some(FailedRequest {
        name: key.name.to_string(),
        at: newest.ended?,
        in_a_row,
        why: newest.failure,
        infeasible,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A database without volumes has no base, and so have its requests here.
    fn database() -> Database {
        Database::of("demo/pg", Vec::new())
    }

    fn request(attempt: u32, phase: Phase, waits_for_ready: bool) -> (Key, Arc<Request>) {
        let at = Timestamp::from_second(1_800_000_000 + i64::from(attempt)).unwrap();
        let request = Request {
            ended: phase.is_final().then_some(at),
            waits_for_ready,
            attempt,
            ..Request::made(&attempt.to_string(), phase, at)
        };
        (Key::new("demo", &format!("r{attempt}")), Arc::new(request))
    }

    #[test]
    fn the_next_number_is_beyond_those_that_ended_or_are_superseded() {
        let next = |ours: &[_]| attempt(&database(), ours);
        assert_eq!(next(&[]), 0);
        assert_eq!(next(&[request(0, Phase::Pending, false)]), 0, "it is that one");
        assert_eq!(next(&[request(0, Phase::Pending, true)]), 1);
        let skipped = request(0, Phase::Skipped, false);
        assert_eq!(next(&[request(1, Phase::Progressing, false), skipped.clone()]), 1);
        assert_eq!(next(&[request(1, Phase::Failed, false), skipped]), 2);
    }

    /// What a provider has modified is spent, though the request failed at another claim.
    #[test]
    fn a_failure_that_grew_a_claim_counts_as_a_growth_and_a_modification() {
        let autoscaler = Autoscaler {
            uid: "a".into(),
            ..Autoscaler::default()
        };
        let counts = |grew_some| {
            let (key, failed) = request(0, Phase::Failed, false);
            let failed = Request {
                grew_some,
                base: Some(Bytes::GIB),
                ..Request::clone(&failed)
            };
            let requests = [(key, Arc::new(failed))];
            let modified = modified(&autoscaler, &requests, &[], None, Timestamp::UNIX_EPOCH);
            (growths(&autoscaler, &requests).len(), modified.at.len())
        };
        assert_eq!(counts(false), (0, 0));
        assert_eq!(counts(true), (1, 1));
    }

    #[test]
    fn a_claim_that_somebody_edited_was_modified_unless_a_request_asked_for_that_size() {
        let at = |second: i64| Timestamp::from_second(1_800_000_100 + second).unwrap();
        let size = |gib: u64| Bytes::new(gib << 30);
        let autoscaler = Autoscaler {
            modifications: [crate::objects::Modification {
                request: "gone".into(),
                at: at(-50).to_string(),
                from: "1Gi".into(),
                to: "2Gi".into(),
            }]
            .into(),
            ..Autoscaler::default()
        };
        let times = |requests: &[_], edits: &[_]| modified(&autoscaler, requests, edits, None, at(500)).at;
        // It asks for a GiB.
        let requests = [request(0, Phase::Successful, false)];
        let known = times(&requests, &[]);
        assert_eq!(known.len(), 2);
        let asked = [(size(1), at(1)), (size(2), at(2))];
        assert_eq!(times(&requests, &asked), known, "by requests");
        let edited = times(&requests, &[(size(3), at(1)), (size(3), at(3)), (size(2), at(9))]);
        assert_eq!(edited, [known[0], known[1], at(3)], "once for all members");
        let failed = [request(0, Phase::Failed, false)];
        assert_eq!(
            times(&failed, &asked),
            [at(-50), at(1)],
            "a request that grew nothing did not do it"
        );
    }

    /// Each round makes one that waits and one that does not; the waits between rounds grow all the same.
    #[test]
    fn a_superseded_request_does_not_interrupt_a_row_of_failures() {
        let rounds = [
            request(4, Phase::Pending, true),
            request(3, Phase::Failed, false),
            request(2, Phase::Skipped, false),
            request(1, Phase::Failed, false),
            request(0, Phase::Skipped, false),
        ];
        let failed = failed_request(&database(), &rounds).unwrap();
        assert_eq!((failed.name.as_str(), failed.in_a_row), ("r3", 2));
        let followed = [request(4, Phase::Successful, false), rounds[1].clone()];
        assert_eq!(failed_request(&database(), &followed), None);
    }

    /// A size that is to be had offline only is no reason to ask for less of it.
    #[test]
    fn trap_16_only_a_size_that_cannot_be_had_makes_the_next_one_smaller() {
        let capped = |why| {
            let (key, failed) = request(0, Phase::Failed, false);
            let failed = Request {
                failure: Some(why),
                to: Some(Bytes::GIB),
                ..Request::clone(&failed)
            };
            let failed = failed_request(&database(), &[(key, Arc::new(failed))]).unwrap();
            assert_eq!(failed.why, Some(why));
            failed.infeasible
        };
        assert_eq!(capped(Reason::Infeasible), Some(Bytes::GIB));
        assert_eq!(capped(Reason::InUse), None);
        assert_eq!(capped(Reason::NodeStepFailing), None);
    }
}
