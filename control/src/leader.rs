//! Who may write: an election over one Lease.
//!
//! The semantics are those of client-go's `leaderelection` (k8s.io/client-go/tools/leaderelection): a candidate
//! takes a Lease whose record it has not seen change for the record's own duration, judged by its own clock, so
//! clocks need not agree; every write carries the resourceVersion it is based on, so one of two candidates wins.
//! Losing the lease, or the API server, stops the writing and nothing else.
//!
//! This is not a fence: a process can be stopped between asking [`Leader::permit`] and writing. Writes carry
//! preconditions for that ([`crate::write`]).

mod election;
mod record;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use kube::{Api, Client};
use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::Registry,
};
use runtime::clock::Clock;
use tokio::{sync::watch, time::Instant};
use tokio_util::{
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};

use self::election::Election;

/// Which Lease, and who asks for it.
#[derive(Debug, Clone)]
pub struct LeaseArgs {
    /// Namespace of the Lease.
    pub namespace: String,
    /// Name of the Lease.
    pub name: String,
    /// Name of this pod; a random suffix makes the holder's identity.
    pub pod_name: String,
    /// How the election is timed.
    pub timing: Timing,
}

/// How an election is timed. `duration > margin + renew + request` leaves room for one failed renewal.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// How long the others wait after the last renewal that they saw.
    pub duration: Duration,
    /// How long before that end the leader stops writing: the time that a write may be under way.
    pub margin: Duration,
    /// Time between renewals.
    pub renew: Duration,
    /// Time between looks of those who do not lead, and after a failure; with jitter.
    pub retry: Duration,
    /// Longest time of one request of the election.
    pub request: Duration,
}

impl Default for Timing {
    /// Another candidate leads within 9 s after the leader died (8 s after it saw the last renewal, for which it
    /// looks every second), within a second after it left.
    fn default() -> Self {
        Self {
            duration: Duration::from_secs(8),
            margin: Duration::from_secs(2),
            renew: Duration::from_secs(2),
            retry: Duration::from_secs(1),
            request: Duration::from_secs(2),
        }
    }
}

/// Whether this process leads; clones share it.
#[derive(Debug, Clone)]
pub struct Leader(Arc<Shared>);

/// The right to make one write now. While it is held, the lease is not released to others.
#[derive(Debug)]
pub struct Permit(#[expect(dead_code, reason = "held for its drop")] TaskTrackerToken);

#[derive(Debug)]
struct Shared {
    /// When leadership ends unless it is renewed; none if this process does not lead.
    until: Mutex<Option<Instant>>,
    leads: watch::Sender<bool>,
    writes: TaskTracker,
    identity: String,
    metrics: Metrics,
}

#[derive(Debug, Clone, Default)]
struct Metrics {
    leader: Gauge,
    failures: Counter,
}

impl Metrics {
    fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        let Self { leader, failures } = &metrics;
        registry.register("leader", "1 while this process holds the lease", leader.clone());
        registry.register(
            "lease_failures",
            "Requests of the election that failed",
            failures.clone(),
        );
        metrics
    }
}

impl Leader {
    /// A candidate, and the task that stands for it until `stop` is cancelled, then releases the lease.
    ///
    /// The task never fails because of the API server; its end is the process's end.
    pub fn candidate(
        client: Client,
        args: LeaseArgs,
        clock: impl Clock,
        registry: &mut Registry,
        stop: CancellationToken,
    ) -> (Self, impl Future<Output = anyhow::Result<()>> + Send + 'static) {
        let LeaseArgs {
            namespace,
            name,
            pod_name,
            timing,
        } = args;
        let identity = format!("{pod_name}_{:08x}", rand::random::<u32>());
        let leader = Self::new(identity, Metrics::register(registry));
        let api = Api::namespaced(client, &namespace);
        let election = Election::new(leader.clone(), api, name, timing, clock);
        (leader, async move {
            election.run(stop).await;
            Ok(())
        })
    }

    /// A leader without an election: for tests, and for tools that run alone.
    #[must_use]
    pub fn alone() -> Self {
        let leader = Self::new("alone".to_owned(), Metrics::default());
        // A century from now: a value that never comes, and does not overflow.
        leader.gain(Instant::now() + Duration::from_secs(100 * 365 * 86_400));
        leader
    }

    fn new(identity: String, metrics: Metrics) -> Self {
        let (leads, _) = watch::channel(false);
        let writes = TaskTracker::new();
        writes.close();
        Self(Arc::new(Shared {
            until: Mutex::new(None),
            leads,
            writes,
            identity,
            metrics,
        }))
    }

    /// This candidate's name in the Lease.
    #[must_use]
    pub fn identity(&self) -> &str {
        &self.0.identity
    }

    /// Whether this process leads at this moment. Ask anew before every write: leadership ends without notice.
    #[must_use]
    pub fn is_leader_now(&self) -> bool {
        self.until().is_some_and(|until| Instant::now() < until)
    }

    /// The right to write now, if this process leads. Hold it until the write is answered.
    #[must_use]
    pub fn permit(&self) -> Option<Permit> {
        // First the token, then the question: a release that begins in between waits for the token.
        let token = self.0.writes.token();
        self.is_leader_now().then_some(Permit(token))
    }

    /// Tells of gains and losses. A loss by time alone is told by the election's task, a moment late.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<bool> {
        self.0.leads.subscribe()
    }

    /// Waits until this process leads.
    pub async fn wait(&self) {
        let mut leads = self.changes();
        // The sender lives as long as this Leader.
        if leads.wait_for(|leads| *leads).await.is_err() {
            std::future::pending().await
        }
    }

    fn until(&self) -> Option<Instant> {
        *self.0.until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn gain(&self, until: Instant) {
        // The process may have been stopped for a while between the request and its answer.
        if until <= Instant::now() {
            return self.lose("the renewal came too late");
        }
        let mut known = self.0.until.lock().unwrap_or_else(PoisonError::into_inner);
        let lapsed = known.replace(until).is_none_or(|until| until <= Instant::now());
        drop(known);
        // A renewal is no news: whoever is told has everything to do anew. Nobody could write since a lapse, which is.
        self.0.leads.send_if_modified(|leads| {
            if !std::mem::replace(leads, true) {
                self.0.metrics.leader.set(1);
                tracing::info!(identity = self.0.identity, "leads");
                return true;
            }
            lapsed
        });
    }

    fn lose(&self, why: &str) {
        *self.0.until.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let led = self
            .0
            .leads
            .send_if_modified(|leads| std::mem::replace(leads, false));
        if led {
            self.0.metrics.leader.set(0);
            tracing::warn!(identity = self.0.identity, why, "leads no longer");
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
        let _metrics = Metrics::register(&mut registry);
        let page = include_str!("../../docs/metrics.md");
        assert_eq!(
            metrics_page::rows(&registry).unwrap(),
            metrics_page::section(page, "### Leases")
        );
    }

    #[test]
    fn gains_and_losses_are_told_and_renewals_are_not() {
        let leader = Leader::new("a".to_owned(), Metrics::default());
        let mut changes = leader.changes();
        let mut told = || {
            let told = changes.has_changed().unwrap();
            changes.mark_unchanged();
            told
        };
        let in_seconds = |seconds| Instant::now() + Duration::from_secs(seconds);
        assert!(!told());
        leader.gain(in_seconds(10));
        assert!(told());
        leader.gain(in_seconds(20));
        assert!(!told(), "a renewal");
        leader.lose("test");
        assert!(told());
        leader.lose("test");
        assert!(!told(), "lost already");
    }
}
