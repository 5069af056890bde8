//! Kubernetes Events, told in the background: whoever tells one neither waits for the API server nor fails.
//!
//! Not kube's `Recorder`: that one counts a repetition onto the first note, so that of two notes with different
//! figures the second would be lost. Here a repetition is the same words about the same object.

mod sender;
mod series;

use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};
use runtime::{clock::Clock, report::truncated};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use units::Reason;

use self::sender::Sender;

/// Longest note that the API server accepts, in bytes (`NoteLengthLimit` of Kubernetes' event validation).
const NOTE_MAX: usize = 1024;
/// Longest `action`, in bytes (`ActionLengthLimit`, there).
const ACTION_MAX: usize = 128;
/// Events that wait for the API server; beyond that they are dropped and counted.
const WAITING: usize = 256;

/// Tells Events; clones share the queue.
#[derive(Debug, Clone)]
pub struct Events {
    queue: mpsc::Sender<Telling>,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
}

/// One Event to be told.
#[derive(Debug, Clone)]
struct Telling {
    at: Timestamp,
    about: ObjectReference,
    weight: Weight,
    reason: Reason,
    action: String,
    note: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Weight {
    Normal,
    Warning,
}

impl Weight {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Warning => "Warning",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Lost {
    why: &'static str,
}

#[derive(Debug, Clone, Default)]
struct Metrics {
    lost: Family<Lost, Counter>,
}

impl Metrics {
    fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "lost_events",
            "Events that could not be told",
            metrics.lost.clone(),
        );
        metrics
    }
}

impl Events {
    /// The Events of the box `name` (`decider`) in the pod `pod_name`, and the task that sends them until a
    /// second after `stop` is cancelled.
    pub fn new(
        client: Client,
        name: &str,
        pod_name: &str,
        clock: impl Clock,
        registry: &mut Registry,
        stop: CancellationToken,
    ) -> (Self, impl Future<Output = anyhow::Result<()>> + Send + 'static) {
        let metrics = Metrics::register(registry);
        let (queue, waiting) = mpsc::channel(WAITING);
        let sender = Sender::new(client, name, pod_name, metrics.clone());
        let events = Self {
            queue,
            clock: Arc::new(clock),
            metrics,
        };
        (events, async move {
            sender.run(waiting, stop).await;
            Ok(())
        })
    }

    /// Tells something that needs nobody's attention. `action` is what was done or tried, in CamelCase.
    pub fn normal(&self, about: &ObjectReference, reason: Reason, action: &str, note: impl Into<String>) {
        self.tell(about, Weight::Normal, reason, action, note.into());
    }

    /// Tells something that somebody should look at.
    pub fn warning(&self, about: &ObjectReference, reason: Reason, action: &str, note: impl Into<String>) {
        self.tell(about, Weight::Warning, reason, action, note.into());
    }

    fn tell(&self, about: &ObjectReference, weight: Weight, reason: Reason, action: &str, note: String) {
        let action = truncated(action, ACTION_MAX).to_owned();
        let note = truncated(&note, NOTE_MAX).to_owned();
        let telling = Telling {
            // Of the telling, not of the sending: others may wait before it, and what it tells of is over.
            at: self.clock.now(),
            about: about.clone(),
            weight,
            reason,
            action,
            note,
        };
        if let Err(mpsc::error::TrySendError::Full(lost) | mpsc::error::TrySendError::Closed(lost)) =
            self.queue.try_send(telling)
        {
            self.metrics.lost.get_or_create(&Lost { why: "queue" }).inc();
            tracing::debug!(reason = %lost.reason, note = lost.note, "an Event is dropped: too many wait");
        }
    }
}

#[cfg(test)]
mod tests {
    use runtime::metrics_page;

    use super::*;

    #[test]
    fn all_are_on_the_page_of_metrics() {
        let mut registry = Registry::with_prefix("highwater_*");
        let metrics = Metrics::register(&mut registry);
        drop(metrics.lost.get_or_create(&Lost { why: "full" }));
        let page = include_str!("../../docs/metrics.md");
        assert_eq!(
            metrics_page::rows(&registry).unwrap(),
            metrics_page::section(page, "### Events")
        );
    }
}
