//! What the PetSet's controller, kubelet, the driver and Patroni do.

use executor_core::observed::{Held, PodResize, Resize};

use super::World;
use crate::fixture::at;

impl World {
    /// The PetSet's controller: takes up the template and the hold, makes pods.
    pub(super) fn controller(&self) -> Option<World> {
        if self.abandoned {
            return None;
        }
        let mut next = self.clone();
        next.petset.present = Some(self.petset.replicas);
        let hold = self
            .petset
            .hold
            .as_ref()
            .filter(|hold| hold.expires > at(self.now));
        next.petset.held = hold.map(|hold| Held {
            ordinal: hold.ordinal,
            uid: hold.uid.clone(),
        });
        let kept = hold.map(|hold| hold.ordinal as usize);
        for (ordinal, node) in next.nodes.iter_mut().enumerate() {
            if node.pod.is_none() && kept != Some(ordinal) {
                node.made += 1;
                node.pod = Some(node.made);
                node.resources = self.petset.resources.clone();
            }
        }
        (next != *self).then_some(next)
    }

    pub(super) fn kubelet(&self, ordinal: usize) -> Option<World> {
        let mut next = self.clone();
        let node = &mut next.nodes[ordinal];
        if node.stopping {
            node.stopping = false;
            node.running = false;
            node.pod = None;
            node.resize = None;
        } else if node.pod.is_some() && !node.running {
            node.running = true;
            if node.claim.resize == Some(Resize::NodePending) {
                node.claim.capacity = node.claim.request;
                node.claim.resize = None;
            }
        } else if matches!(node.resize, Some(PodResize::InProgress(_))) {
            node.resize = None;
        }
        if next.away == Some(ordinal) && next.nodes[ordinal].running {
            next.away = None;
        }
        (next != *self).then_some(next)
    }

    /// It expands only what is not in use.
    pub(super) fn driver(&self, ordinal: usize) -> Option<World> {
        let mut next = self.clone();
        let node = &mut next.nodes[ordinal];
        let wants = node.claim.volume < Some(node.claim.request) && node.pod.is_none();
        wants.then_some(())?;
        node.claim.volume = Some(node.claim.request);
        node.claim.allocated = Some(node.claim.request);
        node.claim.resize = Some(Resize::NodePending);
        Some(next)
    }

    /// One that is up takes the lead when the leader is not up; only Patroni's rule keeps it from losing rows: nobody
    /// else who is up has more.
    pub(super) fn lead(&self, ordinal: usize) -> Option<World> {
        let vacant = self.leader.is_none_or(|leader| !self.nodes[leader].is_up());
        let node = &self.nodes[ordinal];
        let furthest = self
            .nodes
            .iter()
            .all(|other| !other.is_up() || other.rows <= node.rows);
        (vacant && node.is_up() && furthest && self.leader != Some(ordinal)).then(|| {
            let mut next = self.clone();
            next.leader = Some(ordinal);
            next
        })
    }
}
