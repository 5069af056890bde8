//! The table of contents of the controller: one look at a database, from what is seen to what is written.
//!
//! ```text
//! view = observe(database)       client required      everything afresh
//! wish = Wish::of(view)          no client required   the spec with its defaults, or what is wrong with it
//! wanted = build::all(..)        no client required   what each object should be
//! step = plan(observed)          no client required   pure ([`provisioner_core::postgres::plan()`])
//! perform(step)                  client required      exactly one write, then from the top
//! status                         client required      when nothing is left to do, or stands in the way
//! ```

use std::{sync::Arc, time::Duration};

use control::{
    backoff::PerObject, events::Events, leader::Leader, queue::Again, retry::RetryClass, watch::Key,
};
use kube::Resource;
use provisioner_core::postgres::{Finding, Object, Step};
use runtime::{clock::Clock, report::Chain};
use units::Reason;

use crate::{
    build,
    decide::{Decided, answering, decide},
    error::Error,
    memory::{Memory, Remembered},
    metrics::Metrics,
    observe::{Observer, View},
    perform::Performer,
    status::{self, Account},
    watches::Stores,
    wish,
};

/// Writes in one look, far above what any database needs: beyond, something undoes what we do, and a pause is due.
const MOST_WRITES: u32 = 60;
const UNDONE_PAUSE: Duration = Duration::from_secs(5);
/// After a conflict the watches need a moment.
const CONFLICT_PAUSE: Duration = Duration::from_millis(200);
/// What is read without being watched is read again after this time: Secrets and ConfigMaps that the spec names.
const SAFETY: Duration = Duration::from_secs(60);
/// The same while that is what stands in the way: somebody is about to mend it.
const AWAITED: Duration = Duration::from_secs(10);
/// The same for a database of which nothing unwatched is read.
const RARELY: Duration = Duration::from_secs(600);

/// Looks at databases.
pub(crate) struct Controller {
    pub(crate) stores: Stores,
    pub(crate) leader: Leader,
    pub(crate) observer: Observer,
    pub(crate) performer: Performer,
    pub(crate) events: Events,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) memory: Arc<Memory>,
    pub(crate) backoff: PerObject<Key>,
    pub(crate) metrics: Metrics,
}

impl Controller {
    /// Looks at a database until there is nothing to do.
    pub(crate) async fn look(&self, database: Key) -> Again {
        if self.stores.postgreses.get(&database).is_none() || !self.leader.is_leader_now() {
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
        for _ in 0..MOST_WRITES {
            let Some(view) = self.observer.view(database).await? else {
                self.memory.forget(database);
                return Ok(Again::OnChange);
            };
            let known = self.memory.of(database, &view.uid());
            let mut decided = decide(&view, &known);
            self.remember_login(&view);
            let acted = match self.act(&view, &decided).await {
                Ok(acted) => acted,
                Err(error) => match error.finding() {
                    // It would be refused again: the user is told, and the rest of the status goes on.
                    Some(finding) => {
                        decided.findings.insert(0, finding);
                        false
                    }
                    None => return Err(error),
                },
            };
            if !acted {
                self.tell(&view, &decided, &known).await?;
                return Ok(again(&view, &decided));
            }
        }
        tracing::warn!(%database, "much was written and something is always left to write");
        Ok(Again::After(UNDONE_PAUSE))
    }

    /// Carries out the step; says whether something was done.
    async fn act(&self, view: &View, decided: &Decided) -> Result<bool, Error> {
        let step = &decided.step;
        let wanted = match step {
            Step::Make(object) | Step::Change(object) => decided.wanted.get(object),
            _ => None,
        };
        match step {
            Step::Nothing => return Ok(false),
            Step::Settings => return self.settings(view, decided).await,
            _ => {
                self.performer
                    .perform(view, decided.wish.as_ref(), step, wanted)
                    .await?
            }
        }
        let name = step_name(step);
        tracing::info!(database = %view.key, step = name, what = ?step, "done");
        self.metrics.done(name);
        if let Step::TakeRole(pod) = step {
            let note =
                format!("pod {pod} said that it is the primary and is not: its role label is taken off");
            self.events.warning(
                &view.postgres.object_ref(&()),
                Reason::RoleTaken,
                "TakeRole",
                note,
            );
        }
        // After the release the object may be gone; there is nothing left to say.
        Ok(*step != Step::Release)
    }

    async fn settings(&self, view: &View, decided: &Decided) -> Result<bool, Error> {
        let (Some(patch), Some(at)) = (&decided.settings, answering(view)) else {
            return Ok(false);
        };
        let now = self.performer.settings(view, at, patch.clone()).await?;
        tracing::info!(database = %view.key, %patch, "Patroni's settings are changed");
        self.metrics.done("Settings");
        let as_asked = decided
            .wish
            .as_ref()
            .is_some_and(|wish| build::settings_patch(&build::dynamic(wish), &now).is_none());
        self.memory.change(&view.key, &view.uid(), |known| {
            known.settings = Some(now);
            known.changes += 1;
        });
        // If Patroni keeps them otherwise, the next check shows it; not at once, and not for ever.
        Ok(as_asked)
    }

    fn remember_login(&self, view: &View) {
        let found = view.found.get(&Object::Auth);
        let login = found.and_then(|found| wish::login(found, &view.auth()).ok());
        self.memory
            .change(&view.key, &view.uid(), |known| known.login = login);
    }

    async fn tell(&self, view: &View, decided: &Decided, known: &Remembered) -> Result<(), Error> {
        if decided.step == Step::Release {
            return Ok(());
        }
        let account = Account {
            seen: &decided.seen,
            wish: decided.wish.as_ref(),
            answer: &known.answer,
            findings: &decided.findings,
        };
        let Some(status) = status::changed(view, &account, self.clock.now()) else {
            return Ok(());
        };
        let news = decided.findings.first().filter(|finding| !is_said(view, finding));
        self.performer.status(view, status).await?;
        if let Some(Finding { reason, message }) = news {
            self.events.warning(
                &view.postgres.object_ref(&()),
                *reason,
                "Provision",
                message.clone(),
            );
        }
        Ok(())
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

fn again(view: &View, decided: &Decided) -> Again {
    let reads_unwatched = view.spec.config_secret.is_some()
        || view.spec.configuration.is_some()
        || !decided.findings.is_empty()
        || view.is_deleted();
    Again::After(match reads_unwatched {
        _ if decided.seen.obstacle => AWAITED,
        true => SAFETY,
        false => RARELY,
    })
}

fn is_said(view: &View, finding: &Finding) -> bool {
    let said = api::conditions::find(&view.conditions, api::kubedb::v1::condition::FAILURE);
    said.is_some_and(|said| said.message.as_deref() == Some(finding.message.as_str()))
}

fn step_name(step: &Step) -> &'static str {
    match step {
        Step::AddFinalizer => "AddFinalizer",
        Step::Make(_) => "Make",
        Step::Change(_) => "Change",
        Step::Remove(_) => "Remove",
        Step::RemoveClaim(_) => "RemoveClaim",
        Step::TakeRole(_) => "TakeRole",
        Step::Settings => "Settings",
        Step::Release => "Release",
        Step::Nothing => "Nothing",
    }
}
