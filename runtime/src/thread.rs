//! A task on a thread of its own, with all that it spawns: it does not wait for its turn among others, and what becomes ready
//! of it wakes no second thread.

use anyhow::{Context, anyhow};
use tokio::sync::oneshot;

use crate::tasks::panic_text;

/// Runs what `make` makes on a new thread with a runtime of its own, to its end. The thread is not stopped by dropping
/// the answer: what it runs must end by a token, as every task.
///
/// # Errors
/// Those of the task; if the thread or its runtime cannot be made; if the task panics.
pub async fn alone<F>(name: &'static str, make: impl FnOnce() -> F + Send + 'static) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<()>>,
{
    let (ended, end) = oneshot::channel();
    let run = move || {
        // Nobody waits for the answer any more when the process ends without it.
        drop(ended.send(block_on(make)));
    };
    let thread = std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)
        .with_context(|| format!("cannot start thread {name}"))?;
    match end.await {
        Ok(ended) => ended,
        // It is at its end, so that this does not wait.
        Err(_) => Err(match thread.join() {
            Err(panic) => anyhow!("thread {name} panicked: {}", panic_text(panic.as_ref())),
            Ok(()) => anyhow!("thread {name} ended without a word"),
        }),
    }
}

fn block_on<F>(make: impl FnOnce() -> F) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<()>>,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot make a runtime")?;
    let ended = runtime.block_on(async { make().await });
    runtime.shutdown_background();
    ended
}

#[cfg(test)]
mod tests {
    use tokio::task::JoinSet;

    use super::*;

    #[tokio::test]
    async fn it_and_what_it_spawns_share_one_thread_that_is_not_ours() {
        let (told, mut threads) = tokio::sync::mpsc::unbounded_channel();
        let name = || std::thread::current().name().map(str::to_owned);
        let ended = alone("apart", move || async move {
            let inner = told.clone();
            let mut spawned = JoinSet::new();
            spawned.spawn(async move { inner.send(name()) });
            spawned.join_all().await.into_iter().collect::<Result<(), _>>()?;
            told.send(name())?;
            Ok(())
        });
        ended.await.unwrap();
        let apart = Some(Some("apart".to_owned()));
        assert_eq!(
            (threads.recv().await, threads.recv().await),
            (apart.clone(), apart)
        );
    }

    #[tokio::test]
    async fn its_error_and_its_panic_are_told() {
        let failed = alone("failing", || async { Err(anyhow!("no more room")) }).await;
        assert_eq!(failed.unwrap_err().to_string(), "no more room");
        let panicked = alone("panicking", || async { panic!("a defect") }).await;
        assert_eq!(
            panicked.unwrap_err().to_string(),
            "thread panicking panicked: a defect"
        );
    }
}
