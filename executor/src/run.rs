//! The process: one straight line from flags to tasks.

use std::{sync::Arc, time::Duration};

use control::{
    backoff::PerObject,
    client,
    events::Events,
    leader::{Leader, LeaseArgs, Timing},
    queue::Queue,
    watch::Watches,
    write::Fenced,
};
use kube::Client;
use prometheus_client::registry::Registry;
use runtime::{
    admin, build,
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
pub async fn run(args: Args) -> anyhow::Result<()> {
    let Args {
        namespace,
        pod_name,
        mode,
        admin: admin_args,
        log: _,
        client: client_args,
    } = args;
    let mut registry = build::registry("executor");
    let mut tasks = Tasks::new();
    let readiness = Readiness::new(tasks.token());
    let client = client::connect(&client_args, "executor", &mut registry).await?;

    let lease = LeaseArgs {
        namespace,
        name: "highwater-executor".to_owned(),
        pod_name: pod_name.clone(),
        timing: Timing::default(),
    };
    let (leader, task) = Leader::candidate(
        client.clone(),
        lease,
        SystemClock,
        &mut registry,
        tasks.last_token(),
    );
    tasks.spawn_last("lease", task);

    let permission = Permission::new(mode == Mode::Standalone);
    if mode == Mode::Alongside {
        let gate = readiness.gate("KubeDB's ops-manager");
        let task = alongside::watch(client.clone(), permission.clone(), gate, tasks.token());
        tasks.spawn("alongside", task);
    }

    let parts = Parts {
        client,
        leader,
        permission,
        pod_name,
        reach: Arc::new(Real::new()),
        beside_kubedb: mode == Mode::Alongside,
        clock: Arc::new(SystemClock),
        decide: executor_core::step,
        stop_after: None,
    };
    start(parts, &readiness, &mut registry, &mut tasks);
    let serve = admin::serve(admin_args.admin, readiness, registry, tasks.last_token());
    tasks.spawn_last("admin", serve);
    tasks.run_until_signal().await
}

/// What the executor is made of, for [`run`] and for tests that put something else in a place.
pub(crate) struct Parts {
    pub(crate) client: Client,
    pub(crate) leader: Leader,
    pub(crate) permission: Permission,
    pub(crate) pod_name: String,
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
        permission,
        pod_name,
        reach,
        beside_kubedb,
        clock,
        decide,
        stop_after,
    } = parts;
    let (events, task) = Events::new(
        client.clone(),
        "executor",
        &pod_name,
        SystemClock,
        registry,
        tasks.last_token(),
    );
    tasks.spawn_last("events", task);
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
