//! What must hold, whatever comes when.

use executor_core::{Step, pause, request::Phase};

use super::World;
use crate::fixture::gib;

impl World {
    /// What must hold when an executor writes that sees things as they are.
    pub(super) fn assert_allowed(&self, step: &Step) {
        let mine = self.is_paused_by_request();
        match step {
            Step::PatchClaim { .. } | Step::PatchTemplate { .. } | Step::PatchPostgres { .. } => {
                assert!(mine, "{step:?} while the database is not paused");
            }
            Step::Succeed(_) | Step::Fail(_) => assert!(!mine, "{step:?} while the database is paused"),
            Step::Nudge { pod, value } => {
                let mounted =
                    |claim: &&executor_core::observed::Claim| claim.pods.iter().any(|p| p.name == *pod);
                let claim = self.seen.claims.iter().find(mounted).unwrap();
                assert!(
                    claim.volume >= Some(gib(20)),
                    "nudged before the volume has grown"
                );
                assert_ne!(claim.pods[0].nudged.as_ref(), Some(value), "nudged twice");
            }
            _ => {}
        }
    }

    fn is_paused_by_request(&self) -> bool {
        let paused = self
            .seen
            .database
            .as_ref()
            .and_then(|database| database.paused.as_ref());
        let uid = self.request.as_ref().map(|request| request.uid.as_str());
        paused
            .and_then(|paused| pause::named(&paused.message))
            .map(|(_, uid)| uid)
            == uid
            && uid.is_some()
    }

    /// What must hold in every world.
    pub(crate) fn check(&self) {
        assert!(
            self.patched.iter().all(|size| *size == gib(20)),
            "patched to {:?}",
            self.patched
        );
        let Some(request) = &self.request else { return };
        if request.record.phase == Phase::Successful {
            for claim in self.seen.claims.iter() {
                assert!(claim.size() >= gib(20), "Successful and {claim:?}");
            }
            let template = self.seen.petset.as_ref().and_then(|set| set.template);
            assert!(
                template >= Some(gib(20)),
                "Successful and the template has {template:?}"
            );
            assert!(self.seen.database.as_ref().unwrap().storage >= Some(gib(20)));
        }
    }
}
