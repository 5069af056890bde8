//! What becomes of the executor's writes, and what must hold when it makes them.

use executor_core::{
    Step, Update,
    observed::{Hold, Pause, PodResize},
    pause,
    request::{Condition, MemberRecord},
    step,
};

use super::world::World;
use crate::fixture::{at, gib};

impl World {
    /// What the executor would do.
    pub(crate) fn decide(&self) -> Option<Step> {
        let mut seen = self.observe();
        seen.trials.clear();
        for claim in &seen.claims {
            let accepted = executor_core::observed::Trial {
                to: gib(20),
                refused: None,
            };
            seen.trials.insert(claim.name.clone(), accepted);
        }
        Some(step(self.request.as_ref()?, &seen, at(self.now)))
    }

    /// Nothing is left to do, and nothing is left over.
    pub(crate) fn is_over(&self) -> bool {
        let done = self
            .request
            .as_ref()
            .is_none_or(|request| request.record.phase.is_final() && !request.finalizer);
        if done {
            assert!(self.database.paused.is_none(), "over, and paused");
            assert!(self.petset.hold.is_none(), "over, and held");
        }
        done
    }

    /// After one step; none when it waits.
    pub(crate) fn act(&self) -> Option<World> {
        let step = self.decide()?;
        if matches!(step, Step::Wait(_) | Step::Done) {
            return None;
        }
        self.assert_allowed(&step);
        let mut next = self.clone();
        next.write(&step);
        assert_ne!(&next, self, "{step:?} changes nothing");
        Some(next)
    }

    /// Time passes until it looks again.
    pub(crate) fn wait(&self) -> Option<World> {
        let Some(Step::Wait(wait)) = self.decide() else {
            return None;
        };
        let until = wait.until?.as_second() - at(0).as_second();
        assert!(until > self.now, "waits for the past: {wait:?}");
        Some(World {
            now: until,
            ..self.clone()
        })
    }

    /// Where disks were full, only one that has every row may lead.
    pub(crate) fn assert_no_row_lost(&self) {
        let most = self.nodes.iter().map(|node| node.rows).max();
        let Some(leader) = self.leader.map(|leader| &self.nodes[leader]) else {
            return;
        };
        let matters = self.nodes.iter().any(|node| node.full) && leader.is_up();
        assert!(
            !matters || Some(leader.rows) == most,
            "one that lacks rows leads: {:?}",
            self.leader
        );
    }

    fn node(&self, pod: &str) -> usize {
        pod.rsplit_once('-').unwrap().1.parse().unwrap()
    }

    fn assert_allowed(&self, step: &Step) {
        let alone = self.nodes.len() == 1;
        let led = self.leader.is_some_and(|leader| self.nodes[leader].is_up());
        match step {
            Step::DeletePod { pod, uid } => {
                let ordinal = self.node(pod);
                let generation = self.nodes[ordinal].pod.expect("a pod to delete");
                assert_eq!(*uid, format!("pod-{ordinal}-{generation}"));
                assert!(
                    self.away.is_none_or(|away| away == ordinal),
                    "{:?} is away, and {pod} is stopped",
                    self.away
                );
                let leads = led && self.leader == Some(ordinal);
                assert!(!leads || alone, "{pod} leads and is stopped");
                if led {
                    let mut others = self.nodes.iter().enumerate();
                    assert!(
                        others.all(|(other, node)| other == ordinal || node.is_up() || node.full),
                        "{pod} is stopped while another is not back"
                    );
                }
                if let Some(hold) = &self.petset.hold {
                    let kept = self.petset.held.as_ref();
                    assert!(
                        kept.is_some_and(|kept| kept.uid == hold.uid && kept.ordinal == hold.ordinal),
                        "{pod} is deleted before its hold is acknowledged"
                    );
                    assert_eq!(hold.ordinal as usize, ordinal);
                }
            }
            Step::Switchover { leader, candidate } => {
                assert_eq!(self.leader, Some(self.node(leader)));
                assert!(self.nodes[self.node(candidate)].is_up());
            }
            Step::PatchClaim { claim, to } => {
                let node = &self.nodes[self.node(claim)];
                assert!(
                    *to > node.claim.capacity && node.pod.is_none(),
                    "{step:?}: {node:?}"
                );
            }
            Step::PatchTemplate { to } | Step::PatchPostgres { to } => {
                assert!(self.observe().common_size() >= Some(*to), "{step:?}");
            }
            Step::Hold { .. } | Step::PatchTemplateResources { .. } | Step::PatchPodTemplate { .. } => {
                assert!(self.database.paused.is_some(), "{step:?} while not paused");
            }
            Step::Succeed(_) | Step::RemoveFinalizer => {
                assert!(self.database.paused.is_none() && self.petset.hold.is_none());
            }
            _ => {}
        }
    }

    fn write(&mut self, step: &Step) {
        let now = at(self.now);
        let uid = self.request.as_ref().map(|request| request.uid.clone());
        match step {
            Step::AddFinalizer => self.request.as_mut().unwrap().finalizer = true,
            Step::RemoveFinalizer => {
                self.request.as_mut().unwrap().finalizer = false;
                self.request = self.request.take().filter(|request| request.deleted.is_none());
            }
            Step::Pause { message } => {
                self.database.paused = Some(Pause {
                    message: message.clone(),
                    since: Some(now),
                });
                self.database.acknowledged = pause::named(message).map(|(_, uid)| uid.to_owned());
            }
            Step::Resume => self.database.paused = None,
            Step::Hold { ordinal, until } => {
                self.petset.hold = Some(Hold {
                    ordinal: *ordinal,
                    uid: uid.unwrap(),
                    expires: *until,
                });
            }
            Step::Release => self.petset.hold = None,
            Step::DeletePod { pod, .. } => {
                let ordinal = self.node(pod);
                self.nodes[ordinal].stopping = true;
                self.away = Some(ordinal);
            }
            Step::PatchClaim { claim, to } => {
                let ordinal = self.node(claim);
                self.nodes[ordinal].claim.request = *to;
            }
            Step::Nudge { pod, value } => {
                let ordinal = self.node(pod);
                assert!(self.nodes[ordinal].running, "{pod} is nudged before it runs");
                self.nodes[ordinal].claim.pods[0].nudged = Some(value.clone());
            }
            Step::Switchover { candidate, .. } => self.leader = Some(self.node(candidate)),
            Step::PatchTemplate { to } => self.petset.template = Some(*to),
            Step::PatchPostgres { to } => self.database.storage = Some(*to),
            Step::PatchTemplateResources { to } => {
                self.petset.resources_before = Some(self.petset.resources.clone());
                self.petset.resources = to.clone();
                self.petset.present = None;
            }
            Step::PatchPodTemplate { to } => self.database.resources = to.clone(),
            Step::ResizePod { pod, to, .. } => {
                let ordinal = self.node(pod);
                self.nodes[ordinal].resources = to.clone();
                self.nodes[ordinal].resize = Some(PodResize::InProgress("at it".into()));
            }
            _ => self.update(step.update().unwrap_or_else(|| panic!("{step:?}"))),
        }
    }

    fn update(&mut self, update: &Update) {
        let now = at(self.now);
        let record = &mut self.request.as_mut().unwrap().record;
        record.phase = update.phase.unwrap_or(record.phase);
        for new in &update.conditions {
            let old = record.conditions.iter().find(|old| old.kind == new.kind);
            let since = old
                .filter(|old| old.status == new.status)
                .and_then(|old| old.since);
            let new = Condition {
                since: since.or(Some(now)),
                ..new.clone()
            };
            record.conditions.retain(|old| old.kind != new.kind);
            record.conditions.push(new);
        }
        if let Some(volumes) = &update.volumes {
            record.volumes.clone_from(volumes);
        }
        if let Some(members) = &update.members {
            let dated = |new: &MemberRecord| {
                let old = record.members.iter().find(|old| old.ordinal == new.ordinal);
                let since = old.filter(|old| old.stage == new.stage).and_then(|old| old.since);
                MemberRecord {
                    since: since.or(Some(now)),
                    ..new.clone()
                }
            };
            record.members = members.iter().map(dated).collect();
        }
        record.attempts = update.attempts.unwrap_or(record.attempts);
        if update.starts {
            record.started_at = Some(now);
        }
    }
}
