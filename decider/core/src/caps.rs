//! What no volume of a database may exceed, each limit with its name.

use units::{Bytes, Reason};

use crate::{
    database::{Database, Room},
    human::human,
    policy::Limits,
    profile::Profile,
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

/// A limit before it is put into words, which most never are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bound<'a> {
    /// The largest size it allows.
    pub(crate) limit: Bytes,
    whose: Whose<'a>,
}

/// Whose limit it is, and the size that its words name.
#[derive(Debug, Clone, Copy)]
enum Whose<'a> {
    Autoscaler(Bytes),
    Profile(&'a str, Bytes),
    Namespace(&'a Room),
    Failure(Bytes),
}

impl Bound<'_> {
    /// With its words.
    pub(crate) fn cap(self) -> Cap {
        let (reason, what) = match self.whose {
            Whose::Autoscaler(bound) => (Reason::AtUpperBound, format!("upperBound {}", human(bound))),
            Whose::Profile(name, max) => (
                Reason::AtMaximumSize,
                format!("maximumSize {} of storage profile {name}", human(max)),
            ),
            Whose::Namespace(Room::Sum { what, left }) => {
                (Reason::QuotaExceeded, format!("{what}, {} left", human(*left)))
            }
            Whose::Namespace(Room::Each { what, max }) => {
                (Reason::QuotaExceeded, format!("{what}, {} a claim", human(*max)))
            }
            Whose::Failure(refused) => (
                Reason::Infeasible,
                format!(
                    "half of the growth to {}, which the driver refuses",
                    human(refused)
                ),
            ),
        };
        Cap {
            reason,
            what,
            limit: self.limit,
        }
    }
}

/// The autoscaler's upperBound and the storage's own limit.
pub(crate) fn of_policy<'a>(limits: &Limits, profile: &'a Profile) -> impl Iterator<Item = Bound<'a>> {
    let rounded = |(limit, whose)| Bound {
        limit: round_down(limit, profile.granularity),
        whose,
    };
    let upper = limits.upper_bound.map(|bound| (bound, Whose::Autoscaler(bound)));
    let maximum = profile
        .maximum_size
        .map(|max| (max, Whose::Profile(&profile.name, max)));
    upper.into_iter().chain(maximum).map(rounded)
}

/// Quotas, for the sum over all claims, and limit ranges, for each.
pub(crate) fn of_namespace<'a>(db: &'a Database, profile: &Profile) -> impl Iterator<Item = Bound<'a>> {
    let granularity = profile.granularity;
    db.rooms.iter().map(move |room| {
        let limit = match room {
            Room::Sum { left, .. } => affordable(db.volumes.iter().map(|volume| volume.claim.charged), *left),
            Room::Each { max, .. } => *max,
        };
        Bound {
            limit: round_down(limit, granularity),
            whose: Whose::Namespace(room),
        }
    })
}

/// Half of what the driver has said cannot be had, so that a few tries find what can; nothing once there is nothing
/// left to halve: what could not be had then may be had by now.
pub(crate) fn of_failure(db: &Database, base: Bytes, profile: &Profile) -> Option<Bound<'static>> {
    let refused = db.failed_request.as_ref()?.infeasible?;
    let half = refused.saturating_sub(base).get() / 2;
    let limit = round_down(base.checked_add(Bytes::new(half))?, profile.granularity);
    (limit > base).then_some(Bound {
        limit,
        whose: Whose::Failure(refused),
    })
}

/// The largest size that all claims can have together when `left` more may be charged for them.
fn affordable(charged: impl Iterator<Item = Bytes> + Clone, left: Bytes) -> Bytes {
    let costs = |size: u64| -> u128 {
        charged
            .clone()
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
        let affordable = |charged: &[Bytes], left| affordable(charged.iter().copied(), left);
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
