//! IO out: one call, one write. Every write of this controller goes through here.

use std::{fmt::Debug, marker::PhantomData, net::IpAddr, sync::Arc};

use api::names::{FINALIZER_PROVISIONER, LABEL_ROLE};
use control::{
    stop::StopAfter,
    whole::Whole,
    write::{Fenced, Target},
};
use k8s_openapi::{
    NamespaceResourceScope,
    api::core::v1::{PersistentVolumeClaim, Pod},
};
use kube::{Resource, ResourceExt};
use provisioner_core::postgres::{Object, Step};
use serde_json::{Value, json};

use crate::{
    build,
    error::Error,
    kinds,
    observe::View,
    probe::Probe,
    wish::{Wish, rest_login},
};

/// Makes the writes.
pub(crate) struct Performer {
    writes: Fenced,
    probe: Arc<dyn Probe>,
    stop: Option<StopAfter>,
}

impl Performer {
    pub(crate) fn new(writes: Fenced, probe: Arc<dyn Probe>, stop: Option<StopAfter>) -> Self {
        Self { writes, probe, stop }
    }

    /// Carries out a step: exactly one write. `wanted` is what the object should be.
    pub(crate) async fn perform(
        &self,
        view: &View,
        wish: Option<&Wish>,
        step: &Step,
        wanted: Option<&Value>,
    ) -> Result<(), Error> {
        match step {
            Step::Nothing | Step::Settings => return Ok(()),
            Step::AddFinalizer => self.finalizer(view, true).await?,
            Step::Release => self.finalizer(view, false).await?,
            Step::Make(object) => self.make(view, wish, *object, wanted).await?,
            Step::Change(object) => self.change(view, *object, wanted).await?,
            Step::Remove(object) => self.remove(view, *object).await?,
            Step::RemoveClaim(name) => self.remove_claim(view, name).await?,
            Step::TakeRole(pod) => self.take_role(view, pod).await?,
        }
        self.stop_here().await;
        Ok(())
    }

    /// Patches Patroni's settings at a member; gives them as they are then.
    pub(crate) async fn settings(&self, view: &View, at: IpAddr, patch: Value) -> Result<Value, Error> {
        let login = rest_login(view).ok_or(Error::NotObserved("the Secret for Patroni"))?;
        let now = self.probe.change_settings(at, login, patch).await;
        now.map_err(Error::Settings)
    }

    /// Writes the status of the Postgres.
    pub(crate) async fn status(&self, view: &View, status: Value) -> Result<(), Error> {
        let target = Target::of(&view.postgres);
        self.writes
            .merge_status::<Whole<api::kubedb::v1::Postgres>>(&target, json!({ "status": status }))
            .await?;
        self.stop_here().await;
        Ok(())
    }

    async fn finalizer(&self, view: &View, ours: bool) -> Result<(), Error> {
        let mut finalizers = view.postgres.finalizers().to_vec();
        finalizers.retain(|name| name != FINALIZER_PROVISIONER);
        if ours {
            finalizers.push(FINALIZER_PROVISIONER.to_owned());
        }
        let patch = json!({ "metadata": { "finalizers": finalizers } });
        self.writes
            .merge::<Whole<api::kubedb::v1::Postgres>>(&Target::of(&view.postgres), patch)
            .await?;
        Ok(())
    }

    async fn make(
        &self,
        view: &View,
        wish: Option<&Wish>,
        object: Object,
        wanted: Option<&Value>,
    ) -> Result<(), Error> {
        let body = match (object, wish) {
            (Object::Auth | Object::Credentials, _) => build::secret(view, object, &mut rand::rng()),
            (Object::Set, Some(wish)) => {
                build::new_set(view, wish).map_err(|_| Error::NotObserved("a template that can be used"))?
            }
            _ => wanted
                .cloned()
                .ok_or(Error::NotObserved("what an object should be"))?,
        };
        let name = view.name_of(object);
        kinds::typed!(object, make, &self.writes, view.namespace(), &name, body)
    }

    async fn change(&self, view: &View, object: Object, wanted: Option<&Value>) -> Result<(), Error> {
        let found = view
            .found
            .get(&object)
            .ok_or(Error::NotObserved("an object to change"))?;
        let mut body = wanted
            .cloned()
            .ok_or(Error::NotObserved("what an object should be"))?;
        if object == Object::Set {
            body = build::set_change(body, found);
        }
        let target = self.target(view, object)?;
        kinds::typed!(object, apply, &self.writes, &target, body)
    }

    async fn remove(&self, view: &View, object: Object) -> Result<(), Error> {
        let target = self.target(view, object)?;
        kinds::typed!(object, delete, &self.writes, &target)
    }

    fn target(&self, view: &View, object: Object) -> Result<Target, Error> {
        let found = view
            .found
            .get(&object)
            .ok_or(Error::NotObserved("an object to write"))?;
        let target = Target {
            namespace: view.namespace().to_owned(),
            name: view.name_of(object),
            uid: found.meta.uid.clone().unwrap_or_default(),
            resource_version: found.meta.resource_version.clone(),
        };
        // Patroni writes to its ConfigMaps all the time.
        let any_state = matches!(object, Object::Store(_));
        Ok(if any_state { target.in_any_state() } else { target })
    }

    async fn remove_claim(&self, view: &View, name: &str) -> Result<(), Error> {
        let claim = view.claims.iter().find(|claim| claim.name_any() == name);
        let target = Target::of(claim.ok_or(Error::NotObserved("the claim"))?);
        gone(self.writes.delete::<PersistentVolumeClaim>(&target).await)
    }

    /// Fenced by what was read: a pod that became the leader since has changed.
    async fn take_role(&self, view: &View, name: &str) -> Result<(), Error> {
        let pod = view.pods.iter().find(|pod| pod.name_any() == name);
        let target = Target::of(pod.ok_or(Error::NotObserved("the pod"))?);
        let patch = json!({ "metadata": { "labels": { LABEL_ROLE: Value::Null } } });
        self.writes.merge::<Pod>(&target, patch).await?;
        Ok(())
    }

    async fn stop_here(&self) {
        if let Some(stop) = &self.stop {
            stop.written().await;
        }
    }
}

/// One that is gone is as good as deleted.
fn gone(result: Result<(), control::write::Error>) -> Result<(), Error> {
    match result {
        Err(error) if !error.is_not_found() => Err(error.into()),
        _ => Ok(()),
    }
}

async fn make<K>(
    _: PhantomData<K>,
    writes: &Fenced,
    namespace: &str,
    name: &str,
    body: Value,
) -> Result<(), Error>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug,
{
    writes.apply_new::<Whole<K>>(namespace, name, body).await?;
    Ok(())
}

async fn apply<K>(_: PhantomData<K>, writes: &Fenced, target: &Target, body: Value) -> Result<(), Error>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug,
{
    writes.apply::<Whole<K>>(target, body).await?;
    Ok(())
}

async fn delete<K>(_: PhantomData<K>, writes: &Fenced, target: &Target) -> Result<(), Error>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug,
{
    gone(writes.delete::<Whole<K>>(target).await)
}
