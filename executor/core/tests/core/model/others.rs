//! What a user, the provisioner, the resizer and kubelet do.

use executor_core::{
    observed::{Complaint, Resize},
    pause,
};

use super::World;
use crate::fixture::{at, delete};

impl World {
    pub(super) fn delete(&self) -> Option<World> {
        let mut next = self.clone();
        delete(&mut next.request, self.now)?;
        Some(next)
    }

    pub(super) fn acknowledge(&self) -> Option<World> {
        let mut next = self.clone();
        let database = next.seen.database.as_mut()?;
        let uid = pause::named(&database.paused.as_ref()?.message)?.1.to_owned();
        if database.acknowledged.as_ref() == Some(&uid) {
            return None;
        }
        database.acknowledged = Some(uid);
        Some(next)
    }

    /// The next thing that resizer or kubelet does for a claim; `trouble` is what the resizer finds instead.
    pub(super) fn storage(&self, index: usize, trouble: Option<Resize>) -> Option<World> {
        let mut next = self.clone();
        let claim = next.seen.claims.get_mut(index)?;
        if claim.request <= claim.capacity || claim.resize == trouble && claim.controller_error.is_some() {
            return None;
        }
        if let Some(trouble) = trouble {
            if claim.volume == Some(claim.request) {
                return None;
            }
            claim.allocated = Some(claim.request);
            claim.resize = Some(trouble);
            claim.controller_error = Some(Complaint {
                message: "no".into(),
                at: Some(at(self.now)),
            });
            return Some(next);
        }
        match claim.resize {
            Some(Resize::NodePending) => {
                let nudge = format!("{}={}", claim.name, claim.request.get());
                claim
                    .pods
                    .iter()
                    .find(|pod| pod.nudged.as_ref() == Some(&nudge))?;
                claim.capacity = claim.request;
                claim.resize = None;
                claim.controller_error = None;
            }
            Some(Resize::ControllerInProgress) if claim.volume == Some(claim.request) => {
                claim.resize = Some(Resize::NodePending);
            }
            Some(Resize::ControllerInProgress) if claim.allocated == Some(claim.request) => {
                claim.volume = Some(claim.request);
            }
            _ => {
                claim.allocated = Some(claim.request);
                claim.resize = Some(Resize::ControllerInProgress);
                claim.resizer_seen = true;
            }
        }
        Some(next)
    }
}
