//! The table of contents of the controller: one look at a set, from what is seen to what is written.
//!
//! ```text
//! view = observe(set)         client required      everything afresh
//! step = plan(view, now)      no client required   pure
//! perform(step)               client required      exactly one write, then from the top
//! ```
//! Between two writes of one look only what was written is renewed. A pod is never deleted on such a view: everything
//! is read once more before.

use std::{sync::Arc, time::Duration};

use control::{backoff::PerObject, leader::Leader, queue::Again, retry::RetryClass, watch::Key};
use jiff::Timestamp;
use provisioner_core::petset::{self as core, Step};
use runtime::{clock::Clock, report::Chain};

use crate::{
    error::Error,
    events::Announcer,
    memory::Memory,
    metrics::Metrics,
    observe::{Observer, View},
    perform::{Performer, Written, subject},
    watches::Stores,
};

/// Writes in one look, far above what a set of a hundred pods needs: beyond, something undoes what we do, and a pause is
/// due.
const MOST_WRITES: u32 = 1000;
const UNDONE_PAUSE: Duration = Duration::from_secs(5);

/// Looks again after a conflict, before the set is left alone for a moment.
const CONFLICTS: u32 = 5;
const CONFLICT_PAUSE: Duration = Duration::from_millis(200);

/// After a refusal that a change of some other object would lift, which may not be watched.
const SAFETY: Duration = Duration::from_secs(60);

/// Keeps the pods of sets.
pub(crate) struct Controller {
    pub(crate) stores: Stores,
    pub(crate) leader: Leader,
    pub(crate) only_owned: bool,
    pub(crate) observer: Observer,
    pub(crate) performer: Performer,
    pub(crate) announcer: Announcer,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) memory: Memory,
    pub(crate) backoff: PerObject<Key>,
    pub(crate) metrics: Metrics,
}

/// What came of one step.
enum Outcome {
    /// Something was written: once more from the top.
    Written(Written),
    /// Everything is to be read afresh.
    LookAgain,
    /// Something of the name is there already: what was read may be older than it.
    Taken(Step),
    /// Something was learned that the next plan takes into account.
    Learned,
    /// Nothing to do before this time.
    Idle(Option<Timestamp>),
}

impl Controller {
    /// Looks at a set until there is nothing to do.
    pub(crate) async fn look(&self, key: Key) -> Again {
        let Some(seen) = self.stores.sets.get(&key) else {
            self.memory.forget(&key);
            self.backoff.succeeded(&key);
            return Again::OnChange;
        };
        let concerns = !seen.is_unmanaged && (seen.is_owned || !self.only_owned);
        if !concerns || !self.leader.is_leader_now() {
            return Again::OnChange;
        }
        match self.work(&key).await {
            Ok(again) => {
                self.backoff.succeeded(&key);
                again
            }
            Err(error) => self.failed(key, &error),
        }
    }

    async fn work(&self, key: &Key) -> Result<Again, Error> {
        let mut conflicts = 0;
        let mut writes = 0;
        let mut taken = None;
        'afresh: loop {
            let Some(mut view) = self.observer.view(key, self.clock.now()).await? else {
                return Ok(Again::OnChange);
            };
            // The watch may be behind: what the object itself says counts.
            if view.is_unmanaged() || (self.only_owned && !view.is_owned()) {
                return Ok(Again::OnChange);
            }
            while writes < MOST_WRITES {
                writes += 1;
                match self.pass(key, &view, taken.as_ref()).await {
                    Ok(Outcome::Written(written)) => view.take_in(written)?,
                    Ok(Outcome::LookAgain) => continue 'afresh,
                    Ok(Outcome::Taken(step)) => {
                        taken = Some(step);
                        continue 'afresh;
                    }
                    Ok(Outcome::Learned) => {}
                    Ok(Outcome::Idle(until)) => {
                        return Ok(self.again(until.into_iter().chain(view.recheck).min()));
                    }
                    Err(error) if error.class() == RetryClass::Conflict && conflicts < CONFLICTS => {
                        conflicts += 1;
                        continue 'afresh;
                    }
                    Err(error) => return Err(error),
                }
            }
            tracing::warn!(set = %key, "much was written and something is always left to write");
            return Ok(Again::After(UNDONE_PAUSE));
        }
    }

    async fn pass(&self, key: &Key, view: &View, taken: Option<&Step>) -> Result<Outcome, Error> {
        let now = self.clock.now();
        let set = view.as_core(self.memory.of(key, &view.uid()))?;
        let step = core::plan(&set, now);
        if let Step::Wait(until) = step {
            return Ok(Outcome::Idle(until));
        }
        if matches!(step, Step::DeletePod { .. }) && !view.is_fresh {
            return Ok(Outcome::LookAgain);
        }
        match self.performer.perform(view, &step).await {
            Ok(written) => {
                self.metrics.done(&step);
                tracing::info!(set = %key, step = step.name(), ?step, "done");
                self.announcer.done(&view.set, &step);
                self.announcer.written(&view.set, &step, &set.stored);
                if let Some((_, _, object)) = subject(&step) {
                    self.memory.succeeded(key, &view.uid(), object);
                }
                Ok(match written {
                    Written::Gone => Outcome::LookAgain,
                    written => Outcome::Written(written),
                })
            }
            // Made by ourselves a moment ago, by a twin, or by somebody else: looking again tells.
            Err(error) if error.is_already_exists() && taken != Some(&step) => Ok(Outcome::Taken(step)),
            Err(error) if error.is_already_exists() && matches!(step, Step::CreateRevision { .. }) => {
                self.memory.collided(key, &view.uid(), core::collides(&set));
                Ok(Outcome::Learned)
            }
            Err(error) => self.refused(key, view, &step, error, now),
        }
    }

    /// A refusal concerns one object: the others go on.
    fn refused(
        &self,
        key: &Key,
        view: &View,
        step: &Step,
        error: Error,
        now: Timestamp,
    ) -> Result<Outcome, Error> {
        let (Some((verb, ordinal, object)), Some(message)) = (subject(step), error.refusal()) else {
            return Err(error);
        };
        tracing::warn!(set = %key, step = step.name(), message, "refused");
        self.metrics.refused(step);
        self.announcer.refused(&view.set, step, &message);
        self.memory
            .failed(key, &view.uid(), object, (verb, ordinal, message), now);
        Ok(Outcome::Learned)
    }

    fn again(&self, until: Option<Timestamp>) -> Again {
        let Some(until) = until else {
            return Again::OnChange;
        };
        let left = until.duration_since(self.clock.now());
        Again::After(Duration::try_from(left).unwrap_or(Duration::ZERO))
    }

    /// The one place that turns a failure into a time to look again.
    fn failed(&self, set: Key, error: &Error) -> Again {
        let class = error.class();
        self.metrics.failed(class);
        tracing::warn!(%set, ?class, error = %Chain(error), "cannot go on");
        match class {
            RetryClass::Conflict => Again::After(CONFLICT_PAUSE),
            RetryClass::Transient | RetryClass::Bug => {
                Again::After(self.backoff.failed(set, &mut rand::rng()))
            }
            RetryClass::Blocked(_) | RetryClass::Invalid => Again::After(SAFETY),
        }
    }
}
