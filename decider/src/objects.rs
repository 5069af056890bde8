//! The cluster as the decider needs it: one small projection per kind, kept by a watch each.
//!
//! Projections hold what decisions read and nothing else; an object that cannot be read is counted and named by
//! its watch and is here as if it were not there.

use api::{join::Set, petset::v1::PetSet};
use control::watch::{Shared, Store, Watches, Words};
use k8s_openapi::api::{
    core::v1::{LimitRange, Pod, ResourceQuota},
    storage::v1::StorageClass,
};
use runtime::tasks::Tasks;

mod autoscaler;
mod claims;
mod cluster;
mod request;
mod stored;

pub use autoscaler::{Autoscaler, Modification};
pub use claims::{Claim, Volume};
pub use cluster::{Abandoned, Class, Limit, PodClaims, Postgres, Quota};
pub use request::{ATTEMPT, BASE, Before, Request, SEEN};
pub use stored::Stored;

/// Every watched kind; clones share the stores.
#[derive(Clone, Default)]
pub struct Objects {
    /// PostgresAutoscalers.
    pub autoscalers: Store<Autoscaler>,
    /// Postgreses.
    pub postgreses: Store<Postgres>,
    /// PetSets, as far as claims are concerned.
    pub sets: Store<Set>,
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
    /// Drivers whose resizer is gone, by the driver's name. Not watched: the controller looks for them.
    pub resizers: Store<Abandoned>,
    /// ResourceQuotas on storage.
    pub quotas: Store<Quota>,
    /// LimitRanges on claims.
    pub limits: Store<Limit>,
}

impl Objects {
    /// Starts all watches, of objects that share these words.
    pub fn watch(watches: &Watches, words: &Words, tasks: &mut Tasks) -> Self {
        let named = watches.sharing(words);
        let (names, mut policies) = (words.clone(), Shared::default());
        let (autoscalers, task) = named.all(move |object| Autoscaler::of(object, &mut policies, &names));
        tasks.spawn("watch autoscalers", task);
        let (postgreses, task) = named.all(sharing(words, Postgres::of));
        tasks.spawn("watch postgreses", task);
        let (sets, task) = named.all(sharing(words, |set: PetSet, words| {
            Set::of(&set, |word| words.share(word))
        }));
        tasks.spawn("watch petsets", task);
        let (requests, task) = watches.all(Request::of);
        tasks.spawn("watch requests", task);
        let (claims, task) = named.all(sharing(words, Claim::of));
        tasks.spawn("watch claims", task);
        let (volumes, task) = named.all(sharing(words, Volume::of));
        tasks.spawn("watch volumes", task);
        let (pods, task) = watches.all(sharing(words, |pod: Pod, words| PodClaims::of(&pod, words)));
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
            resizers: Store::new(),
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
            resizers: _,
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

/// A projection of one kind with the words that all share.
fn sharing<K, T, P>(words: &Words, project: P) -> impl Fn(K) -> Option<T> + use<K, T, P>
where
    P: Fn(K, &Words) -> Option<T>,
{
    let words = words.clone();
    move |object| project(object, &words)
}
