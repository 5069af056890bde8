//! From changes to looks: which database is to be looked at because of what.

use std::sync::Arc;

use control::{
    leader::Leader,
    queue::Queue,
    watch::{Changes, Key},
};
use futures::{StreamExt, stream::FuturesUnordered};
use tokio_util::sync::CancellationToken;

use crate::{
    memory::Memory,
    watches::{Digest, SeenPod, Stores},
};

/// What is heard, and where the looks go.
pub(crate) struct Wake {
    pub(crate) stores: Stores,
    pub(crate) leader: Leader,
    pub(crate) looks: Queue<Key>,
    pub(crate) checks: Queue<Key>,
    pub(crate) memory: Arc<Memory>,
}

impl Wake {
    /// Hears until `stop`; adds to the queues the databases that may have something to do.
    pub(crate) async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        let stores = &self.stores;
        let mut leads = self.leader.changes();
        let mut postgreses = stores.postgreses.subscribe();
        let mut versions = stores.versions.subscribe();
        let mut pods = stores.pods.subscribe();
        let mut of_databases = vec![stores.petsets.subscribe(), stores.claims.subscribe()];
        of_databases.extend(stores.owned.iter().map(|store| store.subscribe()));
        let mut others: FuturesUnordered<_> = of_databases.into_iter().map(next).collect();
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                change = postgreses.next() => {
                    match change.new {
                        Some(_) => self.checks.add(change.key.clone()),
                        None => self.memory.forget(&change.key),
                    }
                    self.looks.add(change.key);
                }
                change = versions.next() => {
                    let name = change.key.name;
                    for (key, _) in stores.postgreses.matching(|_, postgres| *postgres.version == *name) {
                        self.looks.add(key);
                    }
                }
                change = pods.next() => {
                    let state = |pod: &Arc<SeenPod>| (pod.primary, pod.ready, pod.address);
                    let (old, new) = (&change.old, &change.new);
                    let moved = old.as_ref().map(state) != new.as_ref().map(state);
                    for pod in old.iter().chain(new) {
                        let key = change.key.beside(&pod.database);
                        self.wake(&key);
                        if moved && stores.postgreses.get(&key).is_some() {
                            self.checks.add(key);
                        }
                    }
                }
                Some((changes, databases)) = others.next() => {
                    for key in databases {
                        self.wake(&key);
                    }
                    others.push(next(changes));
                }
                Ok(()) = leads.changed() => {
                    if *leads.borrow_and_update() {
                        self.everything();
                    }
                }
            }
        }
    }

    fn wake(&self, database: &Key) {
        if self.stores.postgreses.get(database).is_some() {
            self.looks.add(database.clone());
        }
    }

    /// A new leader looks at all, and asks all.
    fn everything(&self) {
        for (key, _) in self.stores.postgreses.all() {
            self.looks.add(key.clone());
            self.checks.add(key);
        }
    }
}

/// The next change of a store, and the databases it is about.
async fn next(mut changes: Changes<Digest>) -> (Changes<Digest>, Vec<Key>) {
    let change = changes.next().await;
    let databases = change.old.iter().chain(&change.new);
    let keys = databases.map(|seen| change.key.beside(&seen.database)).collect();
    (changes, keys)
}
