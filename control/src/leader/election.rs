//! The candidate's task: acquire, renew, lose, release.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use kube::{Api, api::PostParams};
use runtime::{clock::Clock, report::Chain};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::{
    Leader, Timing,
    record::{self, Claim, Observed},
};
use crate::backoff::jittered;

/// How long a release waits for writes that are under way, and for its own request.
const RELEASE: Duration = Duration::from_secs(2);

pub(super) struct Election<C> {
    leader: Leader,
    api: Api<Lease>,
    name: String,
    timing: Timing,
    clock: C,
    observed: Observed,
    /// The Lease as our last write left it: the base of the next renewal.
    held: Option<Lease>,
}

/// What came of one attempt.
enum Outcome {
    /// The lease is ours, renewed by a request sent at this moment.
    Held(Instant),
    /// Another's, until this moment unless renewed.
    Taken(Instant),
    /// Somebody else wrote first: look again at once.
    Raced,
}

impl<C: Clock> Election<C> {
    pub(super) fn new(leader: Leader, api: Api<Lease>, name: String, timing: Timing, clock: C) -> Self {
        Self {
            leader,
            api,
            name,
            timing,
            clock,
            observed: Observed::default(),
            held: None,
        }
    }

    pub(super) async fn run(mut self, stop: CancellationToken) {
        // Not under select with the round: a request that is given up half-way may still have taken the lease.
        while !stop.is_cancelled() {
            let pause = self.round().await;
            tokio::select! {
                () = stop.cancelled() => break,
                () = sleep(pause) => (),
            }
        }
        self.release().await;
    }

    /// One attempt; returns the time until the next.
    async fn round(&mut self) -> Duration {
        let Timing {
            duration,
            margin,
            renew,
            retry,
            request,
        } = self.timing;
        let until = self.leader.until();
        // A leader's attempt must end before its leadership does, so that the loss is told in time.
        let patience = until.map_or(request, |until| {
            request.min(until.saturating_duration_since(Instant::now()))
        });
        let outcome = match timeout(patience, self.attempt()).await {
            Ok(Ok(outcome)) => outcome,
            failed => {
                self.leader.0.metrics.failures.inc();
                match failed {
                    Ok(Err(error)) => tracing::warn!(error = %Chain(&error), "cannot renew the lease"),
                    _ => tracing::warn!(?patience, "cannot renew the lease: no answer"),
                }
                // What the API server made of it is unknown: read it next time.
                self.held = None;
                return match until {
                    Some(until) if Instant::now() < until => {
                        jittered(retry, &mut rand::rng()).min(until.saturating_duration_since(Instant::now()))
                    }
                    _ => {
                        self.leader.lose("the API server does not answer");
                        jittered(retry, &mut rand::rng())
                    }
                };
            }
        };
        match outcome {
            Outcome::Held(sent) => {
                self.leader.gain(sent + duration.saturating_sub(margin));
                renew
            }
            Outcome::Taken(end) => {
                self.leader.lose("another holds the lease");
                let left = end.saturating_duration_since(Instant::now());
                jittered(retry, &mut rand::rng()).min(left)
            }
            Outcome::Raced => Duration::ZERO,
        }
    }

    /// Renews on the base of our last write if there is one, or else looks first.
    async fn attempt(&mut self) -> Result<Outcome, kube::Error> {
        let me = self.leader.identity().to_owned();
        let duration = self.timing.duration;
        let base = match self.held.take() {
            Some(lease) => Some(lease),
            None => self.api.get_opt(&self.name).await?,
        };
        let sent = Instant::now();
        let now = self.clock.now();
        let renews = base.is_some();
        let written = match base {
            None => {
                self.api
                    .create(
                        &PostParams::default(),
                        &record::new(&self.name, &me, duration, now),
                    )
                    .await
            }
            Some(lease) => match self.observed.judge(&lease, &me, duration, sent) {
                Claim::Taken(end) => return Ok(Outcome::Taken(end)),
                Claim::Ours | Claim::Free => {
                    let lease = record::held(lease, &me, duration, now);
                    self.api.replace(&self.name, &PostParams::default(), &lease).await
                }
            },
        };
        match written {
            Ok(lease) => {
                self.held = Some(lease);
                Ok(Outcome::Held(sent))
            }
            // Another candidate was faster, or somebody deleted it. (404 at creation is a missing namespace.)
            Err(kube::Error::Api(status)) if status.code == 409 || (status.code == 404 && renews) => {
                Ok(Outcome::Raced)
            }
            Err(error) => Err(error),
        }
    }

    /// Stops writing, waits for what is under way, then lets the others in.
    async fn release(mut self) {
        let led = self.leader.is_leader_now();
        self.leader.lose("shutting down");
        if !led {
            return;
        }
        if timeout(RELEASE, self.leader.0.writes.wait()).await.is_err() {
            tracing::warn!("the lease is not released: a write is still under way");
            return;
        }
        match timeout(RELEASE, self.give_up()).await {
            Ok(Ok(())) => tracing::info!("released the lease"),
            Ok(Err(error)) => tracing::warn!(error = %Chain(&error), "the lease is not released"),
            Err(_) => tracing::warn!("the lease is not released: no answer"),
        }
    }

    async fn give_up(&mut self) -> Result<(), kube::Error> {
        let lease = match self.held.take() {
            Some(lease) => lease,
            None => self.api.get(&self.name).await?,
        };
        let mine = lease
            .spec
            .as_ref()
            .and_then(|spec| spec.holder_identity.as_deref());
        if mine == Some(self.leader.identity()) {
            let lease = record::released(lease, self.clock.now());
            self.api
                .replace(&self.name, &PostParams::default(), &lease)
                .await?;
        }
        Ok(())
    }
}
