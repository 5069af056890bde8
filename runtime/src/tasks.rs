//! All that a process does, in one set: the first task that ends, fails or panics ends the process.
//!
//! A half-alive process is the worst kind: it looks healthy and does a part of its work. So nothing is spawned
//! elsewhere, [`crate::thread::alone`] is itself a task, and a task that must go on in the face of errors says so by retrying them itself.
//!
//! Shutdown has two steps. [`Tasks::token`] is cancelled by the first SIGTERM or SIGINT, or by a task's end:
//! the tasks drain. When they have ended, or the grace time has passed, [`Tasks::last_token`] is cancelled for
//! those that must outlive them, such as the admin port. A second signal ends both at once.

use std::{any::Any, collections::HashMap, time::Duration};

use anyhow::{Context, anyhow, bail};
use tokio::{
    signal::unix::{SignalKind, signal},
    task::{Id, JoinError, JoinSet},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

/// Time for the tasks to drain: below the 30 s after which kubelet kills, with room for a slow API server to
/// take the released lease.
const GRACE: Duration = Duration::from_secs(10);

/// Time for the last tasks, which have nothing to drain.
const LAST_GRACE: Duration = Duration::from_secs(1);

/// The tasks of a process.
#[derive(Debug)]
pub struct Tasks {
    tasks: Named,
    last: Named,
    grace: Duration,
}

/// A set of tasks with their names and the token that tells them to end.
#[derive(Debug, Default)]
struct Named {
    set: JoinSet<anyhow::Result<()>>,
    names: HashMap<Id, &'static str>,
    token: CancellationToken,
}

/// Why the tasks stopped.
enum Stop {
    Signal(&'static str),
    Ended(anyhow::Error),
}

impl Default for Tasks {
    fn default() -> Self {
        Self::new()
    }
}

impl Tasks {
    /// An empty set with a grace time of ten seconds.
    #[must_use]
    pub fn new() -> Self {
        Self {
            tasks: Named::default(),
            last: Named::default(),
            grace: GRACE,
        }
    }

    /// Sets how long the tasks may drain after a signal.
    #[must_use]
    pub fn with_grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Cancelled when the process is to end; every task must then end soon.
    #[must_use]
    pub fn token(&self) -> CancellationToken {
        self.tasks.token.clone()
    }

    /// Cancelled when all ordinary tasks have ended.
    #[must_use]
    pub fn last_token(&self) -> CancellationToken {
        self.last.token.clone()
    }

    /// Adds a task that drains upon [`Tasks::token`].
    pub fn spawn<F>(&mut self, name: &'static str, task: F)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        self.tasks.spawn(name, task);
    }

    /// Adds a task that outlives the others and ends upon [`Tasks::last_token`].
    pub fn spawn_last<F>(&mut self, name: &'static str, task: F)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        self.last.spawn(name, task);
    }

    /// Runs until SIGTERM, SIGINT or the end of a task, then drains.
    ///
    /// # Errors
    /// If a task failed, panicked, ended without being told to, or did not drain in time; if a second signal
    /// came; if the signals cannot be caught.
    pub async fn run_until_signal(self) -> anyhow::Result<()> {
        let mut term = signal(SignalKind::terminate()).context("cannot catch SIGTERM")?;
        let mut int = signal(SignalKind::interrupt()).context("cannot catch SIGINT")?;
        self.run_until(async move || {
            tokio::select! {
                _ = term.recv() => "SIGTERM",
                _ = int.recv() => "SIGINT",
            }
        })
        .await
    }

    /// [`Tasks::run_until_signal`] with the signals from elsewhere.
    ///
    /// # Errors
    /// As there.
    pub async fn run_until(mut self, mut signal: impl AsyncFnMut() -> &'static str) -> anyhow::Result<()> {
        let stop = tokio::select! {
            name = signal() => Stop::Signal(name),
            error = self.tasks.first_end() => Stop::Ended(error),
            error = self.last.first_end() => Stop::Ended(error),
        };
        match &stop {
            Stop::Signal(name) => tracing::info!(signal = name, "shutting down"),
            Stop::Ended(error) => tracing::error!(error = format!("{error:#}"), "shutting down"),
        }
        let drained = tokio::select! {
            drained = self.drain() => drained,
            name = signal() => Err(anyhow!("aborted by a second signal, {name}, while draining")),
        };
        match stop {
            Stop::Signal(_) => drained,
            Stop::Ended(error) => {
                if let Err(more) = drained {
                    tracing::error!(error = format!("{more:#}"), "did not drain");
                }
                Err(error)
            }
        }
    }

    async fn drain(&mut self) -> anyhow::Result<()> {
        let drained = self.tasks.drain(self.grace).await;
        self.last.drain(LAST_GRACE).await.and(drained)
    }
}

impl Named {
    fn spawn<F>(&mut self, name: &'static str, task: F)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let handle = self.set.spawn(task);
        self.names.insert(handle.id(), name);
    }

    /// Waits for the first task to end, for ever if there is none, and says why that ends the process.
    async fn first_end(&mut self) -> anyhow::Error {
        let Some(ended) = self.set.join_next_with_id().await else {
            return std::future::pending().await;
        };
        match self.named(ended) {
            (name, Ok(())) => anyhow!("task {name} ended without being told to"),
            (_, Err(error)) => error,
        }
    }

    /// Tells all to end and waits; the first error is returned, all are logged.
    async fn drain(&mut self, grace: Duration) -> anyhow::Result<()> {
        self.token.cancel();
        let mut errors = Vec::new();
        let all = async {
            while let Some(ended) = self.set.join_next_with_id().await {
                if let (name, Err(error)) = self.named(ended) {
                    tracing::error!(task = name, error = format!("{error:#}"), "failed while draining");
                    errors.push(error);
                }
            }
        };
        let late = timeout(grace, all).await.is_err();
        if late {
            let mut names: Vec<_> = self.names.values().copied().collect();
            names.sort_unstable();
            self.set.abort_all();
            bail!("did not end within {grace:?}: {}", names.join(", "));
        }
        errors.into_iter().next().map_or(Ok(()), Err)
    }

    fn named(
        &mut self,
        ended: Result<(Id, anyhow::Result<()>), JoinError>,
    ) -> (&'static str, anyhow::Result<()>) {
        let id = ended.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        let name = self.names.remove(&id).unwrap_or("unnamed");
        let result = match ended {
            Ok((_, result)) => result.with_context(|| format!("task {name} failed")),
            Err(error) => Err(match error.try_into_panic() {
                Ok(panic) => anyhow!("task {name} panicked: {}", panic_text(panic.as_ref())),
                Err(error) => anyhow!(error).context(format!("task {name} was aborted")),
            }),
        };
        (name, result)
    }
}

/// The text of a panic. Also for those who catch one per object.
#[must_use]
pub fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&'static str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(no message)")
}
