//! Writes: by the leader only, of one object at a time, and only if it is still what was read.
//!
//! Every write names the uid it means, so that an object of the same name made later is never touched, and where
//! the decision depended on the object's state, the resourceVersion too. Leadership is asked right before.

mod body;
mod error;
mod target;

use std::{fmt::Debug, time::Duration};

use k8s_openapi::NamespaceResourceScope;
use kube::{
    Api, Client, Resource,
    api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::time::timeout;

pub use self::{
    error::{Cause, Error},
    target::Target,
};
use crate::leader::Leader;

/// Longest time of one write, repetitions by the client included. Beyond it the outcome is unknown; whoever
/// wrote observes again.
const PATIENCE: Duration = Duration::from_secs(10);

/// A resourceVersion that no object has: etcd's first revision is taken before any. Where there is no object the API server
/// does not compare it.
const NO_VERSION: &str = "1";

/// Which part of an object a write is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Whole,
    Status,
}

/// Writes for a leader; clones share the lease.
#[derive(Clone)]
pub struct Fenced {
    client: Client,
    leader: Leader,
    manager: &'static str,
    dry_run: bool,
}

impl Debug for Fenced {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            client: _,
            leader,
            manager,
            dry_run,
        } = self;
        f.debug_struct("Fenced")
            .field("leader", leader)
            .field("manager", manager)
            .field("dry_run", dry_run)
            .finish()
    }
}

/// A kind whose objects live in namespaces and can be written as a whole.
pub trait Namespaced:
    Resource<Scope = NamespaceResourceScope, DynamicType = ()> + DeserializeOwned + Clone + Debug
{
}

impl<K> Namespaced for K where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + DeserializeOwned + Clone + Debug
{
}

impl Fenced {
    /// Writes as field manager `manager`, while `leader` leads.
    #[must_use]
    pub fn new(client: Client, leader: Leader, manager: &'static str) -> Self {
        Self {
            client,
            leader,
            manager,
            dry_run: false,
        }
    }

    /// The same, but the API server only checks each write and keeps nothing.
    #[must_use]
    pub fn dry_run(&self) -> Self {
        Self {
            dry_run: true,
            ..self.clone()
        }
    }

    /// The lease under which this writes.
    #[must_use]
    pub fn leader(&self) -> &Leader {
        &self.leader
    }

    /// Merges `patch` (RFC 7386) into the object; returns it as written.
    ///
    /// # Errors
    /// Any [`Cause`].
    pub async fn merge<K: Namespaced>(&self, target: &Target, patch: Value) -> Result<K, Error> {
        self.patch("patch", Part::Whole, target, patch, false).await
    }

    /// Merges `patch`, an object with a `status`, into the object's status.
    ///
    /// # Errors
    /// Any [`Cause`].
    pub async fn merge_status<K: Namespaced>(&self, target: &Target, patch: Value) -> Result<K, Error> {
        self.patch("patch the status of", Part::Status, target, patch, false)
            .await
    }

    /// Merges `patch` into the object through its subresource `name`, lists by their keys (strategic merge: built-in kinds
    /// only).
    ///
    /// # Errors
    /// Any [`Cause`]; [`Error::is_no_such_path`] where the API server does not offer the subresource.
    pub async fn merge_subresource<K: Namespaced>(
        &self,
        name: &str,
        target: &Target,
        patch: Value,
    ) -> Result<K, Error> {
        let verb = "patch a subresource of";
        let body =
            body::patch::<K>(target, patch, false).map_err(|cause| failed::<K>(verb, target, cause))?;
        let params = PatchParams {
            dry_run: self.dry_run,
            field_manager: Some(self.manager.to_owned()),
            ..PatchParams::default()
        };
        let (api, patch) = (self.api::<K>(target), Patch::Strategic(body));
        self.guarded::<K, _>(
            verb,
            target,
            api.patch_subresource(name, &target.name, &params, &patch),
        )
        .await
    }

    /// Applies `fields` server-side as this manager, taking fields from others: those not in `fields` that this manager
    /// applied before are removed.
    ///
    /// # Errors
    /// Any [`Cause`].
    pub async fn apply<K: Namespaced>(&self, target: &Target, fields: Value) -> Result<K, Error> {
        self.patch("apply", Part::Whole, target, fields, true).await
    }

    /// Makes an object by a server-side apply, so that every field in `fields` is this manager's alone from the beginning. If
    /// one of its name is there already, nothing changes and the error's class is `Conflict`.
    ///
    /// # Errors
    /// Any [`Cause`].
    pub async fn apply_new<K: Namespaced>(
        &self,
        namespace: &str,
        name: &str,
        fields: Value,
    ) -> Result<K, Error> {
        let target = Target {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            uid: String::new(),
            resource_version: Some(NO_VERSION.to_owned()),
        };
        self.patch("make", Part::Whole, &target, fields, true).await
    }

    /// Applies `fields`, an object with a `status`, to the object's status; see [`Fenced::apply`].
    ///
    /// # Errors
    /// Any [`Cause`].
    pub async fn apply_status<K: Namespaced>(&self, target: &Target, fields: Value) -> Result<K, Error> {
        self.patch("apply the status of", Part::Status, target, fields, true)
            .await
    }

    /// Creates an object. If one of its name is there already, [`Error::is_already_exists`].
    ///
    /// # Errors
    /// Any [`Cause`].
    pub async fn create<K: Namespaced + Serialize>(&self, object: &K) -> Result<K, Error> {
        let target = Target::of(object);
        let params = PostParams {
            dry_run: self.dry_run,
            field_manager: Some(self.manager.to_owned()),
        };
        let api = self.api::<K>(&target);
        self.guarded::<K, _>("create", &target, api.create(&params, object))
            .await
    }

    /// Deletes an object; what depends on it goes in the background. One that is gone already is
    /// [`Error::is_not_found`].
    ///
    /// # Errors
    /// Any [`Cause`].
    pub async fn delete<K: Namespaced>(&self, target: &Target) -> Result<(), Error> {
        let meant = Preconditions {
            uid: Some(target.uid.clone()),
            resource_version: target.resource_version.clone(),
        };
        let params = DeleteParams {
            dry_run: self.dry_run,
            ..DeleteParams::background()
        }
        .preconditions(meant);
        let api = self.api::<K>(target);
        self.guarded::<K, _>("delete", target, api.delete(&target.name, &params))
            .await
            .map(drop)
    }

    async fn patch<K: Namespaced>(
        &self,
        verb: &'static str,
        part: Part,
        target: &Target,
        patch: Value,
        apply: bool,
    ) -> Result<K, Error> {
        let body =
            body::patch::<K>(target, patch, apply).map_err(|cause| failed::<K>(verb, target, cause))?;
        let params = PatchParams {
            dry_run: self.dry_run,
            force: apply,
            field_manager: Some(self.manager.to_owned()),
            field_validation: None,
        };
        let api = self.api::<K>(target);
        let patch = if apply {
            Patch::Apply(body)
        } else {
            Patch::Merge(body)
        };
        match part {
            Part::Whole => {
                self.guarded::<K, _>(verb, target, api.patch(&target.name, &params, &patch))
                    .await
            }
            Part::Status => {
                self.guarded::<K, _>(verb, target, api.patch_status(&target.name, &params, &patch))
                    .await
            }
        }
    }

    /// Sends one write, if this process leads now.
    async fn guarded<K: Namespaced, R>(
        &self,
        verb: &'static str,
        target: &Target,
        write: impl Future<Output = Result<R, kube::Error>>,
    ) -> Result<R, Error> {
        let Some(_permit) = self.leader.permit() else {
            return Err(failed::<K>(verb, target, Cause::NotLeading));
        };
        let answer = timeout(PATIENCE, write).await.map_err(|_| Cause::NoAnswer);
        let answer = answer.and_then(|answer| answer.map_err(Cause::from));
        answer.map_err(|cause| failed::<K>(verb, target, cause))
    }

    fn api<K: Namespaced>(&self, target: &Target) -> Api<K> {
        Api::namespaced(self.client.clone(), &target.namespace)
    }
}

fn failed<K: Namespaced>(verb: &'static str, target: &Target, cause: Cause) -> Error {
    let kind = K::kind(&()).into_owned();
    Error {
        verb,
        kind,
        namespace: target.namespace.clone(),
        name: target.name.clone(),
        cause,
    }
}
