//! The cluster as the decider needs it: one small projection per kind, kept by a watch each.
//!
//! Projections hold what decisions read and nothing else; an object that cannot be read is counted and named by
//! its watch and is here as if it were not there.

use control::watch::{Store, Watches};
use k8s_openapi::api::{
    core::v1::{LimitRange, Pod, ResourceQuota},
    storage::v1::StorageClass,
};
use runtime::tasks::Tasks;

mod autoscaler;
mod claims;
mod cluster;
mod request;
mod shared;
mod stored;

pub use autoscaler::{Autoscaler, Modification};
pub use claims::{Claim, Volume};
pub use cluster::{Class, Limit, PodClaims, Postgres, Quota};
pub use request::{ATTEMPT, BASE, Before, Request, SEEN};
pub use shared::Shared;
pub use stored::Stored;

/// Every watched kind; clones share the stores.
#[derive(Clone, Default)]
pub struct Objects {
    /// PostgresAutoscalers.
    pub autoscalers: Store<Autoscaler>,
    /// Postgreses.
    pub postgreses: Store<Postgres>,
    /// PetSets, as far as claims are concerned.
    pub sets: Store<api::join::Set>,
    /// PostgresOpsRequests.
    pub requests: Store<Request>,
    /// PersistentVolumeClaims.
    pub claims: Store<Claim>,
    /// PersistentVolumes.
    pub volumes: Store<Volume>,
    /// Pods that use claims.
    pub pods: Store<PodClaims>,
    /// StorageClasses.
    pub classes: Store<Class>,
    /// StorageProfiles.
    pub profiles: Store<api::highwater::v1alpha1::StorageProfileSpec>,
    /// ResourceQuotas on storage.
    pub quotas: Store<Quota>,
    /// LimitRanges on claims.
    pub limits: Store<Limit>,
}

impl Objects {
    /// Starts all watches.
    pub fn watch(watches: &Watches, tasks: &mut Tasks) -> Self {
        let (autoscalers, task) = watches.all(sharing(Autoscaler::of));
        tasks.spawn("watch autoscalers", task);
        let (postgreses, task) = watches.all(Postgres::of);
        tasks.spawn("watch postgreses", task);
        let (sets, task) = watches.all(|set: api::petset::v1::PetSet| api::join::Set::of(&set));
        tasks.spawn("watch petsets", task);
        let (requests, task) = watches.all(Request::of);
        tasks.spawn("watch requests", task);
        let (claims, task) = watches.all(sharing(Claim::of));
        tasks.spawn("watch claims", task);
        let (volumes, task) = watches.all(sharing(Volume::of));
        tasks.spawn("watch volumes", task);
        let (pods, task) = watches.all(sharing(|pod: Pod, names| PodClaims::of(&pod, names)));
        tasks.spawn("watch pods", task);
        let (classes, task) = watches.all(|class: StorageClass| Some(Class::of(class)));
        tasks.spawn("watch classes", task);
        let (profiles, task) = watches.all(|p: api::highwater::v1alpha1::StorageProfile| Some(p.spec));
        tasks.spawn("watch profiles", task);
        let (quotas, task) = watches.all(|quota: ResourceQuota| Quota::of(&quota));
        tasks.spawn("watch quotas", task);
        let (limits, task) = watches.all(|range: LimitRange| Limit::of(&range));
        tasks.spawn("watch limit ranges", task);
        Self {
            autoscalers,
            postgreses,
            sets,
            requests,
            claims,
            volumes,
            pods,
            classes,
            profiles,
            quotas,
            limits,
        }
    }

    /// Waits for the first full list of each kind: before that, absence means nothing.
    pub async fn synced(&self) {
        let Self {
            autoscalers,
            postgreses,
            sets,
            requests,
            claims,
            volumes,
            pods,
            classes,
            profiles,
            quotas,
            limits,
        } = self;
        autoscalers.synced().await;
        postgreses.synced().await;
        sets.synced().await;
        requests.synced().await;
        claims.synced().await;
        volumes.synced().await;
        pods.synced().await;
        classes.synced().await;
        profiles.synced().await;
        quotas.synced().await;
        limits.synced().await;
    }
}

/// Projects objects of one kind, which share what they have in common.
fn sharing<K, T, S: ?Sized>(project: impl Fn(K, &mut Shared<S>) -> Option<T>) -> impl FnMut(K) -> Option<T> {
    let mut shared = Shared::default();
    move |object| project(object, &mut shared)
}
