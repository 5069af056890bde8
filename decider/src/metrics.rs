//! What the decider counts. Labels are words of [`Reason`] only, so that their number is bounded.

use std::{sync::Arc, time::Duration};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use units::Reason;

mod fleet;

use fleet::Fleet;
pub(crate) use fleet::{SOON, Standing};

/// The decider's metrics; clones share them.
#[derive(Debug, Clone)]
pub struct Metrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    decisions: Family<ReasonLabel, Counter>,
    decision_time: Histogram,
    refused: Family<ReasonLabel, Counter>,
    requests: Counter,
    request_failures: Family<ReasonLabel, Counter>,
    crossing_to_request: Histogram,
    sample_age: Histogram,
    status_writes: Counter,
    panics: Counter,
    pruned: Counter,
    streams: Gauge,
    volumes: Gauge,
    fleet: Fleet,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

/// From a tenth of a second to a minute: the target is 1.5 s at the 99th percentile.
const LATENCIES: [f64; 12] = [0.1, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 60.0];

/// From what one decision should take to what the others would feel: all of them share a thread.
const DECISION_TIMES: [f64; 8] = [1e-6, 3e-6, 1e-5, 3e-5, 1e-4, 1e-3, 1e-2, 1e-1];

impl Metrics {
    /// Registers everything; the registry carries the prefix.
    #[must_use]
    pub fn register(r: &mut Registry) -> Self {
        let inner = Inner {
            decisions: Family::default(),
            decision_time: Histogram::new(DECISION_TIMES),
            refused: Family::default(),
            requests: Counter::default(),
            request_failures: Family::default(),
            crossing_to_request: Histogram::new(LATENCIES),
            sample_age: Histogram::new(LATENCIES),
            status_writes: Counter::default(),
            panics: Counter::default(),
            pruned: Counter::default(),
            streams: Gauge::default(),
            volumes: Gauge::default(),
            fleet: Fleet::register(r),
        };
        r.register(
            "decisions",
            "Decisions made, by their reason",
            inner.decisions.clone(),
        );
        r.register(
            "decision_seconds",
            "Time in gathering what is known of a database and deciding",
            inner.decision_time.clone(),
        );
        r.register(
            "refused",
            "What agents sent and was not believed, by reason",
            inner.refused.clone(),
        );
        r.register(
            "requests_created",
            "PostgresOpsRequests created",
            inner.requests.clone(),
        );
        r.register(
            "request_failures",
            "PostgresOpsRequests that could not be created",
            inner.request_failures.clone(),
        );
        r.register(
            "crossing_to_request_seconds",
            "From the measurement that crossed a threshold to the request's creation",
            inner.crossing_to_request.clone(),
        );
        r.register(
            "sample_age_at_decision_seconds",
            "Age of the measurement that a growth was decided by",
            inner.sample_age.clone(),
        );
        r.register(
            "status_writes",
            "Writes of PostgresAutoscaler status",
            inner.status_writes.clone(),
        );
        r.register("panics", "Decisions that ended in a panic", inner.panics.clone());
        r.register(
            "requests_pruned",
            "Finished PostgresOpsRequests deleted",
            inner.pruned.clone(),
        );
        r.register("streams", "Agents connected", inner.streams.clone());
        r.register("volumes", "Volumes that agents speak of", inner.volumes.clone());
        Self(Arc::new(inner))
    }

    /// A decision was made.
    pub fn decided(&self, reason: Reason) {
        self.0.decisions.get_or_create(&label(reason)).inc();
    }

    /// Gathering and deciding took so long.
    pub fn decided_within(&self, time: Duration) {
        self.0.decision_time.observe(time.as_secs_f64());
    }

    /// Something an agent sent was not believed.
    pub fn refused(&self, reason: Reason) {
        self.0.refused.get_or_create(&label(reason)).inc();
    }

    /// How often something was not believed for this reason.
    #[must_use]
    pub fn refusals(&self, reason: Reason) -> u64 {
        self.0.refused.get_or_create(&label(reason)).get()
    }

    /// A request was created, so long after the measurement that made it necessary, which had this age when it was
    /// decided.
    pub fn created(&self, after: Duration, age: Option<Duration>) {
        if let Some(age) = age {
            self.0.sample_age.observe(age.as_secs_f64());
        }
        self.0.requests.inc();
        self.0.crossing_to_request.observe(after.as_secs_f64());
    }

    /// A request could not be created.
    pub fn create_failed(&self, reason: Reason) {
        self.0.request_failures.get_or_create(&label(reason)).inc();
    }

    /// A status was written.
    pub fn status_written(&self) {
        self.0.status_writes.inc();
    }

    /// Statuses written so far.
    #[must_use]
    pub fn status_writes(&self) -> u64 {
        self.0.status_writes.get()
    }

    /// A decision ended in a panic.
    pub fn panicked(&self) {
        self.0.panics.inc();
    }

    /// A finished request was deleted.
    pub fn pruned(&self) {
        self.0.pruned.inc();
    }

    /// What is connected and known now.
    pub fn observe(&self, streams: usize, volumes: usize) {
        self.0.streams.set(i64::try_from(streams).unwrap_or(i64::MAX));
        self.0.volumes.set(i64::try_from(volumes).unwrap_or(i64::MAX));
    }

    /// How an autoscaler stands went from one to another; `None` is not there.
    pub(crate) fn moved(&self, from: Option<&Standing>, to: Option<&Standing>) {
        self.0.fleet.moved(from, to);
    }

    /// How long the oldest growth has been under way.
    pub(crate) fn oldest_growth(&self, age: Duration) {
        let seconds = i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
        self.0.fleet.oldest_growth.set(seconds);
    }
}

const fn label(reason: Reason) -> ReasonLabel {
    ReasonLabel {
        reason: reason.as_str(),
    }
}

#[cfg(test)]
mod tests;
