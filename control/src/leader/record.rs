//! The Lease's record, and for how long the present one has been seen. Pure: time is an argument.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
};
use tokio::time::Instant;

/// The last record that this candidate saw, and since when it is unchanged.
#[derive(Debug, Default)]
pub(super) struct Observed {
    seen: Option<(Option<LeaseSpec>, Instant)>,
}

/// Whether the lease can be had.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// It is ours.
    Ours,
    /// Nobody holds it, or its holder has been silent for too long.
    Free,
    /// Another holds it until this moment, unless it renews.
    Taken(Instant),
}

impl Observed {
    /// Judges a lease that was read at `now`; `duration` counts where the record names none.
    pub(super) fn judge(&mut self, lease: &Lease, me: &str, duration: Duration, now: Instant) -> Claim {
        let since = match &self.seen {
            Some((spec, since)) if *spec == lease.spec => *since,
            _ => {
                self.seen = Some((lease.spec.clone(), now));
                now
            }
        };
        let spec = lease.spec.as_ref();
        match spec
            .and_then(|spec| spec.holder_identity.as_deref())
            .unwrap_or("")
        {
            "" => Claim::Free,
            holder if holder == me => Claim::Ours,
            _ => {
                let named = spec.and_then(|spec| spec.lease_duration_seconds);
                let named = named
                    .and_then(|seconds| u64::try_from(seconds).ok())
                    .map(Duration::from_secs);
                let end = since + named.unwrap_or(duration);
                if end <= now {
                    Claim::Free
                } else {
                    Claim::Taken(end)
                }
            }
        }
    }
}

/// A lease that does not exist yet, held by `me`.
pub(super) fn new(name: &str, me: &str, duration: Duration, now: Timestamp) -> Lease {
    let metadata = ObjectMeta {
        name: Some(name.to_owned()),
        ..ObjectMeta::default()
    };
    held(Lease { metadata, spec: None }, me, duration, now)
}

/// The lease with `me` as its holder, renewed at `now`.
pub(super) fn held(lease: Lease, me: &str, duration: Duration, now: Timestamp) -> Lease {
    let Lease { metadata, spec } = lease;
    let spec = spec.unwrap_or_default();
    let mine = spec.holder_identity.as_deref() == Some(me);
    let transitions = spec.lease_transitions.unwrap_or(0);
    let spec = LeaseSpec {
        holder_identity: Some(me.to_owned()),
        lease_duration_seconds: Some(whole_seconds(duration)),
        acquire_time: if mine {
            spec.acquire_time
        } else {
            Some(MicroTime(now))
        },
        renew_time: Some(MicroTime(now)),
        lease_transitions: Some(if mine {
            transitions
        } else {
            transitions.saturating_add(1)
        }),
        ..spec
    };
    Lease {
        metadata,
        spec: Some(spec),
    }
}

/// The lease given up: nobody holds it, and what is left of it ends in a second.
pub(super) fn released(lease: Lease, now: Timestamp) -> Lease {
    let Lease { metadata, spec } = lease;
    let spec = LeaseSpec {
        holder_identity: Some(String::new()),
        lease_duration_seconds: Some(1),
        renew_time: Some(MicroTime(now)),
        ..spec.unwrap_or_default()
    };
    Lease {
        metadata,
        spec: Some(spec),
    }
}

/// Rounded up, at least one: the API server accepts no other.
fn whole_seconds(duration: Duration) -> i32 {
    let seconds = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    i32::try_from(seconds).unwrap_or(i32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;
    use tokio::time::Instant;

    use super::{Claim, Observed, held, new, released};

    const EIGHT: Duration = Duration::from_secs(8);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_silent_holder_is_waited_out_from_when_its_record_was_first_seen() {
        let start = Instant::now();
        let mut seen = Observed::default();
        // The holder's clock is an hour behind: only our own counts.
        let lease = new("l", "a", EIGHT, at(0));
        assert_eq!(seen.judge(&lease, "b", EIGHT, start), Claim::Taken(start + EIGHT));
        let later = start + Duration::from_secs(7);
        assert_eq!(seen.judge(&lease, "b", EIGHT, later), Claim::Taken(start + EIGHT));
        let renewed = held(lease, "a", EIGHT, at(2));
        assert_eq!(
            seen.judge(&renewed, "b", EIGHT, later),
            Claim::Taken(later + EIGHT)
        );
        assert_eq!(seen.judge(&renewed, "b", EIGHT, later + EIGHT), Claim::Free);
    }

    #[test]
    fn the_record_s_own_duration_counts() {
        let start = Instant::now();
        let lease = new("l", "a", Duration::from_secs(60), at(0));
        let claim = Observed::default().judge(&lease, "b", EIGHT, start);
        assert_eq!(claim, Claim::Taken(start + Duration::from_secs(60)));
    }

    #[test]
    fn a_released_lease_is_free_at_once_and_ours_is_ours() {
        let start = Instant::now();
        let lease = new("l", "a", EIGHT, at(0));
        assert_eq!(Observed::default().judge(&lease, "a", EIGHT, start), Claim::Ours);
        let lease = released(lease, at(1));
        assert_eq!(Observed::default().judge(&lease, "b", EIGHT, start), Claim::Free);
        assert_eq!(Observed::default().judge(&lease, "a", EIGHT, start), Claim::Free);
    }

    #[test]
    fn transitions_count_changes_of_holder_only() {
        let lease = held(
            held(new("l", "a", EIGHT, at(0)), "a", EIGHT, at(1)),
            "b",
            EIGHT,
            at(2),
        );
        let spec = lease.spec.unwrap();
        assert_eq!(spec.lease_transitions, Some(2));
        assert_eq!(spec.acquire_time.unwrap().0, at(2));
        assert_eq!(spec.lease_duration_seconds, Some(8));
    }
}
