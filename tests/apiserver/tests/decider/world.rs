//! A namespace with databases in it, and the hands that play provisioner, executor and kubelet.

use kube::Client;
use serde_json::{Value, json};

use crate::bed::{Bed, get, send, try_get, until};

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
        }
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
        let pod = json!({"metadata": {"name": format!("{database}-{ordinal}")}, "spec": {
            "nodeName": "node-1", "containers": [{"name": "postgres", "image": "postgres"}],
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]}});
        send(&self.client, "POST", &self.core("pods", ""), &pod).await;
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
        let autoscaler = json!({
            "apiVersion": "autoscaling.kubedb.com/v1alpha1", "kind": "PostgresAutoscaler",
            "metadata": {"name": name, "annotations": annotations},
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
        let waited = tokio::time::timeout(crate::bed::DEADLINE, async {
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

    /// Plays the executor: the request ends.
    pub(crate) async fn end(&self, request: &Value, phase: &str) {
        let name = request["metadata"]["name"].as_str().unwrap();
        let now = request["metadata"]["creationTimestamp"].clone();
        let status = json!({"status": {"phase": phase, "conditions": [
            {"type": phase, "status": "True", "lastTransitionTime": now}]}});
        send(
            &self.client,
            "PATCH",
            &self.ops(&format!("{name}/status")),
            &status,
        )
        .await;
    }

    /// Plays the executor and the driver: the claim asks for a size and gets it.
    pub(crate) async fn grow_claim(&self, claim: &str, size: &str) {
        let spec = json!({"spec": {"resources": {"requests": {"storage": size}}}});
        send(
            &self.client,
            "PATCH",
            &self.core("persistentvolumeclaims", claim),
            &spec,
        )
        .await;
        let status = json!({"status": {"capacity": {"storage": size}}});
        send(
            &self.client,
            "PATCH",
            &self.core("persistentvolumeclaims", &format!("{claim}/status")),
            &status,
        )
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
        let path = format!("/apis/events.k8s.io/v1/namespaces/{}/events", self.ns);
        let list = try_get(&self.client, &path).await.unwrap_or_default();
        list["items"].as_array().is_some_and(|items| {
            items
                .iter()
                .any(|e| e["regarding"]["name"] == about && e["reason"] == reason)
        })
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
