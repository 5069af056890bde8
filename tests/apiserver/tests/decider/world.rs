//! A namespace with databases in it, as a provisioner leaves them.

use std::sync::Arc;

use kube::Client;
use serde_json::{Value, json};

use crate::{
    agent::{Agent, Pods},
    bed::Bed,
    server::{get, send, try_get, until},
};

pub(crate) const MIB: u64 = 1 << 20;
pub(crate) const GIB: u64 = 1 << 30;

/// So many percent of a size, rounded up.
pub(crate) const fn percent(percent: u64, size: u64) -> u64 {
    (size * percent).div_ceil(100)
}

/// A namespace.
pub(crate) struct World {
    pub(crate) client: Client,
    pub(crate) ns: String,
    pods: Pods,
}

impl World {
    pub(crate) async fn new(bed: &Bed, name: &str) -> Self {
        let client = bed.client.clone();
        send(
            &client,
            "POST",
            "/api/v1/namespaces",
            &json!({"metadata": {"name": name}}),
        )
        .await;
        Self {
            client,
            ns: name.to_owned(),
            pods: Pods::default(),
        }
    }

    /// The agent of the node that all pods are on; it knows the pods that there are when it is told of a volume.
    pub(crate) fn agent(&self) -> Agent {
        self.agent_of("node-1")
    }

    /// The agent of any node.
    pub(crate) fn agent_of(&self, node: &'static str) -> Agent {
        Agent::new(node, Arc::clone(&self.pods))
    }

    /// A Postgres of `members` members of 1 GiB: claims bound to volumes, and pods that use them.
    pub(crate) async fn database(&self, name: &str, members: u32) {
        self.postgres(name).await;
        for ordinal in 0..members {
            self.member(name, ordinal, "fast").await;
        }
    }

    pub(crate) async fn postgres(&self, name: &str) {
        let postgres = json!({
            "apiVersion": "kubedb.com/v1", "kind": "Postgres", "metadata": {"name": name},
            "spec": {"version": "15", "replicas": 1, "storageType": "Durable", "storage": {
                "accessModes": ["ReadWriteOnce"], "storageClassName": "fast",
                "resources": {"requests": {"storage": "1Gi"}}}},
        });
        send(
            &self.client,
            "POST",
            &self.path("kubedb.com/v1", "postgreses", ""),
            &postgres,
        )
        .await;
    }

    pub(crate) async fn member(&self, database: &str, ordinal: u32, class: &str) {
        let (claim, pv) = (format!("data-{database}-{ordinal}"), self.pv(database, ordinal));
        let made = send(
            &self.client,
            "POST",
            &self.core("persistentvolumeclaims", ""),
            &json!({"metadata": {"name": claim}, "spec": {
                "accessModes": ["ReadWriteOnce"], "storageClassName": class, "volumeName": pv,
                "resources": {"requests": {"storage": "1Gi"}}}}),
        )
        .await;
        let volume = json!({"metadata": {"name": pv}, "spec": {
            "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, "storageClassName": class,
            "csi": {"driver": "loop.test", "volumeHandle": pv},
            "claimRef": {"kind": "PersistentVolumeClaim", "apiVersion": "v1", "namespace": self.ns, "name": claim,
                         "uid": made["metadata"]["uid"]}}});
        send(&self.client, "POST", "/api/v1/persistentvolumes", &volume).await;
        let bound = json!({"status": {"phase": "Bound", "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"]}});
        send(
            &self.client,
            "PATCH",
            &self.core("persistentvolumeclaims", &format!("{claim}/status")),
            &bound,
        )
        .await;
        self.pod_named(
            &format!("{database}-{ordinal}"),
            database,
            ordinal,
            Some("node-1"),
        )
        .await;
    }

    /// A pod that mounts a member's claim, on a node or waiting for one.
    pub(crate) async fn pod_named(&self, name: &str, database: &str, ordinal: u32, node: Option<&str>) {
        let claim = format!("data-{database}-{ordinal}");
        let pod = json!({"metadata": {"name": name}, "spec": {
            "nodeName": node, "containers": [{"name": "postgres", "image": "postgres"}],
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]}});
        let made = send(&self.client, "POST", &self.core("pods", ""), &pod).await;
        let uid = made["metadata"]["uid"].as_str().unwrap().to_owned();
        self.pods.lock().unwrap().insert(self.pv(database, ordinal), uid);
    }

    /// The PersistentVolume of a member; volumes have no namespace.
    pub(crate) fn pv(&self, database: &str, ordinal: u32) -> String {
        format!("pv-{}-{database}-{ordinal}", self.ns)
    }

    /// An autoscaler with trigger On, its storage section merged with `storage`.
    pub(crate) async fn autoscaler(&self, name: &str, database: &str, storage: Value) {
        self.autoscaler_with(name, database, storage, json!({})).await;
    }

    pub(crate) async fn autoscaler_with(
        &self,
        name: &str,
        database: &str,
        storage: Value,
        annotations: Value,
    ) {
        let mut section = json!({"trigger": "On", "expansionMode": "Online"});
        section
            .as_object_mut()
            .unwrap()
            .extend(storage.as_object().unwrap().clone());
        // What is played here jumps from one usage to the next: by its rate alone it would grow at once.
        let mut by_threshold = json!({"highwater.dev/time-to-full": "Off"});
        by_threshold
            .as_object_mut()
            .unwrap()
            .extend(annotations.as_object().unwrap().clone());
        let autoscaler = json!({
            "apiVersion": "autoscaling.kubedb.com/v1alpha1", "kind": "PostgresAutoscaler",
            "metadata": {"name": name, "annotations": by_threshold},
            "spec": {"databaseRef": {"name": database}, "storage": {"postgres": section},
                     "opsRequestOptions": {"timeout": "7m", "maxRetries": 3}},
        });
        send(&self.client, "POST", &self.autoscalers(""), &autoscaler).await;
    }

    pub(crate) async fn get_autoscaler(&self, name: &str) -> Value {
        get(&self.client, &self.autoscalers(name)).await
    }

    /// Waits until the autoscaler's status says this reason, and returns the autoscaler.
    pub(crate) async fn reason(&self, name: &str, reason: &str) -> Value {
        let mut last = Value::Null;
        let waited = tokio::time::timeout(crate::server::DEADLINE, async {
            loop {
                last = self.get_autoscaler(name).await;
                if last["status"]["reason"] == reason {
                    return;
                }
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        })
        .await;
        assert!(waited.is_ok(), "never {reason}: {:#}", last["status"]);
        last
    }

    /// All requests of the namespace, by the size they ask for.
    pub(crate) async fn requests(&self) -> Vec<Value> {
        let list = get(&self.client, &self.ops("")).await;
        let mut items = list["items"].as_array().unwrap().clone();
        let size = |item: &Value| {
            let text = item["spec"]["volumeExpansion"]["postgres"].as_str().unwrap();
            units::Bytes::parse_quantity(text).unwrap()
        };
        items.sort_by_key(size);
        items
    }

    /// Waits for so many requests.
    pub(crate) async fn requests_are(&self, count: usize) -> Vec<Value> {
        until(&format!("{count} requests"), async || {
            self.requests().await.len() == count
        })
        .await;
        self.requests().await
    }

    /// Waits until a request is in this phase.
    pub(crate) async fn phase(&self, request: &Value, phase: &str) {
        let name = request["metadata"]["name"].as_str().unwrap();
        until(&format!("{name} {phase}"), async || {
            get(&self.client, &self.ops(name)).await["status"]["phase"] == phase
        })
        .await;
    }

    pub(crate) async fn patch_claim(&self, claim: &str, patch: Value) {
        send(
            &self.client,
            "PATCH",
            &self.core("persistentvolumeclaims", claim),
            &patch,
        )
        .await;
    }

    pub(crate) async fn delete_autoscaler(&self, name: &str) {
        send(&self.client, "DELETE", &self.autoscalers(name), &json!({})).await;
    }

    /// Whether an Event of this reason is told about this object.
    pub(crate) async fn has_event(&self, about: &str, reason: &str) -> bool {
        !self.events(about, reason).await.is_empty()
    }

    /// The Events of this reason about this object, oldest first.
    pub(crate) async fn events(&self, about: &str, reason: &str) -> Vec<Value> {
        let path = format!("/apis/events.k8s.io/v1/namespaces/{}/events", self.ns);
        let mut list = try_get(&self.client, &path).await.unwrap_or_default();
        let mut items = list["items"]
            .as_array_mut()
            .map(std::mem::take)
            .unwrap_or_default();
        items.retain(|e| e["regarding"]["name"] == about && e["reason"] == reason);
        items.sort_by_key(|e| e["eventTime"].to_string());
        items
    }

    pub(crate) fn core(&self, plural: &str, name: &str) -> String {
        join(format!("/api/v1/namespaces/{}/{plural}", self.ns), name)
    }

    pub(crate) fn path(&self, group: &str, plural: &str, name: &str) -> String {
        join(format!("/apis/{group}/namespaces/{}/{plural}", self.ns), name)
    }

    pub(crate) fn autoscalers(&self, name: &str) -> String {
        self.path("autoscaling.kubedb.com/v1alpha1", "postgresautoscalers", name)
    }

    pub(crate) fn ops(&self, name: &str) -> String {
        self.path("ops.kubedb.com/v1alpha1", "postgresopsrequests", name)
    }
}

fn join(folder: String, name: &str) -> String {
    if name.is_empty() {
        folder
    } else {
        format!("{folder}/{name}")
    }
}

/// The condition of this type.
pub(crate) fn condition<'a>(object: &'a Value, type_: &str) -> Option<&'a Value> {
    object["status"]["conditions"]
        .as_array()?
        .iter()
        .find(|c| c["type"] == type_)
}
