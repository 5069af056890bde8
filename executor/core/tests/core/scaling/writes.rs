//! The executor's steps in the world of members: what it may do, and what comes of it.

use executor_core::{
    ConfigChange, Step,
    observed::{Pause, Queued, Trouble},
    pause,
    request::{Operation, Phase, StreamingMode},
    step,
};
use units::Reason;

use super::{others::Rules, world::World};
use crate::{fixture::at, server::record};

impl World {
    pub(crate) fn decide(&self) -> Option<Step> {
        Some(step(self.request.as_ref()?, &self.observe(), at(self.now)))
    }

    /// One step of the executor: a write, a wait until its time, or the lifting of a leftover.
    pub(crate) fn executor(&self, rules: &Rules) -> Vec<World> {
        let mut next = self.clone();
        match self.decide() {
            Some(Step::Wait(wait)) => {
                let Some(until) = wait.until else {
                    return Vec::new();
                };
                next.now = until.as_second() - at(0).as_second();
                assert!(next.now > self.now, "waits for the past: {wait:?}");
            }
            None | Some(Step::Done) => {
                if !pause::is_leftover(&self.database, &self.queue()) {
                    return Vec::new();
                }
                next.database.paused = None;
            }
            Some(step) => {
                self.assert_allowed(&step);
                next.write(&step);
                let mut failed = self.clone();
                let told = matches!(
                    step,
                    Step::PatchConfig(_) | Step::Switchover { .. } | Step::DropSlot { .. }
                );
                if told && failed.spend("failure", rules.failures).is_some() {
                    let trouble = Trouble {
                        reason: Reason::Refused,
                        message: "no".into(),
                    };
                    failed.troubles.insert(step.target().unwrap(), trouble);
                    failed.now += 1;
                    return vec![next, failed];
                }
            }
        }
        vec![next]
    }

    fn queue(&self) -> Vec<Queued> {
        let queued = |request: &executor_core::Request| Queued {
            name: request.name.clone(),
            uid: request.uid.clone(),
            kind: request.kind().to_owned(),
            online: false,
            created: request.created,
            phase: request.record.phase,
            deleting: request.deleted.is_some(),
            yielded: false,
            held: false,
        };
        self.request.iter().map(queued).collect()
    }

    /// What the API server, Patroni or PostgreSQL does with a write.
    pub(crate) fn write(&mut self, step: &Step) {
        let now = at(self.now);
        if let Some(target) = step.target() {
            self.troubles.remove(&target);
        }
        match step {
            Step::AddFinalizer => self
                .request
                .iter_mut()
                .for_each(|request| request.finalizer = true),
            Step::RemoveFinalizer => {
                self.request
                    .iter_mut()
                    .for_each(|request| request.finalizer = false);
                self.request = self.request.take().filter(|request| request.deleted.is_none());
            }
            Step::Pause { message } => {
                self.database.paused = Some(Pause {
                    message: message.clone(),
                    since: Some(now),
                });
            }
            Step::Resume => {
                self.database.paused = None;
                self.database.acknowledged = None;
            }
            Step::PatchSpec(change) => {
                self.database.replicas = change.replicas.or(self.database.replicas);
                self.database.streaming = change
                    .streaming
                    .clone()
                    .or_else(|| self.database.streaming.take());
            }
            Step::PatchTemplate { to } => self.petset.template = Some(*to),
            Step::SetReplicas { to } => self.petset.replicas = *to,
            Step::Seal => self.petset.sealed = self.request.as_ref().map(|request| request.uid.clone()),
            Step::DeleteClaim { claim, uid } => {
                let ordinal: usize = claim.rsplit_once('-').unwrap().1.parse().unwrap();
                let node = &mut self.nodes[ordinal];
                let is_meant = node
                    .claim
                    .is_some_and(|(generation, _)| *uid == format!("claim-{ordinal}-{generation}"));
                if is_meant && node.pod.is_none() {
                    node.claim = None;
                    node.log = (0, 0);
                }
            }
            Step::PatchConfig(ConfigChange::DropSlotsAtOnce) => self.ttl = Some(0),
            Step::PatchConfig(ConfigChange::KeepSlots) => self.ttl = None,
            Step::PatchConfig(ConfigChange::Synchronous(on)) => self.synchronous = *on,
            Step::Switchover { leader, candidate } => {
                let ordinal = |name: &str| name.rsplit_once('-').unwrap().1.parse::<usize>().unwrap();
                let (old, new) = (ordinal(leader), ordinal(candidate));
                if self.leader == Some(old) && self.nodes[new].running {
                    // In good order: all is sent before the other leads.
                    self.nodes[new].log = self.nodes[old].log;
                    self.promote(new);
                    self.nodes[old].log = self.nodes[new].log;
                }
            }
            Step::DropSlot { member, slot } => {
                let ordinal = |name: &str, dash| name.rsplit_once(dash).unwrap().1.parse::<usize>().unwrap();
                let gone = ordinal(slot, '_');
                if !self.nodes[gone].running {
                    self.nodes[ordinal(member, '-')].slots.remove(&gone);
                }
            }
            step => {
                let update = step.update().unwrap_or_else(|| panic!("{step:?} in a scaling"));
                if let Some(request) = &mut self.request {
                    record(&mut request.record, update, now);
                }
            }
        }
    }

    /// What must hold when an executor decides that sees things as they are.
    pub(crate) fn assert_allowed(&self, step: &Step) {
        let mine = self.database.paused.is_some();
        let acknowledged = self.database.acknowledged.is_some();
        let target = self.target();
        match step {
            Step::SetReplicas { to } => {
                assert!(mine && acknowledged, "{step:?} without an acknowledged pause");
                let present = self.petset.replicas;
                assert_eq!(to.abs_diff(present), 1, "more than one member at once");
                assert!(
                    (present.min(target)..=present.max(target)).contains(to),
                    "{to} members, {target} are asked for"
                );
                if *to < present {
                    self.assert_may_stop(usize::try_from(*to).unwrap());
                }
            }
            Step::DeleteClaim { claim, uid } => {
                assert!(mine, "{step:?} while the database is not paused");
                let ordinal: usize = claim.rsplit_once('-').unwrap().1.parse().unwrap();
                let node = &self.nodes[ordinal];
                assert_eq!(node.pod, None, "{step:?}: its pod is there");
                assert!(
                    ordinal >= usize::try_from(target).unwrap(),
                    "{step:?}: it is to stay"
                );
                assert_eq!(
                    *uid,
                    format!("claim-{ordinal}-{}", node.claim.unwrap().0),
                    "{step:?}"
                );
                assert!(self.is_covered(ordinal), "{step:?}: rows are only there");
                let leader = self.leader.unwrap();
                assert!(
                    leader < usize::try_from(target).unwrap(),
                    "{step:?}: {leader} leads"
                );
            }
            Step::PatchConfig(ConfigChange::Synchronous(false)) => {
                let weakened = self.database.streaming == Some(StreamingMode::Synchronous)
                    && self.asked_mode() != Some(StreamingMode::Asynchronous);
                assert!(!weakened, "{step:?}: the database is Synchronous");
            }
            Step::Succeed(_) | Step::Fail(_) => assert!(!mine, "{step:?} while the database is paused"),
            _ => {}
        }
    }

    /// One leaves at a time, it does not lead, and who leads stays.
    fn assert_may_stop(&self, ordinal: usize) {
        let leader = self.leader.expect("somebody is stopped while nobody leads");
        assert!(leader < ordinal, "the leader is stopped");
        assert!(
            leader < usize::try_from(self.target()).unwrap(),
            "who leads is to leave"
        );
        for (other, node) in self.nodes.iter().enumerate().skip(ordinal + 1) {
            assert!(node.pod.is_none(), "{other} is still leaving");
        }
    }

    /// The number of members asked for.
    pub(crate) fn target(&self) -> u32 {
        let asked = self
            .request
            .as_ref()
            .and_then(|request| match &request.operation {
                Operation::HorizontalScaling(Some(scaling)) => scaling.replicas,
                _ => None,
            });
        asked.map_or(0, |replicas| u32::try_from(replicas).unwrap())
    }

    /// The mode asked for.
    fn asked_mode(&self) -> Option<StreamingMode> {
        match &self.request.as_ref()?.operation {
            Operation::HorizontalScaling(Some(scaling)) => scaling.streaming.clone(),
            _ => None,
        }
    }

    /// Nothing of the request is left to do, and nothing is left over from it.
    pub(crate) fn is_over(&self) -> bool {
        let done = self
            .request
            .as_ref()
            .is_none_or(|request| request.record.phase.is_final() && !request.finalizer);
        done && self.database.paused.is_none()
    }

    /// What must hold once it is over, `told`: where members do as they are told.
    pub(crate) fn assert_whole(&self, told: bool) {
        assert_eq!(
            self.database.replicas,
            Some(self.petset.replicas),
            "the Postgres says something else"
        );
        if told {
            assert_eq!(self.ttl, None, "slots go at once for ever");
            let wanted = self.database.streaming == Some(StreamingMode::Synchronous);
            assert_eq!(self.synchronous, wanted, "the mode is not what the Postgres says");
        }
        let Some(request) = &self.request else { return };
        if request.record.phase == Phase::Successful {
            assert_eq!(self.petset.replicas, self.target(), "Successful");
            for node in self.nodes.iter().skip(usize::try_from(self.target()).unwrap()) {
                assert_eq!(
                    (node.pod, node.claim),
                    (None, None),
                    "Successful, and something is left"
                );
            }
        }
    }
}
