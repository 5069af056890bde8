//! What an API server does with the executor's writes, in the model.

use executor_core::{
    Step, Update,
    observed::{Pause, Pod},
    request::{Condition, MemberRecord, Record},
};
use jiff::Timestamp;
use units::Bytes;

use crate::{fixture::at, model::World};

impl World {
    /// What the API server does with an accepted write.
    pub(crate) fn write(&mut self, step: &Step) {
        let now = at(self.now);
        match step {
            Step::AddFinalizer => {
                if let Some(request) = &mut self.request {
                    request.finalizer = true;
                }
            }
            Step::RemoveFinalizer => {
                if let Some(request) = &mut self.request {
                    request.finalizer = false;
                }
                self.request = self.request.take().filter(|request| request.deleted.is_none());
            }
            Step::Pause { message } => {
                if let Some(database) = &mut self.seen.database {
                    database.paused = Some(Pause {
                        message: message.clone(),
                        since: Some(now),
                    });
                }
            }
            Step::Resume => {
                if let Some(database) = &mut self.seen.database {
                    database.paused = None;
                }
            }
            Step::PatchClaim { claim, to } => {
                let claim = self
                    .seen
                    .claims
                    .iter_mut()
                    .find(|object| object.name == *claim)
                    .unwrap();
                assert!(*to > claim.capacity, "a claim would shrink: {claim:?}");
                assert!(
                    !claim.deleting && claim.bound,
                    "a claim that is not usable is patched: {claim:?}"
                );
                claim.request = *to;
                self.patched.push(*to);
                self.patched.dedup();
            }
            Step::Nudge { pod, value } => {
                let pods = self.seen.claims.iter_mut().flat_map(|claim| &mut claim.pods);
                pods.filter(|object| object.name == *pod)
                    .for_each(|Pod { nudged, .. }| *nudged = Some(value.clone()));
            }
            Step::PatchTemplate { to } => {
                self.assert_all_have(*to);
                let template = self
                    .seen
                    .petset
                    .as_mut()
                    .and_then(|set| set.template.as_mut())
                    .unwrap();
                assert!(to > template, "the template would shrink");
                *template = *to;
            }
            Step::PatchPostgres { to } => {
                self.assert_all_have(*to);
                let storage = self
                    .seen
                    .database
                    .as_mut()
                    .and_then(|database| database.storage.as_mut())
                    .unwrap();
                assert!(to > storage, "the Postgres would shrink");
                *storage = *to;
            }
            Step::Wait(_) | Step::Try { .. } | Step::Done => {}
            _ => self.update(
                step.update()
                    .unwrap_or_else(|| panic!("{step:?} in an Online expansion")),
            ),
        }
    }

    fn update(&mut self, update: &Update) {
        let Some(request) = &mut self.request else { return };
        record(&mut request.record, update, at(self.now));
        if update.starts {
            self.seen.trials.clear();
            self.seen.refusals.clear();
            self.seen.attempted.clear();
        }
    }

    /// Template and spec never promise more than every member has.
    fn assert_all_have(&self, size: Bytes) {
        let common = self.seen.common_size();
        assert!(Some(size) <= common, "{size} is promised, {common:?} is there");
    }
}

/// A status after an update.
pub(crate) fn record(record: &mut Record, update: &Update, now: Timestamp) {
    record.phase = update.phase.unwrap_or(record.phase);
    for new in &update.conditions {
        let new = Condition {
            since: Some(now),
            ..new.clone()
        };
        match record.conditions.iter_mut().find(|old| old.kind == new.kind) {
            Some(old)
                if Condition {
                    since: old.since,
                    ..new.clone()
                } == *old => {}
            Some(old) => *old = new,
            None => record.conditions.push(new),
        }
    }
    if let Some(volumes) = &update.volumes {
        record.volumes.clone_from(volumes);
    }
    if let Some(members) = &update.members {
        let since = |new: &MemberRecord| {
            let old = record.member(new.ordinal).filter(|old| old.stage == new.stage);
            old.and_then(|old| old.since).or(Some(now))
        };
        let dated = |new: &MemberRecord| MemberRecord {
            since: since(new),
            ..new.clone()
        };
        record.members = members.iter().map(dated).collect();
    }
    record.attempts = update.attempts.unwrap_or(record.attempts);
    if update.starts {
        record.started_at = Some(now);
    }
}
