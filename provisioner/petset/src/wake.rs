//! From changes to looks: which set is to be looked at because of what.

use control::{
    leader::Leader,
    queue::Queue,
    watch::{Change, Changes, Key},
};
use tokio::sync::watch::Receiver;
use tokio_util::sync::CancellationToken;

use crate::watches::{SeenClaim, SeenPod, SeenRequest, SeenSet, Stores};

/// What is heard, and where the looks go.
pub(crate) struct Wake {
    pub(crate) stores: Stores,
    pub(crate) leader: Leader,
    pub(crate) queue: Queue<Key>,
}

/// A [`Wake`] that hears.
pub(crate) struct Awake {
    wake: Wake,
    leads: Receiver<bool>,
    sets: Changes<SeenSet>,
    pods: Changes<SeenPod>,
    claims: Changes<SeenClaim>,
    requests: Changes<SeenRequest>,
}

impl Wake {
    /// Begins to hear, with all that is there as new; whose pods there are is known when this returns.
    pub(crate) fn subscribe(self) -> Awake {
        let mut awake = Awake {
            leads: self.leader.changes(),
            sets: self.stores.sets.subscribe(),
            pods: self.stores.pods.subscribe(),
            claims: self.stores.claims.subscribe(),
            requests: self.stores.requests.subscribe(),
            wake: self,
        };
        while let Some(change) = awake.pods.try_next() {
            awake.wake.pod(&change);
        }
        awake
    }

    fn pod(&self, change: &Change<SeenPod>) {
        self.stores.pod_changed(change);
        for pod in change.old.iter().chain(&change.new) {
            self.set(change.key.beside(&pod.set));
        }
    }

    fn claim(&self, change: &Change<SeenClaim>) {
        for set in self.stores.sets_of_claim(&change.key) {
            self.queue.add(set);
        }
    }

    fn request(&self, change: &Change<SeenRequest>) {
        let Key { namespace, name } = &change.key;
        let holds = |set: &SeenSet| set.hold_request.as_deref() == Some(&**name);
        let held = self
            .stores
            .sets
            .matching(|key, set| key.namespace == *namespace && holds(set));
        for (set, _) in held {
            self.queue.add(set);
        }
    }

    fn set(&self, set: Key) {
        if self.stores.sets.get(&set).is_some() {
            self.queue.add(set);
        }
    }

    /// A new leader looks at all.
    fn everything(&self) {
        for (set, _) in self.stores.sets.all() {
            self.queue.add(set);
        }
    }
}

impl Awake {
    /// Hears until `stop`; adds to the queue the sets that may have something to do.
    pub(crate) async fn run(mut self, stop: CancellationToken) -> anyhow::Result<()> {
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                change = self.sets.next() => self.wake.queue.add(change.key),
                change = self.pods.next() => self.wake.pod(&change),
                change = self.claims.next() => self.wake.claim(&change),
                change = self.requests.next() => self.wake.request(&change),
                Ok(()) = self.leads.changed() => {
                    if *self.leads.borrow_and_update() {
                        self.wake.everything();
                    }
                }
            }
        }
    }
}
