//! How long to leave an object alone after a failure. Computed, never slept: the queue does the waiting.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use rand::Rng;

/// Counts failures per key and turns them into delays; forgets a key at its first success.
#[derive(Debug)]
pub struct PerObject<K> {
    first: Duration,
    most: Duration,
    failures: Mutex<HashMap<K, u32>>,
}

impl<K: Hash + Eq> PerObject<K> {
    /// Delays that begin around `first`, double with every failure in a row and end at `most`.
    #[must_use]
    pub fn new(first: Duration, most: Duration) -> Self {
        Self {
            first,
            most,
            failures: Mutex::default(),
        }
    }

    /// Notes a failure and says how long to wait: between half of the computed delay and all of it, so that
    /// objects that failed together do not come back together.
    pub fn failed(&self, key: K, rng: &mut impl Rng) -> Duration {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let before = failures.entry(key).or_default();
        let doubled = self.first.saturating_mul(2_u32.saturating_pow(*before));
        *before = before.saturating_add(1);
        drop(failures);
        jittered(doubled.min(self.most), rng)
    }

    /// Forgets the failures of a key: it worked, or it is gone.
    pub fn succeeded(&self, key: &K) {
        self.failures
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(key);
    }
}

/// A duration between half of `delay` and all of it.
pub fn jittered(delay: Duration, rng: &mut impl Rng) -> Duration {
    delay.mul_f64(rng.random_range(0.5..=1.0))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rand::{SeedableRng, rngs::StdRng};

    use super::PerObject;

    #[test]
    fn doubles_up_to_the_most_and_starts_over_after_success() {
        let backoff = PerObject::new(Duration::from_secs(1), Duration::from_secs(60));
        let mut rng = StdRng::seed_from_u64(7);
        for full in [1, 2, 4, 8, 16, 32, 60, 60] {
            let delay = backoff.failed("a", &mut rng).as_secs_f64();
            assert!(
                (f64::from(full) / 2.0..=f64::from(full)).contains(&delay),
                "{delay} of {full}"
            );
        }
        assert!(
            backoff.failed("b", &mut rng) <= Duration::from_secs(1),
            "keys are apart"
        );
        backoff.succeeded(&"a");
        assert!(backoff.failed("a", &mut rng) <= Duration::from_secs(1));
    }

    #[test]
    fn never_overflows() {
        let backoff = PerObject::new(Duration::from_secs(1), Duration::from_secs(60));
        let mut rng = StdRng::seed_from_u64(7);
        for _ in 0..200 {
            assert!(backoff.failed((), &mut rng) <= Duration::from_secs(60));
        }
    }

    #[test]
    fn objects_that_fail_together_come_back_apart() {
        let backoff = PerObject::new(Duration::from_secs(10), Duration::from_secs(60));
        let mut rng = StdRng::seed_from_u64(7);
        let mut delays: Vec<_> = (0..100).map(|key| backoff.failed(key, &mut rng)).collect();
        delays.sort_unstable();
        delays.dedup();
        assert!(delays.len() > 90, "{} different delays of 100", delays.len());
    }
}
