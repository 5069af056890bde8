//! What the executor counts: steps done, requests by what they wait for, time in each state, ends by reason.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use control::retry::RetryClass;
use executor_core::{State, Step};
use jiff::Timestamp;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};
use tokio::time::Instant;
use units::Reason;

use crate::passed::Leg;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StepLabel {
    step: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabel {
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ClassLabel {
    class: &'static str,
}

/// The executor's metrics; clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    steps: Family<StepLabel, Counter>,
    ends: Family<ReasonLabel, Counter>,
    waiting: Family<ReasonLabel, Gauge>,
    state_seconds: Family<StateLabel, Histogram>,
    request_to_volume: Histogram,
    volume_to_filesystem: Histogram,
    failures: Family<ClassLabel, Counter>,
    internal_errors: Counter,
    requests: Arc<Mutex<HashMap<String, Standing>>>,
}

/// Where a request stands as far as this process has seen.
#[derive(Debug)]
struct Standing {
    state: State,
    since: Instant,
    waits: Option<Reason>,
}

/// From 10 ms, about one write, to 22 min, twice the time that a step may take.
fn buckets() -> Histogram {
    Histogram::new(exponential_buckets(0.01, 2.0, 18))
}

impl Metrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            steps: Family::default(),
            ends: Family::default(),
            waiting: Family::default(),
            state_seconds: Family::new_with_constructor(buckets),
            request_to_volume: buckets(),
            volume_to_filesystem: buckets(),
            failures: Family::default(),
            internal_errors: Counter::default(),
            requests: Arc::default(),
        };
        let Self {
            steps,
            ends,
            waiting,
            state_seconds,
            request_to_volume,
            volume_to_filesystem,
            failures,
            internal_errors,
            requests: _,
        } = &metrics;
        registry.register("steps", "Writes done, by step", steps.clone());
        registry.register("requests_ended", "Requests that ended, by reason", ends.clone());
        registry.register(
            "requests_waiting",
            "Requests that wait, by reason",
            waiting.clone(),
        );
        registry.register(
            "state_seconds",
            "Time that requests spent in a state",
            state_seconds.clone(),
        );
        registry.register(
            "request_to_volume_seconds",
            "Time from the decision for a request, or its creation where none is told, until a volume has grown",
            request_to_volume.clone(),
        );
        registry.register(
            "volume_to_filesystem_seconds",
            "Time from a volume that has grown until its filesystem has",
            volume_to_filesystem.clone(),
        );
        registry.register(
            "failures",
            "Looks that failed, by how they are repeated",
            failures.clone(),
        );
        registry.register(
            "internal_errors",
            "Panics while deciding",
            internal_errors.clone(),
        );
        metrics
    }

    /// A step was done.
    pub(crate) fn done(&self, step: &Step) {
        self.steps.get_or_create(&StepLabel { step: step.name() }).inc();
        if let Step::Fail(update) | Step::Skip(update) | Step::Succeed(update) | Step::GiveUp(update) = step
            && let Some(reason) = update
                .conditions
                .first()
                .and_then(|condition| Reason::of_word(&condition.reason))
        {
            self.ends
                .get_or_create(&ReasonLabel {
                    reason: reason.as_str(),
                })
                .inc();
        }
    }

    /// A request is in this state.
    pub(crate) fn stand(&self, uid: &str, state: State) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let standing = requests.entry(uid.to_owned()).or_insert(Standing {
            state,
            since: now,
            waits: None,
        });
        if let Some(reason) = standing.waits.take() {
            self.waiting
                .get_or_create(&ReasonLabel {
                    reason: reason.as_str(),
                })
                .dec();
        }
        if standing.state != state {
            let seconds = now.duration_since(standing.since).as_secs_f64();
            self.state_seconds
                .get_or_create(&StateLabel {
                    state: standing.state.as_str(),
                })
                .observe(seconds);
            *standing = Standing {
                state,
                since: now,
                waits: None,
            };
        }
    }

    /// A request waits for this.
    pub(crate) fn waits(&self, uid: &str, reason: Reason) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(standing) = requests.get_mut(uid) {
            standing.waits = Some(reason);
            self.waiting
                .get_or_create(&ReasonLabel {
                    reason: reason.as_str(),
                })
                .inc();
        }
    }

    /// A part of a claim's way, which began then, has ended.
    pub(crate) fn passed(&self, leg: Leg, begun: Timestamp, now: Timestamp) {
        match leg {
            Leg::Volume => {
                let took = now.duration_since(begun).as_secs_f64();
                self.request_to_volume.observe(took.max(0.0));
            }
            Leg::Filesystem(took) => self.volume_to_filesystem.observe(took.as_secs_f64()),
        }
    }

    /// A request is over.
    pub(crate) fn forget(&self, uid: &str) {
        self.requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(uid);
    }

    /// A look failed.
    pub(crate) fn failed(&self, class: RetryClass) {
        let class = match class {
            RetryClass::Conflict => "conflict",
            RetryClass::Transient => "transient",
            RetryClass::Blocked(_) => "blocked",
            RetryClass::Invalid => "invalid",
            RetryClass::Bug => "bug",
        };
        self.failures.get_or_create(&ClassLabel { class }).inc();
    }

    /// Deciding panicked.
    pub(crate) fn panicked(&self) {
        self.internal_errors.inc();
    }
}

#[cfg(test)]
mod tests {
    use runtime::metrics_page;

    use super::*;

    #[test]
    fn all_are_on_the_page_of_metrics() {
        let mut registry = Registry::with_prefix("highwater_executor");
        let metrics = Metrics::register(&mut registry);
        let reason = Reason::Successful.as_str();
        drop(metrics.steps.get_or_create(&StepLabel { step: "Note" }));
        drop(metrics.ends.get_or_create(&ReasonLabel { reason }));
        drop(metrics.waiting.get_or_create(&ReasonLabel { reason }));
        drop(
            metrics
                .state_seconds
                .get_or_create(&StateLabel { state: "Begin" }),
        );
        metrics.failed(RetryClass::Bug);
        let page = include_str!("../../docs/metrics.md");
        assert_eq!(
            metrics_page::rows(&registry).unwrap(),
            metrics_page::section(page, "## Executor")
        );
    }
}
