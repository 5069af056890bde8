//! IO out: one call, one write. Every write of this process goes through here.
//!
//! Each is fenced by leadership, uid and resourceVersion ([`Fenced`]), so a step decided on an old view, or by a
//! process that no longer leads, changes nothing.

mod patch;
mod stop;

use std::sync::Arc;

use api::{kubedb::v1::Postgres, ops::v1alpha1::PostgresOpsRequest, petset::v1::PetSet};
use control::{
    retry::RetryClass,
    write::{Fenced, Target},
};
use executor_core::{
    Step, Update,
    observed::{Refusal, Trial},
};
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use kube::core::DynamicObject;
use runtime::clock::Clock;
use units::Bytes;

pub use self::stop::StopAfter;
use crate::{
    error::Error,
    observe::{View, typed},
};

/// Makes the writes.
#[derive(Clone)]
pub(crate) struct Performer {
    writes: Fenced,
    clock: Arc<dyn Clock>,
    stop: Option<StopAfter>,
}

impl Performer {
    pub(crate) fn new(writes: Fenced, clock: Arc<dyn Clock>, stop: Option<StopAfter>) -> Self {
        Self { writes, clock, stop }
    }

    /// Carries out one step of `request`: exactly one write, none for a step that is none.
    pub(crate) async fn perform(
        &self,
        view: &View,
        request: &DynamicObject,
        step: &Step,
    ) -> Result<(), Error> {
        match step {
            Step::Wait(_) | Step::Try { .. } | Step::Done => return Ok(()),
            Step::AddFinalizer => self.request(request, patch::finalizers(request, true)).await?,
            Step::RemoveFinalizer => self.request(request, patch::finalizers(request, false)).await?,
            Step::Pause { message } => {
                let postgres = postgres(view)?;
                self.postgres_status(postgres, patch::pause(postgres, message, self.clock.now()))
                    .await?;
            }
            Step::Resume => return self.resume(view).await,
            Step::PatchClaim { claim, to } => self.claim(&self.writes, view, claim, *to).await?,
            Step::Nudge { pod, value } => self.pod(view, pod, value).await?,
            Step::PatchTemplate { to } => self.petset(view, *to).await?,
            Step::PatchPostgres { to } => {
                let target = Target::of(postgres(view)?);
                self.writes
                    .merge::<Postgres>(&target, patch::postgres(*to))
                    .await?;
            }
            Step::Begin(update)
            | Step::Note(update)
            | Step::Yield(update)
            | Step::Retry(update)
            | Step::GiveUp(update)
            | Step::Skip(update)
            | Step::Fail(update)
            | Step::Succeed(update) => self.status(view, request, update).await?,
        }
        self.written().await;
        Ok(())
    }

    /// Lifts the pause of a database, whoever it was made for.
    pub(crate) async fn resume(&self, view: &View) -> Result<(), Error> {
        let postgres = postgres(view)?;
        self.postgres_status(postgres, patch::resume(postgres)).await?;
        self.written().await;
        Ok(())
    }

    /// Asks the API server whether it would accept a claim's new size. Changes nothing.
    pub(crate) async fn try_claim(&self, view: &View, claim: &str, to: Bytes) -> Result<Trial, Error> {
        match self.claim(&self.writes.dry_run(), view, claim, to).await {
            Ok(()) => Ok(Trial { to, refused: None }),
            Err(error) => match error.refusal() {
                Some((reason, message)) => Ok(Trial {
                    to,
                    refused: Some(Refusal { reason, message }),
                }),
                None => Err(error),
            },
        }
    }

    async fn request(&self, request: &DynamicObject, body: serde_json::Value) -> Result<(), Error> {
        let written = self
            .writes
            .merge::<PostgresOpsRequest>(&Target::of(request), body)
            .await;
        written.map(drop).map_err(Error::from)
    }

    async fn status(&self, view: &View, request: &DynamicObject, update: &Update) -> Result<(), Error> {
        let volume_of = |claim: &str| {
            let claim = view
                .claims
                .iter()
                .find(|object| object.metadata.name.as_deref() == Some(claim))?;
            claim.spec.as_ref()?.volume_name.clone()
        };
        let body = patch::status(&typed(request)?, update, volume_of, self.clock.now());
        self.writes
            .merge_status::<PostgresOpsRequest>(&Target::of(request), body)
            .await?;
        Ok(())
    }

    async fn postgres_status(&self, postgres: &DynamicObject, body: serde_json::Value) -> Result<(), Error> {
        self.writes
            .merge_status::<Postgres>(&Target::of(postgres), body)
            .await?;
        Ok(())
    }

    async fn claim(&self, writes: &Fenced, view: &View, claim: &str, to: Bytes) -> Result<(), Error> {
        let object = view
            .claims
            .iter()
            .find(|object| object.metadata.name.as_deref() == Some(claim));
        let target = Target::of(object.ok_or(Error::NotObserved("the claim"))?);
        writes
            .merge::<PersistentVolumeClaim>(&target, patch::claim(to))
            .await?;
        Ok(())
    }

    /// In any state of the pod: a crash-looping pod's status changes many times a second, and the annotation does not
    /// depend on it.
    async fn pod(&self, view: &View, pod: &str, value: &str) -> Result<(), Error> {
        let object = view
            .pods
            .iter()
            .find(|object| object.metadata.name.as_deref() == Some(pod));
        let target = Target::of(object.ok_or(Error::NotObserved("the pod"))?).in_any_state();
        self.writes.merge::<Pod>(&target, patch::nudge(value)).await?;
        Ok(())
    }

    async fn petset(&self, view: &View, to: Bytes) -> Result<(), Error> {
        let petset = view.petset.as_ref().ok_or(Error::NotObserved("the PetSet"))?;
        let body = patch::template(petset, to).ok_or(Error::NotObserved("the claim template data"))?;
        self.writes.merge::<PetSet>(&Target::of(petset), body).await?;
        Ok(())
    }

    async fn written(&self) {
        if let Some(stop) = &self.stop {
            stop.written().await;
        }
    }
}

fn postgres(view: &View) -> Result<&DynamicObject, Error> {
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
    );
    may_be_refused && matches!(error.class(), RetryClass::Blocked(_) | RetryClass::Invalid)
}
