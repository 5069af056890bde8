//! IO out: one call, one write. Every write of this controller goes through here.
//!
//! Each is fenced by leadership, and by the uid of what it means; where it depends on the object's state, by its
//! resourceVersion, too.

mod make;
pub(crate) mod revision;
mod status;

use std::sync::Arc;

use api::petset::v1::PetSet;
use control::{
    stop::StopAfter,
    whole::Whole,
    write::{Fenced, Target},
};
use k8s_openapi::api::{
    apps::v1::ControllerRevision,
    core::v1::{PersistentVolumeClaim, Pod},
};
use kube::ResourceExt;
use provisioner_core::petset::{Object, Step, Verb};
use runtime::clock::Clock;
use serde_json::json;

use crate::{
    error::Error,
    observe::{
        View,
        pod::{LABEL_POD_INDEX, LABEL_POD_NAME},
    },
};

/// An object as it is after a write.
pub(crate) enum Written {
    /// The set.
    Set(Box<Whole<PetSet>>),
    /// A pod.
    Pod(Box<Pod>),
    /// A claim.
    Claim(Box<PersistentVolumeClaim>),
    /// A revision.
    Revision(Box<ControllerRevision>),
    /// No revision of this name any more.
    NoRevision(String),
    /// Something was deleted, or there was nothing to write.
    Gone,
}

/// Makes the writes.
#[derive(Clone)]
pub(crate) struct Performer {
    writes: Fenced,
    clock: Arc<dyn Clock>,
    stop: Option<StopAfter>,
}

/// What a step does, for which ordinal, to what; for those whose refusal concerns one pod or claim only.
pub(crate) fn subject(step: &Step) -> Option<(Verb, i32, Object)> {
    Some(match step {
        Step::CreatePod { ordinal, pod, .. } => (Verb::Create, *ordinal, Object::Pod(pod.clone())),
        Step::IdentifyPod { pod, ordinal } => (Verb::Update, *ordinal, Object::Pod(pod.clone())),
        Step::DeletePod { pod, ordinal, .. } => (Verb::Delete, *ordinal, Object::Pod(pod.clone())),
        Step::CreateClaim { claim, ordinal, .. } => (Verb::Create, *ordinal, Object::Claim(claim.clone())),
        Step::OwnClaim { claim, ordinal, .. } => (Verb::Update, *ordinal, Object::Claim(claim.clone())),
        Step::AdoptRevision { .. }
        | Step::CreateRevision { .. }
        | Step::RenumberRevision { .. }
        | Step::DeleteRevision { .. }
        | Step::WriteStatus(_)
        | Step::AdoptPod { .. }
        | Step::ReleasePod { .. }
        | Step::Wait(_) => return None,
    })
}

impl Performer {
    pub(crate) fn new(writes: Fenced, clock: Arc<dyn Clock>, stop: Option<StopAfter>) -> Self {
        Self { writes, clock, stop }
    }

    /// Carries out one step: exactly one write, none for a step that is none.
    pub(crate) async fn perform(&self, view: &View, step: &Step) -> Result<Written, Error> {
        let written = match step {
            Step::Wait(_) => return Ok(Written::Gone),
            Step::AdoptRevision { name } => self.adopt_revision(view, name).await?,
            Step::CreateRevision { name, hash, number } => {
                let made = revision::make(view, name, hash, *number);
                Written::Revision(Box::new(self.writes.create(&made).await?))
            }
            Step::RenumberRevision { name, to } => {
                let target = Target::of(named(&view.revisions, name, "the revision")?);
                let body = json!({ "revision": to });
                Written::Revision(Box::new(self.writes.merge(&target, body).await?))
            }
            Step::DeleteRevision { name } => {
                let target = Target::of(named(&view.revisions, name, "the revision")?);
                self.writes.delete::<ControllerRevision>(&target).await?;
                Written::NoRevision(name.clone())
            }
            Step::WriteStatus(status) => {
                let body = status::body(&view.typed, status, self.clock.now());
                let target = Target::of(&view.set);
                Written::Set(Box::new(self.writes.merge_status(&target, body).await?))
            }
            Step::AdoptPod { pod } => {
                let object = named(&view.pods, pod, "the pod")?;
                let owners = make::with_controller(object.owner_references(), &view.set);
                self.pod(object, json!({ "metadata": { "ownerReferences": owners } }))
                    .await?
            }
            Step::ReleasePod { pod } => {
                let object = named(&view.pods, pod, "the pod")?;
                let owners = make::without(object.owner_references(), &view.uid());
                self.pod(object, json!({ "metadata": { "ownerReferences": owners } }))
                    .await?
            }
            Step::IdentifyPod { pod, ordinal } => {
                let labels = json!({ LABEL_POD_NAME: pod, LABEL_POD_INDEX: ordinal.to_string() });
                let object = named(&view.pods, pod, "the pod")?;
                self.pod(object, json!({ "metadata": { "labels": labels } }))
                    .await?
            }
            Step::CreatePod {
                pod,
                ordinal,
                revision,
            } => {
                let template = revision::template(named(&view.revisions, revision, "the revision")?);
                let pod = make::pod(view, template, (pod, *ordinal), revision);
                let made: Whole<Pod> = self.writes.create(&pod).await?;
                Written::Pod(Box::new(made.typed()?))
            }
            Step::DeletePod { pod, .. } => {
                let target = Target::of(named(&view.pods, pod, "the pod")?).in_any_state();
                self.writes.delete::<Pod>(&target).await?;
                Written::Gone
            }
            Step::CreateClaim { claim, template, .. } => {
                let claim =
                    make::claim(view, claim, template).ok_or(Error::NotObserved("the claim template"))?;
                let made: Whole<PersistentVolumeClaim> = self.writes.create(&claim).await?;
                Written::Claim(Box::new(made.typed()?))
            }
            Step::OwnClaim { claim, owners, .. } => {
                let object = named(&view.claims, claim, "the claim")?;
                let owners = make::owners(object.owner_references(), owners);
                let body = json!({ "metadata": { "ownerReferences": owners } });
                Written::Claim(Box::new(self.writes.merge(&Target::of(object), body).await?))
            }
        };
        if let Some(stop) = &self.stop {
            stop.written().await;
        }
        Ok(written)
    }

    async fn adopt_revision(&self, view: &View, name: &str) -> Result<Written, Error> {
        let object = named(&view.revisions, name, "the revision")?;
        let owners = make::with_controller(object.owner_references(), &view.set);
        let body = json!({ "metadata": { "ownerReferences": owners } });
        Ok(Written::Revision(Box::new(
            self.writes.merge(&Target::of(object), body).await?,
        )))
    }

    /// Of metadata only, which the pod's status does not change; but a list is written as a whole, so only if nobody
    /// changed the pod meanwhile.
    async fn pod(&self, pod: &Pod, body: serde_json::Value) -> Result<Written, Error> {
        Ok(Written::Pod(Box::new(
            self.writes.merge(&Target::of(pod), body).await?,
        )))
    }
}

fn named<'a, K: ResourceExt>(objects: &'a [K], name: &str, what: &'static str) -> Result<&'a K, Error> {
    objects
        .iter()
        .find(|object| object.name_any() == name)
        .ok_or(Error::NotObserved(what))
}
