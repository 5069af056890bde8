//! The controller in a test: the same parts as in production, with a leader that needs no election, a probe of the test's
//! own and a place to stop. Not for production.

use std::sync::Arc;

pub use control::stop::StopAfter;
use control::{events::Events, leader::Leader, watch::Watches};
use kube::Client;
use runtime::{build, clock::SystemClock, readiness::Readiness, tasks::Tasks};

use crate::{
    probe::Probe,
    run::{Parts, start},
};

/// Runs a controller until it is dropped. With `all` false it is one beside KubeDB.
///
/// # Errors
/// If one of its tasks ends.
pub async fn run(
    client: Client,
    probe: Arc<dyn Probe>,
    all: bool,
    stop_after: Option<StopAfter>,
) -> anyhow::Result<()> {
    let mut registry = build::registry("provisioner");
    let mut tasks = Tasks::new();
    let readiness = Readiness::new(tasks.token());
    let (events, task) = Events::new(
        client.clone(),
        "provisioner",
        "test",
        SystemClock,
        &mut registry,
        tasks.last_token(),
    );
    tasks.spawn_last("events", task);
    let watches = Watches::new(client.clone(), &readiness, &mut registry, tasks.token());
    let parts = Parts {
        client,
        leader: Leader::alone(),
        events,
        watches,
        all,
        clock: Arc::new(SystemClock),
        probe,
        stop_after,
    };
    start(parts, &mut registry, &mut tasks);
    tasks.run_until(async || std::future::pending().await).await
}
