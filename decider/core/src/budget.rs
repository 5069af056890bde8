//! The provider's limit on how often a volume may be modified: what is spent, and when there is more.
//!
//! A request grows all claims of a database together, so that the budget of one is that of all. What happened before
//! anybody looked counts as spent, but for the reserve: a modification that the provider refuses costs a retry, one
//! that is not there when a volume is nearly full costs the database.

use std::time::Duration;

use jiff::Timestamp;

use crate::sample::elapsed;

/// How often a volume may be modified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Modifications {
    /// This many within `window`; above zero.
    pub count: u32,
    /// A rolling time.
    pub window: Duration,
    /// Of `count`, kept for emergencies; below `count`.
    pub reserve: u32,
    /// At least this long between two.
    pub minimum_interval: Duration,
}

/// When the claims of a database were modified.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Modified {
    /// The times that are known, in any order, by whomever.
    pub at: Vec<Timestamp>,
    /// What happened before this is not known; `None` if all is.
    pub unknown_before: Option<Timestamp>,
}

/// What a modification is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// It can wait.
    Ordinary,
    /// It may spend the reserve.
    Emergency,
}

impl Modifications {
    /// The stricter of two.
    #[must_use]
    pub(crate) fn stricter(self, other: Self) -> Self {
        let count = self.count.min(other.count).max(1);
        Self {
            count,
            window: self.window.max(other.window),
            reserve: self.reserve.max(other.reserve).min(count - 1),
            minimum_interval: self.minimum_interval.max(other.minimum_interval),
        }
    }

    /// The first time from `now` on at which a modification for `need` is within the budget.
    pub(crate) fn permitted(&self, past: &Modified, need: Need, now: Timestamp) -> Timestamp {
        let spent = self.spent(past, now);
        let allowed = self.allowed(need);
        // So many have to leave the window before there is room for one more.
        let room = match spent.len().checked_sub(allowed) {
            None => now,
            Some(too_many) => spent.get(too_many).map_or(now, |at| later(*at, self.window)),
        };
        let newest = past.at.iter().filter(|at| **at <= now).max();
        let paced = newest.map_or(now, |at| later(*at, self.minimum_interval));
        room.max(paced).max(now)
    }

    /// After a modification now, the time until the next ordinary one.
    pub(crate) fn next(&self, past: &Modified, now: Timestamp) -> Duration {
        let mut then = past.clone();
        then.at.push(now);
        elapsed(now, self.ordinary(&then, now))
    }

    /// The first time from `now` on at which a modification that can wait is within the budget.
    #[must_use]
    pub fn ordinary(&self, past: &Modified, now: Timestamp) -> Timestamp {
        self.permitted(past, Need::Ordinary, now)
    }

    /// How many count as spent now.
    #[must_use]
    pub fn count_spent(&self, past: &Modified, now: Timestamp) -> usize {
        self.spent(past, now).len()
    }

    /// The modifications that count now, oldest first; those that are not known at the last time they can have been. One that is
    /// known to have been among them is one of them.
    fn spent(&self, past: &Modified, now: Timestamp) -> Vec<Timestamp> {
        let known = past.at.iter().copied().filter(|at| self.counts(*at, now));
        let mut spent: Vec<_> = known.collect();
        if let Some(unknown) = self.unknown(past, now) {
            let among = spent.iter().filter(|at| **at <= unknown).count();
            let others = self.allowed(Need::Ordinary).saturating_sub(among);
            spent.extend(std::iter::repeat_n(unknown, others));
        }
        spent.sort_unstable();
        spent
    }

    /// The end of what is not known, while that counts.
    pub(crate) fn unknown(&self, past: &Modified, now: Timestamp) -> Option<Timestamp> {
        past.unknown_before.filter(|at| self.counts(*at, now))
    }

    fn counts(&self, at: Timestamp, now: Timestamp) -> bool {
        at > earlier(now, self.window) && at <= now
    }

    fn allowed(&self, need: Need) -> usize {
        let kept = match need {
            Need::Ordinary => self.reserve,
            Need::Emergency => 0,
        };
        usize::try_from(self.count.saturating_sub(kept).max(1)).unwrap_or(usize::MAX)
    }
}

fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

fn earlier(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_sub(by).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Amazon EBS: four in any 24 hours, of which one is kept.
    const EBS: Modifications = Modifications {
        count: 4,
        window: hours(24),
        reserve: 1,
        minimum_interval: Duration::ZERO,
    };

    const fn hours(n: u64) -> Duration {
        Duration::from_secs(n * 3_600)
    }

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + hour * 3_600).expect("in range")
    }

    fn known(hours: &[i64]) -> Modified {
        Modified {
            at: hours.iter().map(|h| at(*h)).collect(),
            unknown_before: None,
        }
    }

    #[test]
    fn three_are_ordinary_and_the_fourth_is_for_emergencies() {
        let ordinary = |past: &[i64], now| EBS.permitted(&known(past), Need::Ordinary, at(now));
        let emergency = |past: &[i64], now| EBS.permitted(&known(past), Need::Emergency, at(now));
        assert_eq!(ordinary(&[], 0), at(0));
        assert_eq!(ordinary(&[8, 9], 10), at(10));
        assert_eq!(ordinary(&[9, 8, 3], 10), at(27), "when the first is a day old");
        assert_eq!(emergency(&[9, 8, 3], 10), at(10));
        assert_eq!(ordinary(&[9, 8, 4, 3], 10), at(28), "two have to be a day old");
        assert_eq!(emergency(&[9, 8, 4, 3], 10), at(27));
        assert_eq!(ordinary(&[-14, 8, 9], 10), at(10), "a day old counts no more");
        assert_eq!(ordinary(&[11, 12, 13], 10), at(10), "nor does what is to come");
    }

    #[test]
    fn what_is_not_known_is_spent_but_for_the_reserve() {
        let mut past = Modified {
            at: Vec::new(),
            unknown_before: Some(at(0)),
        };
        assert_eq!(EBS.permitted(&past, Need::Ordinary, at(5)), at(24));
        assert_eq!(EBS.permitted(&past, Need::Emergency, at(5)), at(5));
        assert_eq!(EBS.permitted(&past, Need::Ordinary, at(24)), at(24));
        past.at = vec![at(5)];
        assert_eq!(
            EBS.permitted(&past, Need::Emergency, at(6)),
            at(24),
            "the reserve is spent"
        );
        past.at = vec![at(-1)];
        assert_eq!(
            EBS.permitted(&past, Need::Emergency, at(1)),
            at(1),
            "one of those before is known"
        );
        assert_eq!(EBS.permitted(&past, Need::Ordinary, at(1)), at(23));
    }

    #[test]
    fn an_interval_holds_for_emergencies_too() {
        let slow = Modifications {
            count: 100,
            minimum_interval: hours(6),
            ..EBS
        };
        assert_eq!(slow.permitted(&known(&[9]), Need::Emergency, at(10)), at(15));
        assert_eq!(slow.permitted(&known(&[9]), Need::Ordinary, at(16)), at(16));
    }

    #[test]
    fn the_time_to_the_next() {
        assert_eq!(EBS.next(&known(&[]), at(0)), Duration::ZERO);
        assert_eq!(EBS.next(&known(&[-5, -4]), at(0)), hours(19));
        assert_eq!(
            EBS.next(&known(&[-5, -4, -3]), at(0)),
            hours(20),
            "after an emergency"
        );
        let six = Modifications {
            count: 1,
            reserve: 0,
            window: hours(6),
            ..EBS
        };
        assert_eq!(six.next(&known(&[]), at(0)), hours(6));
    }

    #[test]
    fn the_stricter_keeps_a_reserve_it_can_have() {
        let other = Modifications {
            count: 1,
            reserve: 0,
            window: hours(1),
            minimum_interval: hours(1),
        };
        let both = EBS.stricter(other);
        assert_eq!(
            (both.count, both.reserve, both.window, both.minimum_interval),
            (1, 0, hours(24), hours(1))
        );
    }
}
