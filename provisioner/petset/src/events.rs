//! Telling: the Events of a set, in the words of the StatefulSet controller (`recordPodEvent`, `recordClaimEvent`).

use api::petset::v1::PetSet;
use control::{events::Events, whole::Whole};
use k8s_openapi::api::core::v1::ObjectReference;
use kube::{Resource, ResourceExt};
use provisioner_core::petset::{Hold, Step, Verb};
use units::Reason;

use crate::perform::subject;

/// Tells the Events of sets.
#[derive(Debug, Clone)]
pub(crate) struct Announcer {
    events: Events,
}

impl Announcer {
    pub(crate) fn new(events: Events) -> Self {
        Self { events }
    }

    /// A step was done.
    pub(crate) fn done(&self, set: &Whole<PetSet>, step: &Step) {
        let Some((verb, words)) = words(set, step) else {
            return;
        };
        let (reason, ending) = match verb {
            Verb::Create => (Reason::SuccessfulCreate, "successful"),
            Verb::Update => (Reason::SuccessfulUpdate, "successful"),
            Verb::Delete => (Reason::SuccessfulDelete, "successful"),
        };
        self.events
            .normal(&reference(set), reason, step.name(), format!("{words} {ending}"));
    }

    /// A step was refused.
    pub(crate) fn refused(&self, set: &Whole<PetSet>, step: &Step, why: &str) {
        let Some((verb, words)) = words(set, step) else {
            return;
        };
        let reason = match verb {
            Verb::Create => Reason::FailedCreate,
            Verb::Update => Reason::FailedUpdate,
            Verb::Delete => Reason::FailedDelete,
        };
        self.events.warning(
            &reference(set),
            reason,
            step.name(),
            format!("{words} failed error: {why}"),
        );
    }

    /// The hold's annotation cannot be read.
    pub(crate) fn unreadable(&self, set: &Whole<PetSet>, hold: &Hold) {
        if let Hold::Unreadable(why) = hold {
            self.events
                .warning(&reference(set), Reason::InvalidAnnotation, "Hold", why.clone());
        }
    }
}

fn words(set: &Whole<PetSet>, step: &Step) -> Option<(Verb, String)> {
    let name = set.name_any();
    let (verb, ordinal, _) = subject(step)?;
    let word = match verb {
        Verb::Create => "Create",
        Verb::Update => "Update",
        Verb::Delete => "Delete",
    };
    let pod = format!("Pod {name}-{ordinal} in PetSet {name}");
    Some(match step {
        Step::CreateClaim { claim, .. } | Step::OwnClaim { claim, .. } => {
            (verb, format!("{word} Claim {claim} {pod}"))
        }
        _ => (verb, format!("{word} {pod}")),
    })
}

fn reference(object: &Whole<PetSet>) -> ObjectReference {
    object.object_ref(&())
}
