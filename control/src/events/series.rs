//! Which Events were told lately, and how many an object may still tell. Pure: time is an argument.

use std::{collections::HashMap, hash::Hash};

use jiff::{SignedDuration, Timestamp};

/// A repetition within this time after the last one is counted onto the same Event
/// (`finishTime` of client-go's event broadcaster, which ends a series after six minutes).
const SERIES: SignedDuration = SignedDuration::from_mins(6);
/// Different Events that one object may tell in a row, and the time in which it may tell one more: the figures of
/// client-go's spam filter (`defaultSpamBurst`, `defaultSpamQPS`).
const BURST: u32 = 25;
const REFILL: SignedDuration = SignedDuration::from_mins(5);

/// What was told lately.
#[derive(Debug)]
pub(super) struct Series<K> {
    told: HashMap<K, Entry>,
    allowances: HashMap<String, Allowance>,
}

#[derive(Debug)]
struct Entry {
    name: String,
    count: i32,
    last: Timestamp,
}

#[derive(Debug)]
struct Allowance {
    left: u32,
    since: Timestamp,
}

/// How an Event is to be told.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Create it, then call [`Series::began`].
    First,
    /// Set the count of the Event of this name.
    Again {
        /// Name of the Event.
        name: String,
        /// How often it was told, this time included.
        count: i32,
    },
    /// Not at all.
    TooOften,
}

impl<K> Default for Series<K> {
    fn default() -> Self {
        Self {
            told: HashMap::new(),
            allowances: HashMap::new(),
        }
    }
}

impl<K: Hash + Eq> Series<K> {
    /// Notes that `key` is told about `object` now.
    pub(super) fn tell(&mut self, key: &K, object: &str, now: Timestamp) -> Told {
        // A pass over all at every Event bounds the memory to what was told within the last minutes.
        self.told
            .retain(|_, entry| now.duration_since(entry.last) < SERIES);
        self.allowances
            .retain(|_, allowance| !allowance.is_full_again(now));
        if let Some(entry) = self.told.get_mut(key) {
            entry.count = entry.count.saturating_add(1);
            entry.last = now;
            return Told::Again {
                name: entry.name.clone(),
                count: entry.count,
            };
        }
        let fresh = Allowance {
            left: BURST,
            since: now,
        };
        let allowance = self.allowances.entry(object.to_owned()).or_insert(fresh);
        if allowance.spend(now) {
            Told::First
        } else {
            Told::TooOften
        }
    }

    /// Notes the name under which an Event was created.
    pub(super) fn began(&mut self, key: K, name: String, now: Timestamp) {
        self.told.insert(
            key,
            Entry {
                name,
                count: 1,
                last: now,
            },
        );
    }
}

impl Allowance {
    fn spend(&mut self, now: Timestamp) -> bool {
        while self.left < BURST && now.duration_since(self.since) >= REFILL {
            self.left += 1;
            self.since = self.since.checked_add(REFILL).unwrap_or(now);
        }
        if self.left == BURST {
            self.since = now;
        }
        self.left.checked_sub(1).map(|left| self.left = left).is_some()
    }

    fn is_full_again(&self, now: Timestamp) -> bool {
        let missing = i32::try_from(BURST - self.left).unwrap_or(i32::MAX);
        now.duration_since(self.since) >= REFILL.saturating_mul(missing)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{BURST, Series, Told};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn the_same_words_are_counted_and_other_words_are_not() {
        let mut series = Series::default();
        assert_eq!(series.tell(&"2Gi", "o", at(0)), Told::First);
        series.began("2Gi", "e1".to_owned(), at(0));
        assert_eq!(
            series.tell(&"2Gi", "o", at(60)),
            Told::Again {
                name: "e1".to_owned(),
                count: 2
            }
        );
        assert_eq!(series.tell(&"3Gi", "o", at(61)), Told::First);
        assert_eq!(
            series.tell(&"2Gi", "o", at(62)),
            Told::Again {
                name: "e1".to_owned(),
                count: 3
            }
        );
    }

    #[test]
    fn a_series_ends_after_six_quiet_minutes() {
        let mut series = Series::default();
        series.tell(&"a", "o", at(0));
        series.began("a", "e1".to_owned(), at(0));
        assert!(matches!(series.tell(&"a", "o", at(359)), Told::Again { .. }));
        assert!(matches!(series.tell(&"a", "o", at(718)), Told::Again { .. }));
        assert_eq!(series.tell(&"a", "o", at(1078)), Told::First);
    }

    #[test]
    fn an_object_that_tells_too_much_is_silenced_others_are_not() {
        let mut series = Series::default();
        for key in 0..BURST {
            assert_eq!(series.tell(&key, "noisy", at(0)), Told::First);
        }
        assert_eq!(series.tell(&100, "noisy", at(1)), Told::TooOften);
        assert_eq!(series.tell(&100, "other", at(1)), Told::First);
        assert_eq!(
            series.tell(&101, "noisy", at(300)),
            Told::First,
            "one more after five minutes"
        );
        assert_eq!(series.tell(&102, "noisy", at(301)), Told::TooOften);
    }

    #[test]
    fn what_is_long_past_takes_no_memory() {
        let mut series = Series::default();
        for key in 0..1000 {
            series.tell(&key, &key.to_string(), at(0));
            series.began(key, key.to_string(), at(0));
        }
        series.tell(&5000, "o", at(100_000));
        assert_eq!((series.told.len(), series.allowances.len()), (0, 1));
    }
}
