//! From changes to looks: which database is to be looked at because of what.

use control::{
    leader::Leader,
    queue::Queue,
    watch::{Change, Changes, Key},
};
use tokio::sync::watch::Receiver;
use tokio_util::sync::CancellationToken;

use crate::{
    alongside::Permission,
    index::Index,
    watches::{SeenClaim, SeenPod, SeenPostgres, SeenRequest, SeenSet, SeenVolume, Stores},
};

/// What is heard, and where the looks go.
pub(crate) struct Wake {
    pub(crate) stores: Stores,
    pub(crate) index: Index,
    pub(crate) leader: Leader,
    pub(crate) permission: Permission,
    pub(crate) queue: Queue<Key>,
}

/// A [`Wake`] that hears.
pub(crate) struct Awake {
    wake: Wake,
    leads: Receiver<bool>,
    requests: Changes<SeenRequest>,
    postgreses: Changes<SeenPostgres>,
    petsets: Changes<SeenSet>,
    claims: Changes<SeenClaim>,
    volumes: Changes<SeenVolume>,
    pods: Changes<SeenPod>,
}

impl Wake {
    /// Begins to hear, with all that is there as new.
    pub(crate) fn subscribe(self) -> Awake {
        let stores = &self.stores;
        Awake {
            leads: self.leader.changes(),
            requests: stores.requests.subscribe(),
            postgreses: stores.postgreses.subscribe(),
            petsets: stores.petsets.subscribe(),
            claims: stores.claims.subscribe(),
            volumes: stores.volumes.subscribe(),
            pods: stores.pods.subscribe(),
            wake: self,
        }
    }

    fn request(&self, change: Change<SeenRequest>) {
        self.index.request_changed(&change);
        for request in change.old.iter().chain(&change.new) {
            self.queue.add(change.key.beside(&request.database));
        }
    }

    fn postgres(&self, change: Change<SeenPostgres>) {
        let same =
            matches!((&change.old, &change.new), (Some(old), Some(new)) if old.database == new.database);
        if !same {
            self.index.databases_changed();
        }
        self.queue.add(change.key);
    }

    fn petset(&self, change: &Change<SeenSet>) {
        let same = matches!((&change.old, &change.new), (Some(old), Some(new)) if old.set == new.set);
        if !same {
            self.index.databases_changed();
        }
        if let Some(database) = self.index.database_of_set(&change.key) {
            self.add_busy(database);
        }
    }

    fn claim(&self, change: &Change<SeenClaim>) {
        self.index.claim_changed(change);
        self.claim_of_busy(&change.key);
    }

    fn volume(&self, change: &Change<SeenVolume>) {
        if let Some(volume) = &change.new {
            self.claim_of_busy(&Key::new(&volume.claim.0, &volume.claim.1));
        }
    }

    fn pod(&self, change: &Change<SeenPod>) {
        self.index.pod_changed(change);
        for claim in change.old.iter().chain(&change.new).flat_map(|pod| &pod.claims) {
            self.claim_of_busy(&change.key.beside(claim));
        }
    }

    fn claim_of_busy(&self, claim: &Key) {
        if let Some(database) = self.index.database_of(claim) {
            self.add_busy(database);
        }
    }

    fn add_busy(&self, database: Key) {
        if is_busy(&self.stores, &self.index, &database) {
            self.queue.add(database);
        }
    }

    /// A new leader looks at all that is not over.
    fn everything(&self) {
        for (key, request) in self.stores.requests.matching(|_, request| !request.is_over) {
            self.queue.add(key.beside(&request.database));
        }
        for (key, _) in self
            .stores
            .postgreses
            .matching(|_, postgres| postgres.pause.is_some())
        {
            self.queue.add(key);
        }
    }
}

impl Awake {
    /// Takes in all that is there already.
    pub(crate) fn catch_up(&mut self) {
        while let Some(change) = self.postgreses.try_next() {
            self.wake.postgres(change);
        }
        while self.petsets.try_next().is_some() {
            self.wake.index.databases_changed();
        }
        while let Some(change) = self.requests.try_next() {
            self.wake.request(change);
        }
        while let Some(change) = self.claims.try_next() {
            self.wake.claim(&change);
        }
        while let Some(change) = self.pods.try_next() {
            self.wake.pod(&change);
        }
    }

    /// Hears until `stop`; adds to the queue the databases that may have something to do.
    pub(crate) async fn run(mut self, stop: CancellationToken) -> anyhow::Result<()> {
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                change = self.requests.next() => self.wake.request(change),
                change = self.postgreses.next() => self.wake.postgres(change),
                change = self.petsets.next() => self.wake.petset(&change),
                change = self.claims.next() => self.wake.claim(&change),
                change = self.volumes.next() => self.wake.volume(&change),
                change = self.pods.next() => self.wake.pod(&change),
                Ok(()) = self.leads.changed() => {
                    if *self.leads.borrow_and_update() {
                        self.wake.everything();
                    }
                }
                () = self.wake.permission.changed() => self.wake.everything(),
            }
        }
    }
}

/// Whether a database has a request that is not over.
pub(crate) fn is_busy(stores: &Stores, index: &Index, database: &Key) -> bool {
    index.requests(database).iter().any(|name| {
        let key = database.beside(name);
        stores.requests.get(&key).is_some_and(|request| !request.is_over)
    })
}
