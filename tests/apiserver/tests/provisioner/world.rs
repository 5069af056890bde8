//! A namespace with one Postgres in it.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use api::{
    catalog::v1alpha1::PostgresVersion,
    conditions::{Condition, find},
    kubedb::v1::Postgres,
    petset::v1::PetSet,
};
use k8s_openapi::{
    NamespaceResourceScope,
    api::{
        core::v1::{ConfigMap, Namespace, PersistentVolumeClaim, Pod, Secret, Service, ServiceAccount},
        policy::v1::PodDisruptionBudget,
        rbac::v1::{ClusterRole, RoleBinding},
    },
};
use kube::{
    Api, Client, Resource, ResourceExt,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, PropagationPolicy},
};
use provisioner_postgres::{
    probe::Probe,
    test_parts::{self, StopAfter},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio::sync::MutexGuard;

use crate::{
    played::{Played, merge},
    server::{turn, until},
};

static COUNT: AtomicU32 = AtomicU32::new(0);

/// The name of every test's database; not that of its namespace.
pub(crate) const DATABASE: &str = "orders";
pub(crate) const VERSION: &str = "15.18";
pub(crate) const IMAGE: &str = "localhost/highwater-postgres:dev";

/// A namespace with one Postgres in it.
pub(crate) struct World {
    pub(crate) client: Client,
    pub(crate) namespace: String,
    pub(crate) database: Arc<Played>,
    _turn: MutexGuard<'static, ()>,
}

impl World {
    /// A namespace, the version, and the role of members.
    pub(crate) async fn new() -> World {
        let (client, turn) = turn().await;
        let number = COUNT.fetch_add(1, Ordering::SeqCst);
        let world = World {
            client,
            namespace: format!("test-{number}"),
            database: Arc::default(),
            _turn: turn,
        };
        world.leave_others().await;
        world
            .create_global::<Namespace>(json!({"metadata": {"name": world.namespace,
                "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}))
            .await;
        world
            .create_global::<PostgresVersion>(json!({"metadata": {"name": VERSION},
                "spec": {"version": VERSION, "db": {"image": IMAGE}, "securityContext": {"runAsUser": 999}}}))
            .await;
        world
            .create_global::<ClusterRole>(json!({"metadata": {"name": "highwater-member"}, "rules": []}))
            .await;
        world
    }

    /// Databases of earlier tests are nobody's now: a controller would ask this test's database for them.
    async fn leave_others(&self) {
        let all: Api<Postgres> = Api::all(self.client.clone());
        let patch = Patch::Merge(json!({"metadata": {"annotations": {"highwater.dev/unmanaged": "true"}}}));
        for other in all.list(&ListParams::default()).await.unwrap() {
            let api: Api<Postgres> = Api::namespaced(self.client.clone(), &other.namespace().unwrap());
            api.patch(&other.name_any(), &PatchParams::default(), &patch)
                .await
                .unwrap();
        }
    }

    /// A Postgres of three members with 1Gi; `spec` is merged over that.
    pub(crate) async fn postgres(&self, spec: Value) -> Postgres {
        let mut whole = json!({
            "version": VERSION, "replicas": 3, "healthChecker": {"periodSeconds": 1},
            "storage": {"storageClassName": "fast", "resources": {"requests": {"storage": "1Gi"}}}
        });
        merge(&mut whole, &spec);
        self.create(json!({"metadata": {"name": DATABASE, "labels": {"team": "blue"}}, "spec": whole}))
            .await
    }

    pub(crate) fn api<K>(&self) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    pub(crate) async fn create<K>(&self, object: Value) -> K
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + Serialize
            + DeserializeOwned
            + Clone
            + std::fmt::Debug,
    {
        let typed: K = serde_json::from_value(object.clone()).unwrap();
        self.api::<K>()
            .create(&PostParams::default(), &typed)
            .await
            .unwrap_or_else(|e| panic!("{object}: {e}"))
    }

    /// Others may have made it already: all tests share what is not in a namespace.
    async fn create_global<K>(&self, object: Value)
    where
        K: Resource<DynamicType = ()> + Serialize + DeserializeOwned + Clone + std::fmt::Debug,
    {
        let typed: K = serde_json::from_value(object.clone()).unwrap();
        let api: Api<K> = Api::all(self.client.clone());
        match api.create(&PostParams::default(), &typed).await {
            Err(kube::Error::Api(status)) if status.is_already_exists() => {}
            result => drop(result.unwrap_or_else(|e| panic!("{object}: {e}"))),
        }
    }

    pub(crate) async fn find<K>(&self, name: &str) -> Option<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + DeserializeOwned
            + Clone
            + std::fmt::Debug,
    {
        self.api::<K>().get_opt(name).await.unwrap()
    }

    /// The object, once it is there.
    pub(crate) async fn there<K>(&self, name: &str) -> K
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + DeserializeOwned
            + Clone
            + std::fmt::Debug,
    {
        until(name, || self.find::<K>(name)).await
    }

    /// Waits until the object is gone, or being deleted.
    pub(crate) async fn gone<K>(&self, name: &str)
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + DeserializeOwned
            + Clone
            + std::fmt::Debug,
    {
        until(&format!("{name} gone"), || async {
            let found = self.find::<K>(name).await;
            found
                .is_none_or(|object| object.meta().deletion_timestamp.is_some())
                .then_some(())
        })
        .await;
    }

    pub(crate) async fn patch<K>(&self, name: &str, patch: Value) -> K
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + DeserializeOwned
            + Clone
            + std::fmt::Debug,
    {
        let patch = Patch::Merge(patch);
        self.api::<K>()
            .patch(name, &PatchParams::default(), &patch)
            .await
            .unwrap()
    }

    pub(crate) async fn delete(&self, policy: PropagationPolicy) {
        let params = DeleteParams {
            propagation_policy: Some(policy),
            ..DeleteParams::default()
        };
        self.api::<Postgres>().delete(DATABASE, &params).await.unwrap();
    }

    /// The Postgres once a condition of this type says this.
    pub(crate) async fn said(&self, kind: &str, status: &str) -> Condition {
        until(&format!("{kind} {status}"), || async {
            let postgres = self.find::<Postgres>(DATABASE).await?;
            let conditions = postgres.status?.conditions;
            find(&conditions, kind)
                .filter(|condition| condition.status == status)
                .cloned()
        })
        .await
    }

    /// Waits until there is no condition of this type.
    pub(crate) async fn unsaid(&self, kind: &str) {
        until(&format!("no {kind}"), || async {
            let postgres = self.find::<Postgres>(DATABASE).await?;
            let conditions = postgres.status?.conditions;
            find(&conditions, kind).is_none().then_some(())
        })
        .await;
    }

    pub(crate) async fn phase(&self, phase: &str) {
        until(phase, || async {
            let postgres = self.find::<Postgres>(DATABASE).await?;
            let now = postgres.status?.phase?;
            (now.as_str() == phase).then_some(())
        })
        .await;
    }

    /// Kind, name and resourceVersion of everything in the namespace that a controller could have written.
    pub(crate) async fn versions(&self) -> Vec<(String, String)> {
        let mut all = Vec::new();
        self.versions_of::<Postgres>(&mut all).await;
        self.versions_of::<PetSet>(&mut all).await;
        self.versions_of::<Service>(&mut all).await;
        self.versions_of::<Secret>(&mut all).await;
        self.versions_of::<ConfigMap>(&mut all).await;
        self.versions_of::<ServiceAccount>(&mut all).await;
        self.versions_of::<RoleBinding>(&mut all).await;
        self.versions_of::<PodDisruptionBudget>(&mut all).await;
        self.versions_of::<PersistentVolumeClaim>(&mut all).await;
        self.versions_of::<Pod>(&mut all).await;
        all
    }

    pub(crate) async fn versions_of<K>(&self, all: &mut Vec<(String, String)>)
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + DeserializeOwned
            + Clone
            + std::fmt::Debug,
    {
        let list = self.api::<K>().list(&ListParams::default()).await.unwrap();
        for object in list {
            let name = format!("{} {}", K::kind(&()), object.name_any());
            all.push((name, object.resource_version().unwrap()));
        }
    }

    /// A controller that runs until `test` is done.
    pub(crate) async fn with_controller<T>(&self, test: impl Future<Output = T>) -> T {
        self.with_stop(None, test).await
    }

    /// One beside KubeDB.
    pub(crate) async fn with_controller_of_ours<T>(&self, test: impl Future<Output = T>) -> T {
        let probe: Arc<dyn Probe> = Arc::clone(&self.database) as _;
        tokio::select! {
            ended = test_parts::run(self.client.clone(), probe, false, None) => panic!("the controller ended: {ended:?}"),
            done = test => done,
        }
    }

    pub(crate) async fn with_stop<T>(&self, stop: Option<StopAfter>, test: impl Future<Output = T>) -> T {
        let probe: Arc<dyn Probe> = Arc::clone(&self.database) as _;
        tokio::select! {
            ended = test_parts::run(self.client.clone(), probe, true, stop) => panic!("the controller ended: {ended:?}"),
            done = test => done,
        }
    }
}
