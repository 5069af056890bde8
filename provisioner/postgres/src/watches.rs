//! What is watched, and the little that is kept of each object: enough to notice a change, and to ask a database whether it
//! works. What a step decides about is read afresh ([`crate::observe`]).

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    net::IpAddr,
    time::Duration,
};

use api::{
    catalog::v1alpha1::{PostgresVersion, PostgresVersionSpec},
    kubedb::v1::Postgres,
    names::{
        ANNOTATION_UNMANAGED, LABEL_CLUSTER, LABEL_INSTANCE, LABEL_OWNED_BY, LABEL_ROLE, OWNED_BY_HIGHWATER,
        ROLE_PRIMARY,
    },
    petset::v1::PetSet,
};
use control::watch::{Store, Watches};
use k8s_openapi::{
    NamespaceResourceScope,
    api::{
        core::v1::{ConfigMap, PersistentVolumeClaim, Pod, Service, ServiceAccount},
        policy::v1::PodDisruptionBudget,
        rbac::v1::RoleBinding,
    },
};
use kube::{Api, Client, Resource, ResourceExt, core::DeserializeGuard, runtime::watcher::Config};
use runtime::tasks::Tasks;
use serde::{Serialize, de::DeserializeOwned};

/// All that is watched.
#[derive(Debug, Clone)]
pub(crate) struct Stores {
    pub(crate) postgreses: Store<SeenPostgres>,
    pub(crate) versions: Store<PostgresVersionSpec>,
    pub(crate) petsets: Store<Digest>,
    pub(crate) pods: Store<SeenPod>,
    pub(crate) claims: Store<Digest>,
    /// Services, ServiceAccounts, RoleBindings, ConfigMaps, budgets.
    pub(crate) owned: Vec<Store<Digest>>,
}

/// What is kept of a Postgres.
#[derive(Debug, PartialEq)]
pub(crate) struct SeenPostgres {
    pub(crate) uid: String,
    pub(crate) version: String,
    /// Nothing is asked of one that is stopped, or goes.
    pub(crate) runs: bool,
    /// Time from one check to the next.
    pub(crate) period: Duration,
    /// Time that a check may take.
    pub(crate) patience: Duration,
    /// Failed checks in a row that count.
    pub(crate) threshold: u32,
    /// A check writes.
    pub(crate) writes: bool,
    digest: u64,
}

/// What is kept of an object that belongs to a database.
#[derive(Debug, PartialEq)]
pub(crate) struct Digest {
    /// Name of the database.
    pub(crate) database: String,
    digest: u64,
}

/// What is kept of a member.
#[derive(Debug, PartialEq)]
pub(crate) struct SeenPod {
    pub(crate) database: String,
    pub(crate) address: Option<IpAddr>,
    pub(crate) primary: bool,
    pub(crate) ready: bool,
    digest: u64,
}

impl Stores {
    /// Waits until all that is there is known.
    pub(crate) async fn synced(&self) {
        let Self {
            postgreses,
            versions,
            petsets,
            pods,
            claims,
            owned,
        } = self;
        postgreses.synced().await;
        versions.synced().await;
        petsets.synced().await;
        pods.synced().await;
        claims.synced().await;
        for store in owned {
            store.synced().await;
        }
    }
}

/// Starts the watches. Beside KubeDB (`all` is false) only databases that carry our label are looked at.
pub(crate) fn start(client: &Client, watches: &Watches, all: bool, tasks: &mut Tasks) -> Stores {
    let (postgreses, task) = watches.all(move |object: Postgres| postgres(&object, all));
    tasks.spawn("watch postgreses of the provisioner", task);
    let (versions, task) = watches.all(|object: PostgresVersion| Some(object.spec));
    tasks.spawn("watch versions", task);
    let (petsets, task) = watches.all(|object: PetSet| {
        let digest = (
            &object.spec,
            &object.status,
            &object.metadata.labels,
            &object.metadata.annotations,
        );
        digested(object.name_any(), &digest)
    });
    tasks.spawn("watch petsets of the provisioner", task);
    let members = Config::default().labels(LABEL_CLUSTER);
    let (pods, task) = watches.projected(everywhere(client), members.clone(), pod);
    tasks.spawn("watch members", task);
    let (claims, task) = watches.projected(everywhere(client), members, |object: PersistentVolumeClaim| {
        let database = object.labels().get(LABEL_CLUSTER)?.clone();
        digested(database, &(&object.spec, &object.status))
    });
    tasks.spawn("watch claims of members", task);
    let owned = vec![
        owned::<Service>(client, watches, "watch services", tasks),
        owned::<ServiceAccount>(client, watches, "watch service accounts", tasks),
        owned::<RoleBinding>(client, watches, "watch role bindings", tasks),
        owned::<ConfigMap>(client, watches, "watch config maps", tasks),
        owned::<PodDisruptionBudget>(client, watches, "watch budgets", tasks),
    ];
    Stores {
        postgreses,
        versions,
        petsets,
        pods,
        claims,
        owned,
    }
}

fn everywhere<K: Resource<DynamicType = ()>>(client: &Client) -> Api<DeserializeGuard<K>>
where
    DeserializeGuard<K>: Resource<DynamicType = ()>,
{
    Api::all(client.clone())
}

/// Objects that we made, by our label: Patroni's ConfigMaps, which change every few seconds, are none of them.
fn owned<K>(client: &Client, watches: &Watches, name: &'static str, tasks: &mut Tasks) -> Store<Digest>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Serialize
        + DeserializeOwned
        + Clone
        + std::fmt::Debug
        + Send
        + 'static,
{
    let ours = Config::default().labels(&format!("{LABEL_OWNED_BY}={OWNED_BY_HIGHWATER},{LABEL_CLUSTER}"));
    let (store, task) = watches.projected(everywhere::<K>(client), ours, |mut object: K| {
        let database = object.labels().get(LABEL_INSTANCE)?.clone();
        let meta = object.meta_mut();
        meta.managed_fields = None;
        meta.resource_version = None;
        digested(database, &object)
    });
    tasks.spawn(name, task);
    store
}

/// Equal for equal content; a collision would cost one missed change in 2^64.
fn digest(parts: &impl Serialize) -> u64 {
    let mut hasher = DefaultHasher::new();
    serde_json::to_vec(parts).unwrap_or_default().hash(&mut hasher);
    hasher.finish()
}

fn digested(database: String, parts: &impl Serialize) -> Option<Digest> {
    Some(Digest {
        database,
        digest: digest(parts),
    })
}

fn postgres(object: &Postgres, all: bool) -> Option<SeenPostgres> {
    let unmanaged = object
        .annotations()
        .get(ANNOTATION_UNMANAGED)
        .is_some_and(|value| value == "true");
    let ours = object
        .labels()
        .get(LABEL_OWNED_BY)
        .is_some_and(|owner| owner == OWNED_BY_HIGHWATER);
    if unmanaged || !(all || ours) {
        return None;
    }
    let health = object.spec.health_checker.clone().unwrap_or_default();
    let seconds =
        |value: Option<i32>| Duration::from_secs(u64::try_from(value.unwrap_or(10)).unwrap_or(10).max(1));
    let meta = &object.metadata;
    Some(SeenPostgres {
        uid: object.uid()?,
        version: object.spec.version.clone(),
        runs: meta.deletion_timestamp.is_none() && object.spec.halted != Some(true),
        period: seconds(health.period_seconds),
        patience: seconds(health.timeout_seconds),
        threshold: u32::try_from(health.failure_threshold.unwrap_or(1))
            .unwrap_or(1)
            .max(1),
        writes: health.disable_write_check != Some(true),
        digest: digest(&(
            &object.spec,
            &object.status,
            &meta.labels,
            &meta.annotations,
            &meta.finalizers,
            &meta.deletion_timestamp,
        )),
    })
}

fn pod(object: Pod) -> Option<SeenPod> {
    let labels = object.labels();
    let database = labels.get(LABEL_CLUSTER)?.clone();
    let primary = labels.get(LABEL_ROLE).is_some_and(|role| role == ROLE_PRIMARY);
    let status = object.status.clone().unwrap_or_default();
    let waits = status.container_statuses.iter().flatten().map(|container| {
        let waiting = container.state.as_ref().and_then(|state| state.waiting.as_ref());
        waiting.and_then(|waiting| waiting.reason.clone())
    });
    let waits: Vec<_> = waits.collect();
    let conditions: Vec<_> = status
        .conditions
        .iter()
        .flatten()
        .map(|condition| (&condition.type_, &condition.status, &condition.reason))
        .collect();
    let ready = conditions
        .iter()
        .any(|(kind, status, _)| *kind == "Ready" && *status == "True");
    let digest = digest(&(
        object.uid(),
        labels,
        &object.metadata.deletion_timestamp,
        &status.phase,
        conditions,
        waits,
    ));
    Some(SeenPod {
        database,
        address: status.pod_ip.and_then(|address| address.parse().ok()),
        primary,
        ready,
        digest,
    })
}
