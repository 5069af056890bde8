//! How a process ends: by a signal, by a task, by a panic, by impatience.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::bail;
use runtime::{readiness::Readiness, tasks::Tasks};
use tokio::{sync::mpsc, time::sleep};

/// Runs the tasks with the given signals arriving at the given seconds.
async fn run(tasks: Tasks, signals: &[(u64, &'static str)]) -> Result<(), String> {
    let (send, mut receive) = mpsc::channel(signals.len() + 1);
    let plan = signals.to_vec();
    let deliver = async move {
        for (after, name) in plan {
            sleep(Duration::from_secs(after)).await;
            send.send(name).await.ok();
        }
        pending::<()>().await;
    };
    let ends = tasks.run_until(async move || match receive.recv().await {
        Some(name) => name,
        None => pending().await,
    });
    tokio::select! {
        ended = ends => ended.map_err(|error| format!("{error:#}")),
        () = deliver => unreachable!("never ends"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_signal_drains_and_readiness_falls_at_once() {
    let mut tasks = Tasks::new();
    let readiness = Readiness::new(tasks.token());
    let (token, last) = (tasks.token(), tasks.last_token());
    let drained = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&drained);
    tasks.spawn("worker", async move {
        token.cancelled().await;
        assert_eq!(readiness.missing(), ["shutting down"]);
        sleep(Duration::from_secs(5)).await;
        flag.store(true, Ordering::SeqCst);
        Ok(())
    });
    let flag = Arc::clone(&drained);
    tasks.spawn_last("admin", async move {
        last.cancelled().await;
        assert!(
            flag.load(Ordering::SeqCst),
            "the last task was told to end before the others had"
        );
        Ok(())
    });
    assert_eq!(run(tasks, &[(1, "SIGTERM")]).await, Ok(()));
    assert!(drained.load(Ordering::SeqCst));
}

#[tokio::test(start_paused = true)]
async fn a_task_that_fails_ends_the_others() {
    let mut tasks = Tasks::new();
    let token = tasks.token();
    tasks.spawn("waits", async move {
        token.cancelled().await;
        Ok(())
    });
    tasks.spawn("fails", async {
        sleep(Duration::from_secs(1)).await;
        bail!("the cause")
    });
    assert_eq!(
        run(tasks, &[]).await,
        Err("task fails failed: the cause".to_owned())
    );
}

#[tokio::test(start_paused = true)]
async fn a_task_that_just_ends_is_an_error_too() {
    let mut tasks = Tasks::new();
    tasks.spawn("short", async { Ok(()) });
    assert_eq!(
        run(tasks, &[]).await,
        Err("task short ended without being told to".to_owned())
    );
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_told_with_its_text() {
    let mut tasks = Tasks::new();
    tasks.spawn_last("admin", async { panic!("number {}", 7) });
    assert_eq!(
        run(tasks, &[]).await,
        Err("task admin panicked: number 7".to_owned())
    );
}

#[tokio::test(start_paused = true)]
async fn who_does_not_drain_is_named() {
    let mut tasks = Tasks::new().with_grace(Duration::from_secs(3));
    tasks.spawn("stubborn", pending());
    assert_eq!(
        run(tasks, &[(1, "SIGINT")]).await,
        Err("did not end within 3s: stubborn".to_owned())
    );
}

#[tokio::test(start_paused = true)]
async fn a_second_signal_aborts() {
    let mut tasks = Tasks::new().with_grace(Duration::from_secs(3600));
    tasks.spawn("stubborn", pending());
    let begun = tokio::time::Instant::now();
    let ended = run(tasks, &[(1, "SIGTERM"), (2, "SIGINT")]).await;
    assert_eq!(
        ended,
        Err("aborted by a second signal, SIGINT, while draining".to_owned())
    );
    assert_eq!(begun.elapsed(), Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn a_failure_while_draining_is_the_result() {
    let mut tasks = Tasks::new();
    let token = tasks.token();
    tasks.spawn("messy", async move {
        token.cancelled().await;
        bail!("could not let go")
    });
    assert_eq!(
        run(tasks, &[(1, "SIGTERM")]).await,
        Err("task messy failed: could not let go".to_owned())
    );
}
