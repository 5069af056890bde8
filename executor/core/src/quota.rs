//! Whether the namespace's quotas and limits have room for the sum of what the claims would ask.
//!
//! The API server's own trial sees one claim at a time; the sum over a database's claims is found here.

use units::Bytes;

use crate::observed::{Claim, Observed, Quota};

/// What stands in the way of raising these claims to `target`.
pub(crate) fn blocked(seen: &Observed, claims: &[&Claim], target: Bytes) -> Option<String> {
    limit(seen, target).or_else(|| quota(seen, claims, target))
}

fn limit(seen: &Observed, target: Bytes) -> Option<String> {
    let limit = seen.limits.iter().find(|limit| limit.maximum < target)?;
    Some(format!(
        "LimitRange {} allows {} per claim, {target} is asked for",
        limit.name, limit.maximum
    ))
}

fn quota(seen: &Observed, claims: &[&Claim], target: Bytes) -> Option<String> {
    let needed = |quota: &Quota| {
        claims
            .iter()
            .filter(|claim| is_about(quota, claim))
            .map(|claim| target.saturating_sub(charged(claim)))
            .try_fold(Bytes::ZERO, Bytes::checked_add)
    };
    seen.quotas
        .iter()
        .find_map(|quota| exceeded(quota, needed(quota)))
}

/// What stands in the way of `count` more claims of this size, of the class that `sibling` has.
pub(crate) fn blocked_for_new(seen: &Observed, sibling: &Claim, size: Bytes, count: u64) -> Option<String> {
    let needed = size.get().checked_mul(count).map(Bytes::new);
    let mut of_class = seen.quotas.iter().filter(|quota| is_about(quota, sibling));
    limit(seen, size).or_else(|| of_class.find_map(|quota| exceeded(quota, needed)))
}

fn is_about(quota: &Quota, claim: &Claim) -> bool {
    match (&quota.class, &claim.class) {
        (None, _) => true,
        (Some(name), Some(class)) => class.name == *name,
        (Some(_), None) => false,
    }
}

fn exceeded(quota: &Quota, needed: Option<Bytes>) -> Option<String> {
    let total = needed.and_then(|needed| quota.used.checked_add(needed));
    if total.is_some_and(|total| total <= quota.hard) || needed == Some(Bytes::ZERO) {
        return None;
    }
    let class = quota
        .class
        .as_ref()
        .map_or_else(String::new, |class| format!(" of class {class}"));
    Some(format!(
        "ResourceQuota {} allows {} of requested storage{class}, {} is used, {} more is needed",
        quota.name,
        quota.hard,
        quota.used,
        needed.map_or_else(|| "far".to_owned(), |needed| needed.to_string()),
    ))
}

/// What a claim already counts: kubernetes/kubernetes:pkg/quota/v1/evaluator/core/persistent_volume_claims.go.
fn charged(claim: &Claim) -> Bytes {
    claim
        .allocated
        .map_or(claim.request, |allocated| allocated.max(claim.request))
}
