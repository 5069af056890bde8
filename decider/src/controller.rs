//! The controller: something changed, gather, decide, perform. Read [`look`]; the rest keeps it fed.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use control::{
    backoff::PerObject,
    events::Events,
    queue::{Again, Queue},
    retry::RetryClass,
    watch::Key,
    write::Fenced,
};
use decider_core::{Database, Decision, Policy, Profile};
use futures::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use jiff::Timestamp;
use kube::Client;
use runtime::{clock::Clock, report::Chain, tasks::panic_text};
use tokio_util::sync::CancellationToken;
use units::Reason;

use crate::{
    args::OperatingMode,
    index::Index,
    memory::Memory,
    metrics::Metrics,
    objects::{Autoscaler, Objects},
    store::Store,
};

mod apply;
mod beside;
mod calm;
mod follow;
mod forecast;
mod gather;
mod outcome;
mod prune;
mod resizers;
mod show;
mod status;
mod upkeep;

use calm::{Rest, Resting};
use gather::{Gathered, gather, look_again};
use outcome::Outcome;

/// Decisions under way at a time: each waits for the API server most of its time.
const AT_ONCE: usize = 16;
/// A write that met an older state is tried again once the watch has had time to catch up.
const CATCH_UP: Duration = Duration::from_millis(200);
/// Delays after a failure, first and longest.
const RETRY: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

/// How a decision is made: [`decider_core::decide()`], or what a test puts in its place.
pub type Decide = fn(&Database, &Policy, &Profile, Timestamp) -> Decision;

/// All that the controller works with.
pub struct Context {
    parts: Parts,
    started: Timestamp,
    memory: Memory,
    resting: Resting,
    index: Mutex<Index>,
    filled: AtomicBool,
    backoff: PerObject<Key>,
    queue: Queue<Key>,
}

/// What a [`Context`] is made of.
pub struct Parts {
    /// The cluster's objects.
    pub objects: Objects,
    /// The agents' samples.
    pub store: Arc<Store>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// How a decision is made.
    pub decide: Decide,
    /// Age from which a sample is not acted upon.
    pub stale_after: Duration,
    /// For this long it is not written that a volume is not measured: after the start, when its agent may not have
    /// found this process yet, and after a pod's first sample, which may be here before the pod is.
    pub grace: Duration,
    /// Whose definitions of the kinds are installed.
    pub mode: OperatingMode,
    /// Writes.
    pub writes: Fenced,
    /// Reads that cannot wait for a watch.
    pub client: Client,
    /// Events.
    pub events: Events,
    /// Metrics.
    pub metrics: Metrics,
}

impl Context {
    /// A controller that remembers nothing yet.
    #[must_use]
    pub fn new(parts: Parts) -> Arc<Self> {
        Arc::new(Self {
            started: parts.clock.now(),
            resting: Resting::new(Arc::clone(&parts.store)),
            parts,
            memory: Memory::default(),
            index: Mutex::default(),
            filled: AtomicBool::new(false),
            backoff: PerObject::new(RETRY.0, RETRY.1),
            queue: Queue::new(),
        })
    }

    /// Runs until `stop`: waits for the first full lists, then follows every change and every sample.
    ///
    /// # Errors
    /// Never: what fails is retried per object.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) -> anyhow::Result<()> {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = self.parts.objects.synced() => (),
        }
        let follower = follow::Follower::new(&self);
        self.filled.store(true, Ordering::Release);
        // One of them wakes some hundred times a second: a select would ask all the others then, too.
        let all: [BoxFuture<'_, ()>; 7] = [
            follower.run().boxed(),
            follow::samples(&self).boxed(),
            upkeep::staleness(&self).boxed(),
            follow::leadership(&self).boxed(),
            upkeep::housekeeping(&self).boxed(),
            resizers::look_for_resizers(&self).boxed(),
            self.queue.run(AT_ONCE, stop, |key| look(&self, key)).boxed(),
        ];
        FuturesUnordered::from_iter(all).next().await;
        Ok(())
    }

    /// Has an autoscaler looked at in full.
    fn wake(&self, key: Key) {
        self.resting.disturb(&key);
        self.queue.add(key);
    }

    /// What was last vouched for before this is not acted upon.
    fn stale_before(&self, now: Timestamp) -> Timestamp {
        now.checked_sub(self.parts.stale_after).unwrap_or(Timestamp::MIN)
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One look at one autoscaler: gather (memory), decide (pure), perform (client required, leader only).
async fn look(context: &Context, key: Key) -> Again {
    // Others in this task have their turn, too, when all databases are looked at one after the other.
    tokio::task::coop::consume_budget().await;
    let now = context.parts.clock.now();
    if let Some(left) = context.resting.left(&key, now) {
        return Again::After(left);
    }
    let Some(autoscaler) = context.parts.objects.autoscalers.get(&key) else {
        let before = context.memory.standing(&key, None);
        context.parts.metrics.moved(before.as_ref(), None);
        context.memory.forget(&key);
        context.backoff.succeeded(&key);
        return Again::OnChange;
    };
    context.resting.begin(&key);
    let (again, rest) = look_in_full(context, &key, &autoscaler, now).await;
    context.resting.end(&key, rest);
    again
}

/// The same of one that is not at rest; answers whether it is now.
async fn look_in_full(
    context: &Context,
    key: &Key,
    autoscaler: &Autoscaler,
    now: Timestamp,
) -> (Again, Option<Rest>) {
    let began = Instant::now();
    let gathered = gather(context, key, autoscaler, now);
    let outcome = decide(context, &gathered, now);
    context.parts.metrics.decided_within(began.elapsed());
    tell_levels(context, &gathered);
    tell(context, key, &outcome);
    let usual = look_again(&gathered, now, context.parts.stale_after);
    let since = context.stale_before(now);
    let rest = |within| Rest::of(&gathered, &outcome, &context.parts.store, within, now, since);
    if !context.parts.writes.leader().is_leader_now() {
        return (Again::After(usual), rest(None));
    }
    match apply::perform(context, key, autoscaler, &gathered, &outcome, now).await {
        Ok(held_back) if !matches!(outcome, Outcome::Panicked { .. }) => {
            context.backoff.succeeded(key);
            let again = held_back.map_or(usual, |wait| wait.min(usual));
            (Again::After(again), rest(held_back))
        }
        Ok(_) => (
            Again::After(context.backoff.failed(key.clone(), &mut rand::rng())),
            None,
        ),
        Err(error) => (again_after(context, key.clone(), &error), None),
    }
}

/// Decides, and survives a defect in the decision: it costs this object, not the process.
fn decide(context: &Context, gathered: &Gathered, now: Timestamp) -> Outcome {
    let Gathered {
        db, policy, profile, ..
    } = gathered;
    match catch_unwind(AssertUnwindSafe(|| {
        (context.parts.decide)(db, policy, profile, now)
    })) {
        Ok(decision) => {
            context.parts.metrics.decided(decision.reason());
            Outcome::Decided(Box::new(decision))
        }
        Err(panic) => {
            context.parts.metrics.decided(Reason::InternalError);
            context.parts.metrics.panicked();
            Outcome::Panicked {
                text: panic_text(panic.as_ref()).to_owned(),
            }
        }
    }
}

/// Has agents report at once when a volume crosses its threshold.
fn tell_levels(context: &Context, gathered: &Gathered) {
    let Ok(limits) = &gathered.policy.limits else {
        return;
    };
    for volume in &gathered.db.volumes {
        if let (Some(seen), Some(pv)) = (volume.seen(), gathered.volumes.get(&volume.claim.name)) {
            let level = decider_core::level(seen.sample.usage, limits.usage_threshold);
            context.parts.store.set_level(pv, level.get());
        }
    }
}

/// Counts how it stands, and logs a reason when it is another than before.
fn tell(context: &Context, key: &Key, outcome: &Outcome) {
    let (reason, message) = (outcome.reason(), outcome.message());
    let standing = outcome.standing();
    let before = context.memory.standing(key, Some(standing));
    context.parts.metrics.moved(before.as_ref(), Some(&standing));
    if before.is_some_and(|before| before.reason == reason) {
        tracing::debug!(autoscaler = %key, %reason, message, "decided");
    } else {
        tracing::info!(autoscaler = %key, %reason, message, "decided");
    }
}

/// When to look again after a write that failed, by the class of its error.
fn again_after(context: &Context, key: Key, error: &control::write::Error) -> Again {
    if error.is_not_leading() {
        return Again::After(CATCH_UP);
    }
    match error.class() {
        RetryClass::Conflict => {
            if error.is_already_exists() || error.is_not_found() {
                tracing::warn!(autoscaler = %key, error = %Chain(error), "cannot write");
            } else {
                // It is another than it was: usual, and made good with the next look.
                tracing::debug!(autoscaler = %key, error = %Chain(error), "written meanwhile");
            }
            Again::After(CATCH_UP)
        }
        class @ (RetryClass::Transient | RetryClass::Blocked(_) | RetryClass::Bug | RetryClass::Invalid) => {
            tracing::warn!(autoscaler = %key, ?class, error = %Chain(error), "cannot write");
            Again::After(context.backoff.failed(key, &mut rand::rng()))
        }
    }
}
