//! A namespace with sets in it, and what is asked of them.

use std::sync::atomic::{AtomicU32, Ordering};

use api::{conditions::find, petset::v1::PetSet};
use k8s_openapi::{
    NamespaceResourceScope,
    api::{
        core::v1::{Namespace, PersistentVolumeClaim, Pod},
        events::v1::Event,
    },
};
use kube::{
    Api, Client, Resource, ResourceExt,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams},
};
use provisioner_petset::test_parts;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio::sync::MutexGuard;

use crate::{
    kubelet,
    server::{turn, until},
};

static COUNT: AtomicU32 = AtomicU32::new(0);

/// The name of every test's set; not that of its labels, so that exchanged arguments show.
pub(crate) const SET: &str = "orders";

/// A namespace.
pub(crate) struct World {
    pub(crate) client: Client,
    pub(crate) namespace: String,
    _turn: MutexGuard<'static, ()>,
}

/// A set of `replicas` good pods with a claim each, changed by `merge`.
pub(crate) fn set(replicas: i32, merge: Value) -> Value {
    let mut spec = json!({
        "serviceName": "pods", "replicas": replicas, "selector": {"matchLabels": {"app": "shop"}},
        "template": {
            "metadata": {"labels": {"app": "shop"}},
            // On a node, so that a deleted pod is waited for.
            "spec": {"nodeName": "nowhere", "containers": [{"name": "main", "image": "good:1"}]}
        },
        "volumeClaimTemplates": [{
            "metadata": {"name": "data"},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        }]
    });
    for (key, value) in merge.as_object().into_iter().flatten() {
        spec[key] = value.clone();
    }
    spec
}

impl World {
    pub(crate) async fn new() -> World {
        let (client, turn) = turn().await;
        let namespace = namespace(&client).await;
        World {
            client,
            namespace,
            _turn: turn,
        }
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
        let made = self.api::<K>().create(&PostParams::default(), &typed).await;
        made.unwrap_or_else(|e| panic!("{object}: {e}"))
    }

    /// Makes the set.
    pub(crate) async fn make(&self, spec: Value) -> PetSet {
        self.create(json!({"metadata": {"name": SET}, "spec": spec}))
            .await
    }

    /// Merges a patch into the set.
    pub(crate) async fn patch(&self, patch: Value) -> PetSet {
        let patch = Patch::Merge(patch);
        self.api()
            .patch(SET, &PatchParams::default(), &patch)
            .await
            .unwrap()
    }

    pub(crate) async fn set(&self) -> PetSet {
        self.api().get(SET).await.unwrap()
    }

    pub(crate) async fn pod(&self, ordinal: i32) -> Option<Pod> {
        self.api().get_opt(&format!("{SET}-{ordinal}")).await.unwrap()
    }

    pub(crate) async fn delete_pod(&self, ordinal: i32) {
        let name = format!("{SET}-{ordinal}");
        self.api::<Pod>()
            .delete(&name, &DeleteParams::default())
            .await
            .unwrap();
    }

    /// Names of all pods that are not being deleted, in order.
    pub(crate) async fn pods(&self) -> Vec<String> {
        let pods = self.api::<Pod>().list(&ListParams::default()).await.unwrap();
        let mut names: Vec<_> = pods
            .into_iter()
            .filter(|pod| pod.metadata.deletion_timestamp.is_none())
            .map(|pod| pod.name_any())
            .collect();
        names.sort();
        names
    }

    /// Names of all claims, in order.
    pub(crate) async fn claims(&self) -> Vec<String> {
        let claims = self
            .api::<PersistentVolumeClaim>()
            .list(&ListParams::default())
            .await
            .unwrap();
        let mut names: Vec<_> = claims.into_iter().map(|claim| claim.name_any()).collect();
        names.sort();
        names
    }

    /// The set once its status speaks of its spec and `ready` pods are ready and no other is there.
    pub(crate) async fn settled(&self, ready: i32) -> PetSet {
        until(&format!("{ready} ready pods"), || async {
            let set = self.set().await;
            let status = set.status.clone()?;
            let counts = (status.replicas, status.ready_replicas, status.available_replicas);
            let is_settled = status.observed_generation == set.metadata.generation
                && counts == (Some(ready), Some(ready), Some(ready));
            is_settled.then_some(set)
        })
        .await
    }

    /// Reason and message of a condition, once it has this status.
    pub(crate) async fn condition(&self, type_: &str, status: &str) -> (String, String) {
        until(&format!("{type_} {status}"), || async {
            let conditions = self.set().await.status?.conditions;
            let condition = find(&conditions, type_).filter(|condition| condition.status == status)?;
            Some((condition.reason.clone()?, condition.message.clone()?))
        })
        .await
    }

    /// Waits until there is no such condition.
    pub(crate) async fn no_condition(&self, type_: &str) {
        until(&format!("no {type_}"), || async {
            let conditions = self.set().await.status?.conditions;
            find(&conditions, type_).is_none().then_some(())
        })
        .await;
    }

    /// Reasons and notes of the Events about the set, oldest first.
    pub(crate) async fn events(&self) -> Vec<(String, String)> {
        let mut events = self
            .api::<Event>()
            .list(&ListParams::default())
            .await
            .unwrap()
            .items;
        events.retain(|event| {
            event
                .regarding
                .as_ref()
                .is_some_and(|about| about.name.as_deref() == Some(SET))
        });
        events.sort_by_key(|event| event.event_time.clone().map(|time| time.0));
        events
            .into_iter()
            .map(|event| (event.reason.unwrap(), event.note.unwrap()))
            .collect()
    }

    /// A controller and a kubelet that run until `test` is done.
    pub(crate) async fn with_controller<T>(&self, test: impl Future<Output = T>) -> T {
        tokio::select! {
            ended = test_parts::run(self.client.clone(), false, None) => panic!("the controller ended: {ended:?}"),
            () = kubelet::run(self.client.clone()) => panic!("the kubelet ended"),
            done = test => done,
        }
    }
}

/// A new namespace.
pub(crate) async fn namespace(client: &Client) -> String {
    let name = format!("test-{}", COUNT.fetch_add(1, Ordering::SeqCst));
    let object: Namespace = serde_json::from_value(json!({"metadata": {"name": name}})).unwrap();
    let api: Api<Namespace> = Api::all(client.clone());
    api.create(&PostParams::default(), &object).await.unwrap();
    name
}
