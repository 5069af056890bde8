//! Telling: the Events of a set, in the words of the StatefulSet controller (`recordPodEvent`, `recordClaimEvent`).

use api::petset::v1::PetSet;
use control::{events::Events, whole::Whole};
use k8s_openapi::api::core::v1::ObjectReference;
use kube::{Resource, ResourceExt};
use provisioner_core::petset::{Object, Status, Step, Verb};
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
        let Some(words) = Words::of(set, step) else { return };
        let reason = match words.verb {
            Verb::Create => Reason::SuccessfulCreate,
            Verb::Update => Reason::SuccessfulUpdate,
            Verb::Delete => Reason::SuccessfulDelete,
        };
        self.events
            .normal(&reference(set), reason, step.name(), words.success());
    }

    /// A step was refused.
    pub(crate) fn refused(&self, set: &Whole<PetSet>, step: &Step, why: &str) {
        let Some(words) = Words::of(set, step) else { return };
        let reason = match words.verb {
            Verb::Create => Reason::FailedCreate,
            Verb::Update => Reason::FailedUpdate,
            Verb::Delete => Reason::FailedDelete,
        };
        self.events
            .warning(&reference(set), reason, step.name(), words.failure(why));
    }

    /// A status was written: that the hold's annotation cannot be read is told when it becomes known.
    pub(crate) fn written(&self, set: &Whole<PetSet>, step: &Step, before: &Status) {
        let Step::WriteStatus(status) = step else { return };
        let word = Reason::InvalidAnnotation.as_str();
        let news = status.notes.held.as_ref().filter(|note| note.reason == word);
        if let Some(note) = news.filter(|_| status.notes.held != before.notes.held) {
            self.events.warning(
                &reference(set),
                Reason::InvalidAnnotation,
                "Hold",
                note.message.clone(),
            );
        }
    }
}

/// What a step is called.
struct Words {
    verb: Verb,
    claim: Option<String>,
    /// `Pod web-0 in PetSet web`
    pod: String,
}

impl Words {
    fn of(set: &Whole<PetSet>, step: &Step) -> Option<Self> {
        let name = set.name_any();
        let (verb, ordinal, object) = subject(step)?;
        let claim = match object {
            Object::Claim(claim) => Some(claim),
            Object::Pod(_) => None,
        };
        let pod = format!("Pod {name}-{ordinal} in PetSet {name}");
        Some(Self { verb, claim, pod })
    }

    fn verb(&self) -> &'static str {
        match self.verb {
            Verb::Create => "Create",
            Verb::Update => "Update",
            Verb::Delete => "Delete",
        }
    }

    fn success(&self) -> String {
        let (verb, pod) = (self.verb(), &self.pod);
        match &self.claim {
            Some(claim) => format!("{verb} Claim {claim} {pod} success"),
            None => format!("{verb} {pod} successful"),
        }
    }

    fn failure(&self, why: &str) -> String {
        let (verb, pod) = (self.verb(), &self.pod);
        match &self.claim {
            Some(claim) => format!("{verb} Claim {claim} for {pod} failed error: {why}"),
            None => format!("{verb} {pod} failed error: {why}"),
        }
    }
}

fn reference(object: &Whole<PetSet>) -> ObjectReference {
    object.object_ref(&())
}
