//! What happens besides the executor's steps, one thing at a time, at any moment.

use executor_core::{lsn::Lsn, observed::Fork, pause};

use super::world::World;
use crate::fixture::delete;

/// What may happen in a world.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rules {
    /// Another member is promoted by itself, so many times; what it had not received is lost.
    pub(crate) failovers: u32,
    /// Commits, so many; standbys receive them later.
    pub(crate) commits: u32,
    /// A running member stops, so many times: its disk is full.
    pub(crate) crashes: u32,
    /// The Patroni of no member answers for a while, so many times.
    pub(crate) silences: u32,
    /// What the executor tells members fails, so many times.
    pub(crate) failures: u32,
    /// The user may delete the request at any time.
    pub(crate) deletes: bool,
    /// Patroni leaves the slots of members that are gone.
    pub(crate) slots_stay: bool,
    /// An executor may decide on what it sees now and write later, so many times.
    pub(crate) late_writes: u32,
}

impl World {
    /// Every other thing that may happen now.
    pub(crate) fn others(&self, rules: &Rules) -> Vec<World> {
        let mut all = vec![self.forgets(), self.acknowledge()];
        all.extend((0..self.nodes.len()).flat_map(|ordinal| {
            [
                self.controller(ordinal),
                self.patroni(ordinal),
                self.receive(ordinal),
                self.full(ordinal, rules.crashes),
                self.fail_over(ordinal, rules.failovers),
            ]
        }));
        all.push(self.commit(rules.commits));
        all.push(self.silence(rules.silences));
        all.push(self.slots(rules));
        all.push(self.decides_late(rules.late_writes));
        all.push(self.writes_late());
        if rules.deletes {
            all.push(self.delete());
        }
        all.into_iter().flatten().collect()
    }

    /// The executor crashes.
    fn forgets(&self) -> Option<World> {
        let mut next = self.clone();
        next.troubles.clear();
        (next != *self).then_some(next)
    }

    fn acknowledge(&self) -> Option<World> {
        let mut next = self.clone();
        let uid = pause::named(&next.database.paused.as_ref()?.message)?
            .1
            .to_owned();
        next.database.acknowledged = Some(uid);
        (next != *self).then_some(next)
    }

    /// The PetSet controller, and kubelet at the end of a pod.
    fn controller(&self, ordinal: usize) -> Option<World> {
        let mut next = self.clone();
        let wanted = ordinal < usize::try_from(next.petset.replicas).unwrap();
        let node = &mut next.nodes[ordinal];
        match (node.pod, wanted) {
            (None, true) => next.make_pod(ordinal),
            (Some(_), _) if node.stopping => {
                node.pod = None;
                node.stopping = false;
                node.running = false;
                if next.leader == Some(ordinal) {
                    next.leader = None;
                }
            }
            (Some(_), false) => node.stopping = true,
            _ => return None,
        }
        Some(next)
    }

    /// A member starts: it joins the leader, or where there is none and it has data, leads.
    fn patroni(&self, ordinal: usize) -> Option<World> {
        let mut next = self.clone();
        let node = &next.nodes[ordinal];
        if node.pod.is_none() || node.running || node.stopping {
            return None;
        }
        match next.leader {
            Some(leader) if leader != ordinal => {
                next.nodes[ordinal].log = (next.timeline, next.nodes[leader].log.1);
                next.nodes[leader].slots.insert(ordinal);
            }
            Some(_) => {}
            None if node.log.0 == next.timeline => next.promote(ordinal),
            None => return None,
        }
        next.nodes[ordinal].running = true;
        Some(next)
    }

    fn receive(&self, ordinal: usize) -> Option<World> {
        let mut next = self.clone();
        if next.leader.is_none() || !next.nodes[ordinal].running {
            return None;
        }
        next.nodes[ordinal].log = (next.timeline, next.position());
        (next != *self).then_some(next)
    }

    fn full(&self, ordinal: usize, most: u32) -> Option<World> {
        let mut next = self.clone();
        next.spend("crash", most)
            .filter(|()| next.nodes[ordinal].running)?;
        next.nodes[ordinal].running = false;
        Some(next)
    }

    fn fail_over(&self, ordinal: usize, most: u32) -> Option<World> {
        let mut next = self.clone();
        let fit = next.nodes[ordinal].running && next.leader != Some(ordinal);
        next.spend("failover", most).filter(|()| fit)?;
        next.promote(ordinal);
        Some(next)
    }

    /// A new timeline begins where this member is; the others are rewound when they receive.
    pub(crate) fn promote(&mut self, ordinal: usize) {
        let node = &mut self.nodes[ordinal];
        self.forks.push(Fork {
            timeline: self.timeline,
            at: Lsn(node.log.1),
            leader: Some(format!("pg-{ordinal}")),
        });
        self.timeline += 1;
        node.log = (self.timeline, node.log.1);
        node.slots.remove(&ordinal);
        if let Some(old) = self.leader.filter(|old| *old != ordinal) {
            node.slots.insert(old);
        }
        self.leader = Some(ordinal);
    }

    fn commit(&self, most: u32) -> Option<World> {
        let mut next = self.clone();
        let leader = next.leader.filter(|leader| next.nodes[*leader].running)?;
        next.spend("commit", most)?;
        next.nodes[leader].log.1 += 1;
        Some(next)
    }

    fn silence(&self, most: u32) -> Option<World> {
        let mut next = self.clone();
        if !next.silent {
            next.spend("silence", most)?;
        }
        next.silent = !next.silent;
        Some(next)
    }

    /// Patroni drops the slots of members that are gone, when told to.
    fn slots(&self, rules: &Rules) -> Option<World> {
        let mut next = self.clone();
        if rules.slots_stay || next.ttl != Some(0) {
            return None;
        }
        let gone: Vec<usize> = (0..next.nodes.len())
            .filter(|n| next.nodes[*n].pod.is_none())
            .collect();
        for node in &mut next.nodes {
            node.slots.retain(|slot| !gone.contains(slot));
        }
        (next != *self).then_some(next)
    }

    fn decides_late(&self, most: u32) -> Option<World> {
        let mut next = self.clone();
        if next.held.is_some() {
            return None;
        }
        next.spend("late write", most)?;
        let step = self.decide()?;
        step.target()?;
        self.assert_allowed(&step);
        next.held = Some((
            step,
            self.request.clone(),
            self.petset.clone(),
            self.database.clone(),
        ));
        Some(next)
    }

    /// Not after the request has ended: a process that is stopped for as long as a whole way out takes is held off by
    /// its lease.
    fn writes_late(&self) -> Option<World> {
        let mut next = self.clone();
        let (step, request, petset, database) = next.held.take()?;
        use executor_core::observed::Target as T;
        let fenced = match step.target() {
            Some(T::Request) => request == self.request,
            Some(T::PetSet) => petset == self.petset,
            Some(T::PostgresSpec | T::PostgresStatus) => database == self.database,
            _ => true,
        };
        if fenced && !self.is_over() {
            next.write(&step);
        }
        Some(next)
    }

    fn delete(&self) -> Option<World> {
        let mut next = self.clone();
        delete(&mut next.request, self.now)?;
        Some(next)
    }
}
