//! The process: one straight line from flags to tasks.

use std::{sync::Arc, time::Duration};

use control::{
    backoff::PerObject, events::Events, leader::Leader, process::Process, queue::Queue, watch::Watches,
    write::Fenced,
};
use kube::Client;
use prometheus_client::registry::Registry;
use runtime::{
    clock::{Clock, SystemClock},
    readiness::Readiness,
    tasks::Tasks,
};
use tokio_util::sync::CancellationToken;

use crate::{
    alongside::{self, Permission},
    args::{Args, Mode},
    controller::{Controller, Decide},
    events::Announcer,
    index::Index,
    member::{Reach, Real},
    memory::Memory,
    metrics::Metrics,
    observe::Observer,
    perform::{Performer, StopAfter},
    wake::Wake,
    watches::{self, Stores},
};

/// Databases that are looked at at the same time. An expansion mostly waits; what bounds the rate is the resizer,
/// which does ten at a time.
const AT_ONCE: usize = 32;

/// Waits after failures: a first conflict with a busy API server passes in no time, a broken webhook takes long.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const MOST_WAIT: Duration = Duration::from_secs(60);

/// Runs until told to end.
///
/// # Errors
/// If the client cannot be made, or a task ends.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let Args { mode, process } = args;
    let mut process = Process::begin("executor", process).await?;
    let permission = Permission::new(mode == Mode::Standalone);
    if mode == Mode::Alongside {
        let gate = process.readiness.gate("KubeDB's ops-manager");
        let stop = process.tasks.token();
        let task = alongside::watch(process.client.clone(), permission.clone(), gate, stop);
        process.tasks.spawn("alongside", task);
    }
    let parts = Parts {
        client: process.client.clone(),
        leader: process.leader.clone(),
        events: process.events(),
        permission,
        reach: Arc::new(Real::new()),
        beside_kubedb: mode == Mode::Alongside,
        clock: Arc::new(SystemClock),
        decide: executor_core::step,
        stop_after: None,
    };
    start(
        parts,
        &process.readiness,
        &mut process.registry,
        &mut process.tasks,
    );
    process.run().await
}

/// What the executor is made of, for [`run`] and for tests that put something else in a place.
pub(crate) struct Parts {
    pub(crate) client: Client,
    pub(crate) leader: Leader,
    pub(crate) events: Events,
    pub(crate) permission: Permission,
    pub(crate) reach: Arc<dyn Reach>,
    pub(crate) beside_kubedb: bool,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) decide: Decide,
    pub(crate) stop_after: Option<StopAfter>,
}

/// Starts watches, Events and the controller.
pub(crate) fn start(parts: Parts, readiness: &Readiness, registry: &mut Registry, tasks: &mut Tasks) {
    let Parts {
        client,
        leader,
        events,
        permission,
        reach,
        beside_kubedb,
        clock,
        decide,
        stop_after,
    } = parts;
    let watches = Watches::new(client.clone(), readiness, registry, tasks.token());
    let stores = watches::start(&watches, tasks);
    let index = Index::new(stores.clone());
    let writes = Fenced::new(client.clone(), leader.clone(), api::names::MANAGER_EXECUTOR);
    let controller = Controller {
        stores: stores.clone(),
        index: index.clone(),
        leader: leader.clone(),
        permission: permission.clone(),
        observer: Observer::new(client, index.clone(), Arc::clone(&reach), beside_kubedb),
        performer: Performer::new(writes, reach, Arc::clone(&clock), stop_after),
        announcer: Announcer::new(events),
        clock,
        decide,
        memory: Memory::default(),
        backoff: PerObject::new(FIRST_WAIT, MOST_WAIT),
        metrics: Metrics::register(registry),
    };
    let queue = Queue::new();
    let wake = Wake {
        stores: stores.clone(),
        index,
        leader,
        permission,
        queue: queue.clone(),
    };
    tasks.spawn("controller", work(stores, wake, controller, queue, tasks.token()));
}

/// Nothing is looked at before all watches are complete and indexed: what is missing would be taken for gone.
async fn work(
    stores: Stores,
    wake: Wake,
    controller: Controller,
    queue: Queue<control::watch::Key>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    tokio::select! {
        () = stop.cancelled() => return Ok(()),
        () = stores.synced() => (),
    }
    let mut wake = wake.subscribe();
    wake.catch_up();
    let look = queue.run(AT_ONCE, stop.clone(), |database| controller.look(database));
    let (heard, ()) = tokio::join!(wake.run(stop), look);
    heard
}
