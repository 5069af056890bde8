//! IO out: one call, one write. Every write of this process goes through here.
//!
//! Each is fenced by leadership, uid and resourceVersion ([`Fenced`]), so a step decided on an old view, or by a
//! process that no longer leads, changes nothing.

mod member;
mod patch;
mod resources;

use std::sync::Arc;

use api::{kubedb::v1::Postgres, ops::v1alpha1::PostgresOpsRequest, petset::v1::PetSet};
pub use control::stop::StopAfter;
use control::{
    retry::RetryClass,
    whole::Whole,
    write::{Fenced, Namespaced, Target},
};
use executor_core::{
    Step, Update,
    observed::{Refusal, Trial},
    request::Resources,
};
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use kube::ResourceExt;
use runtime::clock::Clock;
use serde_json::Value;
use units::Bytes;

use crate::{error::Error, member::Reach, observe::View, passed::Passed};

/// An object as it is after a write.
pub(crate) enum Written {
    /// The step was none.
    Nothing,
    /// It went to members, or an object is gone: what was seen before is old.
    Elsewhere,
    /// A request.
    Request(Box<Whole<PostgresOpsRequest>>),
    /// The Postgres.
    Postgres(Box<Whole<Postgres>>),
    /// The PetSet.
    PetSet(Box<Whole<PetSet>>),
    /// A claim.
    Claim(Box<PersistentVolumeClaim>),
    /// A pod.
    Pod(Box<Pod>),
}

/// Makes the writes.
#[derive(Clone)]
pub(crate) struct Performer {
    writes: Fenced,
    reach: Arc<dyn Reach>,
    clock: Arc<dyn Clock>,
    stop: Option<StopAfter>,
}

impl Performer {
    pub(crate) fn new(
        writes: Fenced,
        reach: Arc<dyn Reach>,
        clock: Arc<dyn Clock>,
        stop: Option<StopAfter>,
    ) -> Self {
        Self {
            writes,
            reach,
            clock,
            stop,
        }
    }

    /// Carries out one step of `request`, whose claims have `passed` these stages: exactly one write, none for a step
    /// that is none.
    pub(crate) async fn perform(
        &self,
        view: &View,
        request: &Whole<PostgresOpsRequest>,
        step: &Step,
        passed: &Passed,
    ) -> Result<Written, Error> {
        let written = match step {
            Step::Wait(_) | Step::Try { .. } | Step::Done => return Ok(Written::Nothing),
            Step::Resume => return self.resume(view).await,
            Step::AddFinalizer => self.request(request, patch::finalizers(request, true)).await?,
            Step::RemoveFinalizer => self.request(request, patch::finalizers(request, false)).await?,
            Step::Pause { message } => {
                let postgres = postgres(view)?;
                self.postgres_status(postgres, patch::pause(postgres, message, self.clock.now()))
                    .await?
            }
            Step::PatchClaim { claim, to } => self.claim(&self.writes, view, claim, *to).await?,
            Step::Nudge { pod, value } => self.pod(view, pod, value).await?,
            Step::PatchTemplate { to } => {
                let body = patch::template(petset(view)?, *to);
                self.petset(view, body.ok_or(Error::NotObserved("the claim template data"))?)
                    .await?
            }
            Step::PatchTemplateResources { to } => {
                let body = resources::template(petset(view)?, to);
                self.petset(view, body.ok_or(Error::NotObserved("the container postgres"))?)
                    .await?
            }
            Step::PatchPodTemplate { to } => {
                let postgres = postgres(view)?;
                let body = resources::pod_template(postgres, to);
                Written::Postgres(Box::new(self.writes.merge(&Target::of(postgres), body).await?))
            }
            Step::ResizePod { pod, uid, to } => self.resize(view, pod, uid, to).await?,
            Step::SetReplicas { to } => self.petset(view, patch::replicas(*to)).await?,
            Step::Hold { ordinal, until } => {
                self.petset(view, patch::hold(request, *ordinal, *until)).await?
            }
            Step::Seal => self.petset(view, patch::seal(request)).await?,
            Step::Release => self.petset(view, patch::release()).await?,
            Step::DeletePod { pod, uid } => self.delete::<Pod>(request, pod, uid).await?,
            Step::DeleteClaim { claim, uid } => {
                self.delete::<PersistentVolumeClaim>(request, claim, uid).await?
            }
            Step::PatchConfig(_) | Step::Switchover { .. } | Step::DropSlot { .. } => {
                member::perform(&self.reach, self.writes.leader(), &view.members, step).await?;
                Written::Elsewhere
            }
            Step::PatchSpec(change) => {
                let target = Target::of(postgres(view)?);
                Written::Postgres(Box::new(self.writes.merge(&target, patch::spec(change)).await?))
            }
            Step::PatchPostgres { to } => {
                let target = Target::of(postgres(view)?);
                Written::Postgres(Box::new(self.writes.merge(&target, patch::postgres(*to)).await?))
            }
            Step::Begin(update)
            | Step::Note(update)
            | Step::Yield(update)
            | Step::Retry(update)
            | Step::GiveUp(update)
            | Step::Skip(update)
            | Step::Fail(update)
            | Step::Succeed(update) => self.status(view, request, update, passed).await?,
        };
        self.stop_here().await;
        Ok(written)
    }

    /// Lifts the pause of a database, whoever it was made for.
    pub(crate) async fn resume(&self, view: &View) -> Result<Written, Error> {
        let postgres = postgres(view)?;
        let written = self.postgres_status(postgres, patch::resume(postgres)).await?;
        self.stop_here().await;
        Ok(written)
    }

    /// Asks the API server whether it would accept a claim's new size. Changes nothing.
    pub(crate) async fn try_claim(&self, view: &View, claim: &str, to: Bytes) -> Result<Trial, Error> {
        match self.claim(&self.writes.dry_run(), view, claim, to).await {
            Ok(_) => Ok(Trial { to, refused: None }),
            Err(error) => match error.refusal() {
                Some((reason, message)) => Ok(Trial {
                    to,
                    refused: Some(Refusal { reason, message }),
                }),
                None => Err(error),
            },
        }
    }

    async fn request(&self, request: &Whole<PostgresOpsRequest>, body: Value) -> Result<Written, Error> {
        Ok(Written::Request(Box::new(
            self.writes.merge(&Target::of(request), body).await?,
        )))
    }

    async fn status(
        &self,
        view: &View,
        request: &Whole<PostgresOpsRequest>,
        update: &Update,
        passed: &Passed,
    ) -> Result<Written, Error> {
        let volume_of = |claim: &str| {
            let claim = view.claims.iter().find(|object| object.name_any() == claim)?;
            claim.spec.as_ref()?.volume_name.clone()
        };
        let body = patch::status(&request.typed()?, update, volume_of, passed, self.clock.now());
        Ok(Written::Request(Box::new(
            self.writes.merge_status(&Target::of(request), body).await?,
        )))
    }

    async fn postgres_status(&self, postgres: &Whole<Postgres>, body: Value) -> Result<Written, Error> {
        Ok(Written::Postgres(Box::new(
            self.writes.merge_status(&Target::of(postgres), body).await?,
        )))
    }

    async fn claim(&self, writes: &Fenced, view: &View, claim: &str, to: Bytes) -> Result<Written, Error> {
        let object = view.claims.iter().find(|object| object.name_any() == claim);
        let target = Target::of(object.ok_or(Error::NotObserved("the claim"))?);
        Ok(Written::Claim(Box::new(
            writes.merge(&target, patch::claim(to)).await?,
        )))
    }

    /// In any state of the pod: a crash-looping pod's status changes many times a second, and the annotation does not
    /// depend on it.
    async fn pod(&self, view: &View, pod: &str, value: &str) -> Result<Written, Error> {
        let object = view.pods.iter().find(|object| object.name_any() == pod);
        let target = Target::of(object.ok_or(Error::NotObserved("the pod"))?).in_any_state();
        Ok(Written::Pod(Box::new(
            self.writes.merge(&target, patch::nudge(value)).await?,
        )))
    }

    /// Through the subresource, which changes nothing else. Where the API server does not offer it, that is a refusal.
    async fn resize(&self, view: &View, pod: &str, uid: &str, to: &Resources) -> Result<Written, Error> {
        let mut members = view.members.pods.iter().filter_map(|(_, _, pod)| pod.as_ref());
        let object = members
            .find(|object| object.name_any() == pod && object.metadata.uid.as_deref() == Some(uid))
            .ok_or(Error::NotObserved("the pod"))?;
        let target = Target::of(object).in_any_state();
        match self
            .writes
            .merge_subresource::<Pod>("resize", &target, resources::pod(to))
            .await
        {
            Err(error) if error.is_no_such_path() => Err(Error::NotOffered(error.to_string())),
            written => Ok(written.map(|_| Written::Elsewhere)?),
        }
    }

    async fn petset(&self, view: &View, body: Value) -> Result<Written, Error> {
        let target = Target::of(petset(view)?);
        Ok(Written::PetSet(Box::new(self.writes.merge(&target, body).await?)))
    }

    /// Only the object with this uid; in any state, its status changes all the time. One that is gone is what was wanted.
    async fn delete<K: Namespaced>(
        &self,
        request: &Whole<PostgresOpsRequest>,
        name: &str,
        uid: &str,
    ) -> Result<Written, Error> {
        let target = Target {
            namespace: request.namespace().unwrap_or_default(),
            name: name.to_owned(),
            uid: uid.to_owned(),
            resource_version: None,
        };
        match self.writes.delete::<K>(&target).await {
            Err(error) if error.is_not_found() => Ok(Written::Elsewhere),
            deleted => deleted.map(|()| Written::Elsewhere).map_err(Error::from),
        }
    }

    async fn stop_here(&self) {
        if let Some(stop) = &self.stop {
            stop.written().await;
        }
    }
}

fn petset(view: &View) -> Result<&Whole<PetSet>, Error> {
    view.petset.as_ref().ok_or(Error::NotObserved("the PetSet"))
}

fn postgres(view: &View) -> Result<&Whole<Postgres>, Error> {
    view.postgres.as_ref().ok_or(Error::NotObserved("the Postgres"))
}

/// Whether a step that failed so would fail so again: the core then decides what follows.
pub(crate) fn is_refused(step: &Step, error: &Error) -> bool {
    let may_be_refused = matches!(
        step,
        Step::Pause { .. }
            | Step::PatchClaim { .. }
            | Step::Nudge { .. }
            | Step::PatchTemplate { .. }
            | Step::PatchPostgres { .. }
            | Step::PatchTemplateResources { .. }
            | Step::PatchPodTemplate { .. }
            | Step::ResizePod { .. }
            | Step::PatchSpec(_)
            | Step::SetReplicas { .. }
            | Step::Hold { .. }
            | Step::Seal
            | Step::DeletePod { .. }
            | Step::DeleteClaim { .. }
    );
    may_be_refused && matches!(error.class(), RetryClass::Blocked(_) | RetryClass::Invalid)
}
