//! Telling: which Event goes to which object. The words are the core's ([`executor_core::announce`]).

use api::ops::v1alpha1::PostgresOpsRequest;
use control::{events::Events, whole::Whole};
use executor_core::{
    Request, Step,
    announce::{self, Announcement},
};
use k8s_openapi::api::core::v1::ObjectReference;
use kube::Resource;
use runtime::report::Chain;
use units::Reason;

use crate::{error::Error, observe::View};

/// Tells the Events of requests and databases.
#[derive(Debug, Clone)]
pub(crate) struct Announcer {
    events: Events,
}

impl Announcer {
    pub(crate) fn new(events: Events) -> Self {
        Self { events }
    }

    /// What belongs before a step.
    pub(crate) fn before(&self, whole: &Whole<PostgresOpsRequest>, request: &Request, step: &Step) {
        self.tell(whole, step.name(), announce::before(request, step));
    }

    /// What belongs after a step.
    pub(crate) fn after(&self, whole: &Whole<PostgresOpsRequest>, request: &Request, step: &Step) {
        self.tell(whole, step.name(), announce::after(request, step));
    }

    /// A pause was left over and is lifted; the Postgres hears it, its request is gone.
    pub(crate) fn lifted(&self, view: &View) {
        if let Some(postgres) = &view.postgres {
            let note = "Lifted a pause whose request is finished or gone";
            self.events
                .normal(&reference(postgres), Reason::ResumeDatabase, "Resume", note);
        }
    }

    /// Something failed around a request.
    pub(crate) fn failed(&self, whole: &Whole<PostgresOpsRequest>, reason: Reason, error: &Error) {
        self.events
            .warning(&reference(whole), reason, "Decide", Chain(error).to_string());
    }

    fn tell(&self, about: &Whole<PostgresOpsRequest>, action: &str, announcement: Option<Announcement>) {
        let Some(Announcement {
            warning,
            reason,
            note,
        }) = announcement
        else {
            return;
        };
        if warning {
            self.events.warning(&reference(about), reason, action, note);
        } else {
            self.events.normal(&reference(about), reason, action, note);
        }
    }
}

fn reference<K: Resource<DynamicType = ()>>(object: &K) -> ObjectReference {
    object.object_ref(&())
}
