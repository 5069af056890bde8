//! From parts to tasks.

use std::{sync::Arc, time::Duration};

use api::names::MANAGER_PETSET;
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
    events::Announcer,
    memory::Memory,
    metrics::Metrics,
    observe::Observer,
    perform::Performer,
    wake::Wake,
    watches::{self, Stores},
};

/// Sets that are looked at at the same time. A look mostly waits for the API server.
const AT_ONCE: usize = 16;

/// Waits after failures of a whole look: a conflict passes in no time, an API server that is away takes long.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const MOST_WAIT: Duration = Duration::from_secs(60);

/// What the controller is made of.
pub struct Parts {
    /// The client.
    pub client: Client,
    /// The lease under which it writes.
    pub leader: Leader,
    /// Where it tells Events.
    pub events: Events,
    /// The watches of the process.
    pub watches: Watches,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Whether it acts only on sets that carry the label `highwater.dev/owned-by: highwater`.
    pub only_owned: bool,
    /// Where a test stops it.
    pub stop_after: Option<StopAfter>,
}

/// Starts watches and controller. Metrics begin with `petset_`.
pub fn start(parts: Parts, registry: &mut Registry, tasks: &mut Tasks) {
    let Parts {
        client,
        leader,
        events,
        watches,
        clock,
        only_owned,
        stop_after,
    } = parts;
    let stores = watches::start(&watches, tasks);
    let writes = Fenced::new(client.clone(), leader.clone(), MANAGER_PETSET);
    let controller = Controller {
        stores: stores.clone(),
        leader: leader.clone(),
        only_owned,
        observer: Observer::new(client, stores.clone()),
        performer: Performer::new(writes, Arc::clone(&clock), stop_after),
        announcer: Announcer::new(events),
        clock,
        memory: Memory::default(),
        backoff: PerObject::new(FIRST_WAIT, MOST_WAIT),
        metrics: Metrics::register(registry.sub_registry_with_prefix("petset")),
    };
    let queue = Queue::new();
    let wake = Wake {
        stores: stores.clone(),
        leader,
        queue: queue.clone(),
    };
    tasks.spawn(
        "petset controller",
        work(stores, wake, controller, queue, tasks.token()),
    );
}

/// Nothing is looked at before all watches are complete: a pod that is missing would be taken for gone.
async fn work(
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
    let wake = wake.subscribe();
    let look = queue.run(AT_ONCE, stop.clone(), |set| controller.look(set));
    let (heard, ()) = tokio::join!(wake.run(stop), look);
    heard
}
