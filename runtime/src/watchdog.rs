//! Liveness: loops that must come round, and the words for those that did not.
//!
//! A watchdog is for a loop that nothing else restarts, such as a thread. What merely waits for another
//! process (API server, agents) is readiness, not liveness: restarting would not help.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// All watchdogs of the process; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Watchdogs(Arc<Mutex<Vec<Watched>>>);

/// One loop's sign of life.
#[derive(Debug, Clone)]
pub struct Watchdog(Arc<Mutex<Instant>>);

#[derive(Debug)]
struct Watched {
    name: &'static str,
    limit: Duration,
    last: Arc<Mutex<Instant>>,
}

impl Watchdogs {
    /// Expects a [`Watchdog::beat`] at least every `limit`, counted from now.
    #[must_use = "a watchdog that never beats fails the liveness probe"]
    pub fn expect(&self, name: &'static str, limit: Duration) -> Watchdog {
        let last = Arc::new(Mutex::new(Instant::now()));
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(Watched {
            name,
            limit,
            last: Arc::clone(&last),
        });
        Watchdog(last)
    }

    /// The loops that are late, one line each; empty when all is well.
    #[must_use]
    pub fn late(&self) -> Vec<String> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter()
            .filter_map(|watched| {
                let silent = watched
                    .last
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .elapsed();
                let Watched { name, limit, last: _ } = watched;
                (silent > *limit).then(|| format!("{name}: silent for {silent:.0?}, limit {limit:?}"))
            })
            .collect()
    }
}

impl Watchdog {
    /// Says that the loop came round.
    pub fn beat(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Watchdogs;

    #[tokio::test(start_paused = true)]
    async fn a_silent_loop_is_named_until_it_beats() {
        let dogs = Watchdogs::default();
        let sweeper = dogs.expect("sweeper", Duration::from_secs(10));
        tokio::time::advance(Duration::from_secs(10)).await;
        assert!(dogs.late().is_empty());
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(dogs.late(), ["sweeper: silent for 12s, limit 10s"]);
        sweeper.beat();
        assert!(dogs.late().is_empty());
    }
}
