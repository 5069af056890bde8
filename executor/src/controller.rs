//! The table of contents of the executor: one look at a database, from what is seen to what is written.
//!
//! ```text
//! view = observe(database)          client required      everything afresh
//! step = step(request, view, now)   no client required   pure; a panic in it costs one request, not the process
//! perform(step)                     client required      exactly one write, then from the top
//! ```
//! Requests of one database are looked at one after the other; databases at the same time.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use api::ops::v1alpha1::PostgresOpsRequest;
use control::{
    backoff::PerObject, leader::Leader, queue::Again, retry::RetryClass, watch::Key, whole::Whole,
};
use executor_core::{
    Observed, Request, Step, internal_error,
    observed::{Refusal, Target, Trouble},
};
use jiff::Timestamp;
use runtime::{clock::Clock, report::Chain, tasks::panic_text};
use units::Reason;

use crate::{
    alongside::Permission,
    error::Error,
    events::Announcer,
    index::Index,
    memory::Memory,
    metrics::Metrics,
    observe::{Observer, View},
    passed::{Passed, begun},
    perform::{Performer, Written, is_refused},
    wake::is_busy,
    watches::Stores,
};

/// How steps are decided: [`executor_core::step`], unless a test puts a panic in its place.
pub type Decide = fn(&Request, &Observed, Timestamp) -> Step;

/// Writes in one look, far above what any request needs: beyond, something undoes what we do, and a pause is due.
const MOST_WRITES: u32 = 100;
const UNDONE_PAUSE: Duration = Duration::from_secs(5);

/// Looks again after a conflict, before the object is left alone for a moment.
const CONFLICTS: u32 = 5;
const CONFLICT_PAUSE: Duration = Duration::from_millis(200);

/// After a write to members that failed: Patroni refuses for a moment what it does in the next.
const MEMBER_PAUSE: Duration = Duration::from_millis(500);

/// After a refusal that a change of some other object would lift, which may not be watched.
const SAFETY: Duration = Duration::from_secs(60);

/// Carries out requests.
pub(crate) struct Controller {
    pub(crate) stores: Stores,
    pub(crate) index: Index,
    pub(crate) leader: Leader,
    pub(crate) permission: Permission,
    pub(crate) observer: Observer,
    pub(crate) performer: Performer,
    pub(crate) announcer: Announcer,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) decide: Decide,
    pub(crate) memory: Memory,
    pub(crate) backoff: PerObject<Key>,
    pub(crate) metrics: Metrics,
}

/// What came of one request, or of one pass over a database.
enum Outcome {
    /// Something was written or learned: once more from the top.
    Acted(Written),
    /// Nothing to do before this time.
    Idle(Option<Timestamp>),
}

/// What members say is old after every write; an object is taken in as it was written.
fn is_old(view: &View, written: &Written) -> bool {
    match written {
        Written::Nothing => false,
        Written::Elsewhere => true,
        _ => view.members.were_asked(),
    }
}

impl Controller {
    /// Looks at a database until there is nothing to do.
    pub(crate) async fn look(&self, database: Key) -> Again {
        let paused = self
            .stores
            .postgreses
            .get(&database)
            .is_some_and(|postgres| postgres.pause.is_some());
        let concerns = paused || is_busy(&self.stores, &self.index, &database);
        if !concerns || !self.leader.is_leader_now() || !self.permission.is_given() {
            return Again::OnChange;
        }
        match self.work(&database).await {
            Ok(again) => {
                self.backoff.succeeded(&database);
                again
            }
            Err(error) => self.failed(database, &error),
        }
    }

    async fn work(&self, database: &Key) -> Result<Again, Error> {
        let mut view = self.observer.view(database, self.clock.now()).await?;
        let mut conflicts = 0;
        for _ in 0..MOST_WRITES {
            match self.pass(database, &view).await {
                Ok(Outcome::Acted(written)) if is_old(&view, &written) => {
                    view = self.observer.view(database, self.clock.now()).await?;
                }
                Ok(Outcome::Acted(written)) => view.take_in(written)?,
                Ok(Outcome::Idle(None)) => return Ok(Again::OnChange),
                Ok(Outcome::Idle(Some(until))) => {
                    let left = until.duration_since(self.clock.now());
                    return Ok(Again::After(Duration::try_from(left).unwrap_or(Duration::ZERO)));
                }
                Err(error) if error.class() == RetryClass::Conflict && conflicts < CONFLICTS => {
                    conflicts += 1;
                    view = self.observer.view(database, self.clock.now()).await?;
                }
                Err(error) => return Err(error),
            }
        }
        tracing::warn!(%database, "much was written and something is always left to write");
        Ok(Again::After(UNDONE_PAUSE))
    }

    /// One pass: the first request with something to do does it.
    async fn pass(&self, database: &Key, view: &View) -> Result<Outcome, Error> {
        let now = self.clock.now();
        let mut soonest: Option<Timestamp> = None;
        for (whole, request) in &view.requests {
            match self.request(view, whole, request, now).await? {
                Outcome::Idle(until) => soonest = soonest.into_iter().chain(until).min(),
                acted => return Ok(acted),
            }
        }
        if view.is_pause_left_over()? {
            tracing::info!(%database, "lifts a pause that is left over");
            let written = self.performer.resume(view).await?;
            self.announcer.lifted(view);
            return Ok(Outcome::Acted(written));
        }
        Ok(Outcome::Idle(soonest))
    }

    async fn request(
        &self,
        view: &View,
        whole: &Whole<PostgresOpsRequest>,
        request: &Request,
        now: Timestamp,
    ) -> Result<Outcome, Error> {
        if let Some(until) = self
            .memory
            .left_alone_until(&request.uid)
            .filter(|until| *until > now)
        {
            return Ok(Outcome::Idle(Some(until)));
        }
        let seen = view.observed(request, self.memory.of(&request.uid))?;
        let decided = catch_unwind(AssertUnwindSafe(|| {
            let state = executor_core::state(request, &seen, now);
            let stages = executor_core::stages(request, &seen);
            (state, stages, (self.decide)(request, &seen, now))
        }));
        let (state, stages, step) = match decided {
            Ok(decided) => decided,
            Err(panic) => {
                return self
                    .panicked(view, whole, request, panic_text(&*panic), now)
                    .await;
            }
        };
        self.metrics.stand(&request.uid, state);
        for leg in self.memory.see(&request.uid, stages, now) {
            self.metrics.passed(leg, begun(whole, request), now);
        }
        match &step {
            Step::Wait(wait) => {
                self.memory.waits(&request.uid);
                self.metrics.waits(&request.uid, wait.reason);
                Ok(Outcome::Idle(wait.until))
            }
            Step::Done => {
                self.memory.forget(&request.uid);
                self.metrics.forget(&request.uid);
                Ok(Outcome::Idle(None))
            }
            Step::Try { claim, to } => {
                let trial = self.performer.try_claim(view, claim, *to).await?;
                self.memory.tried(&request.uid, claim, trial);
                Ok(Outcome::Acted(Written::Nothing))
            }
            _ => self.write(view, whole, request, &step).await,
        }
    }

    async fn write(
        &self,
        view: &View,
        whole: &Whole<PostgresOpsRequest>,
        request: &Request,
        step: &Step,
    ) -> Result<Outcome, Error> {
        self.announcer.before(whole, request, step);
        let passed = self.memory.passed(&request.uid);
        let outcome = self.performer.perform(view, whole, step, &passed).await;
        if outcome.as_ref().err().is_none_or(Error::was_sent) {
            self.memory.attempts(&request.uid, step.target());
        }
        match outcome {
            Ok(written) => {
                tracing::info!(request = request.path(), step = step.name(), "done");
                self.metrics.done(step);
                self.memory.told(&request.uid, step.target(), None);
                self.announcer.after(whole, request, step);
                if matches!(step, Step::Begin(_) | Step::Retry(_)) {
                    self.memory.forget(&request.uid);
                }
                Ok(Outcome::Acted(written))
            }
            Err(Error::Member(trouble)) => {
                let Trouble { reason, message } = &*trouble;
                tracing::warn!(request = request.path(), step = step.name(), %reason, message, "a member refuses");
                self.memory.told(&request.uid, step.target(), Some(*trouble));
                let again = self.clock.now().checked_add(MEMBER_PAUSE);
                Ok(Outcome::Idle(Some(again.unwrap_or(Timestamp::MAX))))
            }
            Err(error) => match (error.refusal(), step.target()) {
                (Some((reason, message)), Some(target)) if is_refused(step, &error) => {
                    self.refused(request, step, target, Refusal { reason, message });
                    Ok(Outcome::Acted(Written::Nothing))
                }
                _ => Err(error),
            },
        }
    }

    fn refused(&self, request: &Request, step: &Step, target: Target, refusal: Refusal) {
        let Refusal { reason, message } = &refusal;
        tracing::warn!(request = request.path(), step = step.name(), %reason, message, "refused");
        self.memory.refused(&request.uid, target, refusal);
    }

    /// The request says so, and is left alone for a while; the others go on.
    async fn panicked(
        &self,
        view: &View,
        whole: &Whole<PostgresOpsRequest>,
        request: &Request,
        text: &str,
        now: Timestamp,
    ) -> Result<Outcome, Error> {
        let path = request.path();
        tracing::error!(request = path, panic = text, "deciding panicked");
        self.metrics.panicked();
        let delay = self.backoff.failed(Key::new("", &request.uid), &mut rand::rng());
        let until = now.checked_add(delay).unwrap_or(Timestamp::MAX);
        self.memory.leave_alone(&request.uid, until);
        if request.record.is_true(Reason::InternalError) {
            return Ok(Outcome::Idle(Some(until)));
        }
        let error = Error::Panicked {
            request: path,
            text: text.to_owned(),
        };
        let step = internal_error(&error.to_string());
        let written = self
            .performer
            .perform(view, whole, &step, &Passed::default())
            .await?;
        self.announcer.failed(whole, Reason::InternalError, &error);
        Ok(Outcome::Acted(written))
    }

    /// The one place that turns a failure into a time to look again.
    fn failed(&self, database: Key, error: &Error) -> Again {
        let class = error.class();
        self.metrics.failed(class);
        tracing::warn!(%database, ?class, error = %Chain(error), "cannot go on");
        match class {
            RetryClass::Conflict => Again::After(CONFLICT_PAUSE),
            RetryClass::Transient | RetryClass::Bug => {
                Again::After(self.backoff.failed(database, &mut rand::rng()))
            }
            RetryClass::Blocked(_) | RetryClass::Invalid => Again::After(SAFETY),
        }
    }
}
