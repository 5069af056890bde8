//! The work queue under paused time.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use control::queue::{Again, Queue};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

const SECOND: Duration = Duration::from_secs(1);

/// A look at a key: its begin and end, in seconds.
type Look = (&'static str, f64, f64);

/// A queue whose work takes a second per key, and what it did.
struct Bench {
    queue: Queue<&'static str>,
    log: Arc<Mutex<Vec<Look>>>,
    stop: CancellationToken,
    task: JoinSet<()>,
}

impl Bench {
    fn start(at_once: usize, again: fn(&str) -> Again) -> Self {
        let (queue, log, stop) = (
            Queue::new(),
            Arc::<Mutex<Vec<_>>>::default(),
            CancellationToken::new(),
        );
        let mut task = JoinSet::new();
        let (q, l, s) = (queue.clone(), Arc::clone(&log), stop.clone());
        let begun = Instant::now();
        task.spawn(async move {
            q.run(at_once, s, |key: &'static str| {
                let log = Arc::clone(&l);
                async move {
                    let from = begun.elapsed().as_secs_f64();
                    sleep(SECOND).await;
                    log.lock()
                        .unwrap()
                        .push((key, from.round(), begun.elapsed().as_secs_f64().round()));
                    again(key)
                }
            })
            .await;
        });
        Self {
            queue,
            log,
            stop,
            task,
        }
    }

    async fn end(mut self) -> Vec<Look> {
        self.stop.cancel();
        self.task.join_next().await.unwrap().unwrap();
        Arc::try_unwrap(self.log).unwrap().into_inner().unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_added_twice_is_looked_at_once() {
    let bench = Bench::start(4, |_| Again::OnChange);
    bench.queue.add("a");
    bench.queue.add("a");
    sleep(10 * SECOND).await;
    assert_eq!(bench.end().await, [("a", 0.0, 1.0)]);
}

#[tokio::test(start_paused = true)]
async fn a_key_added_while_looked_at_is_looked_at_again_but_not_at_once() {
    let bench = Bench::start(4, |_| Again::OnChange);
    bench.queue.add("a");
    sleep(SECOND / 2).await;
    bench.queue.add("a");
    bench.queue.add("a");
    sleep(10 * SECOND).await;
    assert_eq!(bench.end().await, [("a", 0.0, 1.0), ("a", 1.0, 2.0)]);
}

#[tokio::test(start_paused = true)]
async fn no_more_than_allowed_run_at_once_and_order_is_kept() {
    let bench = Bench::start(2, |_| Again::OnChange);
    for key in ["a", "b", "c"] {
        bench.queue.add(key);
    }
    sleep(SECOND / 2).await;
    assert_eq!(bench.queue.waiting(), 1);
    sleep(10 * SECOND).await;
    assert_eq!(
        bench.end().await,
        [("a", 0.0, 1.0), ("b", 0.0, 1.0), ("c", 1.0, 2.0)]
    );
}

#[tokio::test(start_paused = true)]
async fn a_delay_is_kept_and_an_addition_voids_it() {
    let bench = Bench::start(1, |_| Again::OnChange);
    bench.queue.add_after("late", 5 * SECOND);
    bench.queue.add_after("void", 5 * SECOND);
    sleep(2 * SECOND).await;
    bench.queue.add("void");
    sleep(20 * SECOND).await;
    assert_eq!(bench.end().await, [("void", 2.0, 3.0), ("late", 5.0, 6.0)]);
}

#[tokio::test(start_paused = true)]
async fn the_earlier_of_two_delays_counts() {
    let bench = Bench::start(1, |_| Again::OnChange);
    bench.queue.add_after("a", 9 * SECOND);
    bench.queue.add_after("a", 3 * SECOND);
    bench.queue.add_after("a", 7 * SECOND);
    sleep(20 * SECOND).await;
    assert_eq!(bench.end().await, [("a", 3.0, 4.0)]);
}

#[tokio::test(start_paused = true)]
async fn the_worker_says_when_again() {
    let bench = Bench::start(1, |key| {
        if key == "often" {
            Again::After(4 * SECOND)
        } else {
            Again::OnChange
        }
    });
    bench.queue.add("often");
    bench.queue.add("once");
    sleep(12 * SECOND).await;
    assert_eq!(
        bench.end().await,
        [
            ("often", 0.0, 1.0),
            ("once", 1.0, 2.0),
            ("often", 5.0, 6.0),
            ("often", 10.0, 11.0)
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn stopping_finishes_what_is_being_looked_at_and_begins_nothing() {
    let bench = Bench::start(1, |_| Again::After(SECOND));
    bench.queue.add("a");
    bench.queue.add("b");
    sleep(SECOND / 2).await;
    assert_eq!(bench.end().await, [("a", 0.0, 1.0)]);
}
