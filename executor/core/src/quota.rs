//! Whether the namespace's quotas and limits have room for the sum of what the claims would ask.
//!
//! The API server's own trial sees one claim at a time; the sum over a database's claims is found here.

use units::Bytes;

use crate::observed::{Claim, Observed};

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
    seen.quotas.iter().find_map(|quota| {
        let of_class = |claim: &&&Claim| match (&quota.class, &claim.class) {
            (None, _) => true,
            (Some(name), Some(class)) => class.name == *name,
            (Some(_), None) => false,
        };
        let needed = claims
            .iter()
            .filter(of_class)
            .map(|claim| target.saturating_sub(charged(claim)))
            .try_fold(Bytes::ZERO, Bytes::checked_add);
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
    })
}

/// What a claim already counts: kubernetes/kubernetes:pkg/quota/v1/evaluator/core/persistent_volume_claims.go.
fn charged(claim: &Claim) -> Bytes {
    claim
        .allocated
        .map_or(claim.request, |allocated| allocated.max(claim.request))
}
