//! What no volume of a database may exceed, each limit with its name.

use units::{Bytes, Reason};

use crate::{
    database::{Database, Room},
    policy::Limits,
    profile::Profile,
    record::human,
};

/// One limit on the size of every volume of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cap {
    /// What to say if it stops a growth.
    pub reason: Reason,
    /// Its name, with the number as it is written.
    pub what: String,
    /// The largest size it allows, a multiple of the profile's granularity: a driver would round up beyond it.
    pub limit: Bytes,
}

/// The autoscaler's upperBound and the storage's own limit.
pub(crate) fn of_policy(limits: &Limits, profile: &Profile) -> Vec<Cap> {
    let upper = limits.upper_bound.map(|bound| Cap {
        reason: Reason::AtUpperBound,
        what: format!("upperBound {}", human(bound)),
        limit: round_down(bound, profile.granularity),
    });
    let maximum = profile.maximum_size.map(|max| Cap {
        reason: Reason::AtMaximumSize,
        what: format!("maximumSize {} of storage profile {}", human(max), profile.name),
        limit: round_down(max, profile.granularity),
    });
    upper.into_iter().chain(maximum).collect()
}

/// Quotas, for the sum over all claims, and limit ranges, for each.
pub(crate) fn of_namespace(db: &Database, profile: &Profile) -> Vec<Cap> {
    let charged: Vec<_> = db.volumes.iter().map(|v| v.claim.charged).collect();
    db.rooms
        .iter()
        .map(|room| match room {
            Room::Sum { what, left } => Cap {
                reason: Reason::QuotaExceeded,
                what: format!("{what}, {} left", human(*left)),
                limit: round_down(affordable(&charged, *left), profile.granularity),
            },
            Room::Each { what, max } => Cap {
                reason: Reason::QuotaExceeded,
                what: format!("{what}, {} a claim", human(*max)),
                limit: round_down(*max, profile.granularity),
            },
        })
        .collect()
}

/// Half of what the driver has said cannot be had, so that a few tries find what can; nothing once there is nothing
/// left to halve: what could not be had then may be had by now.
pub(crate) fn of_failure(db: &Database, base: Bytes, profile: &Profile) -> Option<Cap> {
    let refused = db.failed_request.as_ref()?.infeasible?;
    let half = refused.saturating_sub(base).get() / 2;
    let limit = round_down(base.checked_add(Bytes::new(half))?, profile.granularity);
    (limit > base).then(|| Cap {
        reason: Reason::Infeasible,
        what: format!(
            "half of the growth to {}, which the driver refuses",
            human(refused)
        ),
        limit,
    })
}

/// The tightest of them.
pub(crate) fn tightest(caps: &[Cap]) -> Option<&Cap> {
    caps.iter().min_by_key(|cap| cap.limit)
}

/// The largest size that all claims can have together when `left` more may be charged for them.
fn affordable(charged: &[Bytes], left: Bytes) -> Bytes {
    let costs = |size: u64| -> u128 {
        charged
            .iter()
            .map(|c| u128::from(size.saturating_sub(c.get())))
            .sum()
    };
    let (mut fits, mut exceeds) = (0_u64, u64::MAX);
    if costs(exceeds) <= u128::from(left.get()) {
        return Bytes::new(exceeds);
    }
    while exceeds - fits > 1 {
        let middle = fits + (exceeds - fits) / 2;
        if costs(middle) <= u128::from(left.get()) {
            fits = middle
        } else {
            exceeds = middle
        }
    }
    Bytes::new(fits)
}

/// The largest multiple of `step` that is not above `size`.
fn round_down(size: Bytes, step: Bytes) -> Bytes {
    let rest = size.get().checked_rem(step.get()).unwrap_or(0);
    Bytes::new(size.get() - rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_for_the_sum_over_all_claims() {
        let gib = |n: u64| Bytes::new(n << 30);
        assert_eq!(affordable(&[gib(1), gib(1), gib(1)], gib(3)), gib(2));
        assert_eq!(
            affordable(&[gib(1), gib(3)], gib(1)),
            gib(2),
            "only the smaller one can grow"
        );
        assert_eq!(
            affordable(&[gib(1)], Bytes::ZERO),
            gib(1),
            "no room: the present size"
        );
        assert_eq!(affordable(&[], gib(1)), Bytes::new(u64::MAX));
    }
}
