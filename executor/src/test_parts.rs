//! The executor in a test: the same parts as in [`crate::run()`], with a leader that needs no election and a place to
//! stop. Not for production.

use std::sync::Arc;

use control::{events::Events, leader::Leader};
use kube::Client;
use runtime::{
    admin::Admin, build, clock::SystemClock, readiness::Readiness, tasks::Tasks, watchdog::Watchdogs,
};
use tokio::net::TcpListener;

use crate::{
    alongside::Permission,
    member::{Reach, Real},
    run::{Parts, start},
};
pub use crate::{controller::Decide, perform::StopAfter};

/// Runs an executor until it is dropped.
///
/// # Errors
/// If one of its tasks ends.
pub async fn run(client: Client, decide: Decide, stop_after: Option<StopAfter>) -> anyhow::Result<()> {
    run_with(client, decide, stop_after, Arc::new(Real::new())).await
}

/// The same, where `reach` answers for the members.
///
/// # Errors
/// If one of its tasks ends.
pub async fn run_with(
    client: Client,
    decide: Decide,
    stop_after: Option<StopAfter>,
    reach: Arc<dyn Reach>,
) -> anyhow::Result<()> {
    let (tasks, _admin) = begin(client, decide, stop_after, reach);
    until_dropped(tasks).await
}

/// Runs an executor until it is dropped, which answers scrapes.
///
/// # Errors
/// If one of its tasks ends.
pub async fn run_scraped(client: Client, listener: TcpListener) -> anyhow::Result<()> {
    let (mut tasks, admin) = begin(client, executor_core::step, None, Arc::new(Real::new()));
    tasks.spawn_last("admin", admin.serve_on(listener, tasks.last_token()));
    until_dropped(tasks).await
}

fn begin(
    client: Client,
    decide: Decide,
    stop_after: Option<StopAfter>,
    reach: Arc<dyn Reach>,
) -> (Tasks, Admin) {
    let mut registry = build::registry("executor");
    let mut tasks = Tasks::new();
    let readiness = Readiness::new(tasks.token());
    let last = tasks.last_token();
    let (events, task) = Events::new(
        client.clone(),
        "executor",
        "test",
        SystemClock,
        &mut registry,
        last,
    );
    tasks.spawn_last("events", task);
    let parts = Parts {
        client,
        leader: Leader::alone(),
        events,
        permission: Permission::new(true),
        reach,
        beside_kubedb: false,
        clock: Arc::new(SystemClock),
        decide,
        stop_after,
    };
    start(parts, &readiness, &mut registry, &mut tasks);
    let admin = Admin {
        readiness,
        watchdogs: Watchdogs::default(),
        registry,
    };
    (tasks, admin)
}

async fn until_dropped(tasks: Tasks) -> anyhow::Result<()> {
    tasks.run_until(async || std::future::pending().await).await
}

/// KubeDB's ops-manager, if it runs: what mode `alongside` asks before it acts.
///
/// # Errors
/// If Deployments or StatefulSets cannot be listed.
pub async fn ops_manager(client: &Client) -> Result<Option<String>, kube::Error> {
    crate::alongside::ops_manager(client).await
}
