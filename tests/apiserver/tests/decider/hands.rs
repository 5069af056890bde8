//! The hands that play scheduler, kubelet, executor and driver.

use serde_json::{Value, json};

use crate::{server::send, world::World};

impl World {
    /// Plays the kubelet: a pod of this name is no more.
    pub(crate) async fn delete_pod(&self, name: &str) {
        let now = json!({"gracePeriodSeconds": 0});
        send(&self.client, "DELETE", &self.core("pods", name), &now).await;
    }

    /// Plays the scheduler.
    pub(crate) async fn bind(&self, pod: &str, node: &str) {
        let binding = json!({"apiVersion": "v1", "kind": "Binding", "metadata": {"name": pod},
                             "target": {"apiVersion": "v1", "kind": "Node", "name": node}});
        let path = self.core("pods", &format!("{pod}/binding"));
        send(&self.client, "POST", &path, &binding).await;
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
}
