//! What the controller is made of, and how it starts within a process.

use std::{sync::Arc, time::Duration};

use control::{
    backoff::PerObject,
    events::Events,
    leader::Leader,
    queue::Queue,
    stop::StopAfter,
    watch::{Key, Watches},
    write::Fenced,
};
use kube::Client;
use prometheus_client::registry::Registry;
use runtime::{clock::Clock, tasks::Tasks};
use tokio_util::sync::CancellationToken;

use crate::{
    controller::Controller,
    health::Checker,
    memory::Memory,
    metrics::Metrics,
    observe::Observer,
    perform::Performer,
    probe::Probe,
    wake::Wake,
    watches::{self, Stores},
};

/// Databases that are looked at at the same time.
const LOOKS: usize = 32;
/// Databases that are asked at the same time whether they work: one that hangs takes its patience, others go on.
const CHECKS: usize = 64;

/// Waits after failures.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const MOST_WAIT: Duration = Duration::from_secs(60);

/// What the controller is given by its process, or by a test.
pub struct Parts {
    /// The API server.
    pub client: Client,
    /// The lease under which is written.
    pub leader: Leader,
    /// Events of the process.
    pub events: Events,
    /// Watches of the process.
    pub watches: Watches,
    /// Every database is ours; else only those that carry our label.
    pub all: bool,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// How databases are asked.
    pub probe: Arc<dyn Probe>,
    /// Where a test stops the process.
    pub stop_after: Option<StopAfter>,
}

/// Starts watches, checks and the controller.
pub fn start(parts: Parts, registry: &mut Registry, tasks: &mut Tasks) {
    let Parts {
        client,
        leader,
        events,
        watches,
        all,
        clock,
        probe,
        stop_after,
    } = parts;
    let stores = watches::start(&client, &watches, all, tasks);
    let writes = Fenced::new(client.clone(), leader.clone(), api::names::MANAGER_PROVISIONER);
    let memory = Arc::new(Memory::default());
    let metrics = Metrics::register(registry);
    let (looks, checks) = (Queue::new(), Queue::new());
    let checker = Checker {
        stores: stores.clone(),
        leader: leader.clone(),
        probe: Arc::clone(&probe),
        memory: Arc::clone(&memory),
        looks: looks.clone(),
        metrics: metrics.clone(),
    };
    let controller = Controller {
        stores: stores.clone(),
        leader: leader.clone(),
        observer: Observer::new(client, stores.clone()),
        performer: Performer::new(writes, probe, stop_after),
        events,
        clock,
        memory: Arc::clone(&memory),
        backoff: PerObject::new(FIRST_WAIT, MOST_WAIT),
        metrics,
    };
    let wake = Wake {
        stores: stores.clone(),
        leader,
        looks: looks.clone(),
        checks: checks.clone(),
        memory,
    };
    let stop = tasks.token();
    tasks.spawn(
        "postgres controller",
        look(stores.clone(), wake, controller, looks, stop.clone()),
    );
    tasks.spawn("health checks", check(stores, checker, checks, stop));
}

/// Nothing is looked at before all watches are complete: what is missing would be taken for gone.
async fn look(
    stores: Stores,
    wake: Wake,
    controller: Controller,
    queue: Queue<Key>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    tokio::select! {
        () = stop.cancelled() => return Ok(()),
        () = stores.synced() => (),
    }
    let looks = queue.run(LOOKS, stop.clone(), |database| controller.look(database));
    let (heard, ()) = tokio::join!(wake.run(stop), looks);
    heard
}

async fn check(
    stores: Stores,
    checker: Checker,
    queue: Queue<Key>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    tokio::select! {
        () = stop.cancelled() => return Ok(()),
        () = stores.synced() => (),
    }
    queue.run(CHECKS, stop, |database| checker.check(database)).await;
    Ok(())
}
