//! What PetSet controller, kubelet and Patroni would do.

use api::petset::v1::PetSet;
use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolumeClaim, Pod};
use kube::{
    Resource, ResourceExt,
    api::{DeleteParams, ListParams, Patch, PatchParams},
};
use serde_json::{Value, json};

use crate::world::{DATABASE, World};

pub(crate) fn pod(ordinal: i32) -> String {
    format!("{DATABASE}-{ordinal}")
}

pub(crate) fn claim(ordinal: i32) -> String {
    format!("data-{DATABASE}-{ordinal}")
}

impl World {
    /// Claims and ready pods of the set, once it is there; the first leads.
    pub(crate) async fn members_run(&self) {
        let set: PetSet = self.there(DATABASE).await;
        let count = set.spec.replicas.unwrap();
        for ordinal in 0..count {
            self.claim_exists(&set, ordinal).await;
            self.pod_runs(&set, ordinal).await;
        }
        self.leads(0).await;
        for ordinal in 0..count {
            let role = if ordinal == 0 { "primary" } else { "standby" };
            self.role(ordinal, json!(role)).await;
        }
    }

    pub(crate) async fn claim_exists(&self, set: &PetSet, ordinal: i32) {
        let Some((_, template)) = set.spec.claim_template("data") else {
            return;
        };
        let name = claim(ordinal);
        self.create::<PersistentVolumeClaim>(json!({
            "metadata": {"name": name, "labels": set.spec.selector.match_labels}, "spec": template.spec
        }))
        .await;
        let size = json!({"storage": template.spec.storage().unwrap().unwrap().to_string()});
        self.claim_status(ordinal, json!({"phase": "Bound", "capacity": size}))
            .await;
    }

    /// A claim of a member that was scaled up elsewhere.
    pub(crate) async fn claim_exists_as(&self, ordinal: i32, size: &str) {
        self.create::<PersistentVolumeClaim>(json!({
            "metadata": {"name": claim(ordinal), "labels": {"postgreses.kubedb.com/database.cluster": DATABASE}},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}
        }))
        .await;
    }

    pub(crate) async fn claim_status(&self, ordinal: i32, status: Value) {
        let patch = Patch::Merge(json!({"status": status}));
        let api = self.api::<PersistentVolumeClaim>();
        api.patch_status(&claim(ordinal), &PatchParams::default(), &patch)
            .await
            .unwrap();
    }

    async fn pod_runs(&self, set: &PetSet, ordinal: i32) {
        let owner = json!([{"apiVersion": "apps.k8s.appscode.com/v1", "kind": "PetSet", "name": DATABASE,
            "uid": set.uid(), "controller": true, "blockOwnerDeletion": true}]);
        let mut spec = set.spec.template["spec"].clone();
        let mut volumes = spec["volumes"].as_array().cloned().unwrap_or_default();
        if set.spec.claim_template("data").is_some() {
            volumes.push(json!({"name": "data", "persistentVolumeClaim": {"claimName": claim(ordinal)}}));
        }
        spec["volumes"] = json!(volumes);
        spec["nodeName"] = json!("nowhere");
        let labels = set.spec.template["metadata"]["labels"].clone();
        self.create::<Pod>(json!({
            "metadata": {"name": pod(ordinal), "labels": labels, "ownerReferences": owner}, "spec": spec
        }))
        .await;
        self.ready(ordinal, true).await;
    }

    pub(crate) async fn ready(&self, ordinal: i32, ready: bool) {
        let word = if ready { "True" } else { "False" };
        let status = json!({"phase": "Running", "podIP": format!("127.0.0.{}", ordinal + 1),
            "podIPs": [{"ip": format!("127.0.0.{}", ordinal + 1)}],
            "conditions": [{"type": "Ready", "status": word}]});
        self.pod_status(ordinal, status).await;
    }

    pub(crate) async fn pod_status(&self, ordinal: i32, status: Value) {
        let patch = Patch::Merge(json!({"status": status}));
        let api = self.api::<Pod>();
        api.patch_status(&pod(ordinal), &PatchParams::default(), &patch)
            .await
            .unwrap();
    }

    pub(crate) async fn role(&self, ordinal: i32, role: Value) {
        self.patch::<Pod>(
            &pod(ordinal),
            json!({"metadata": {"labels": {"kubedb.com/role": role}}}),
        )
        .await;
    }

    /// Patroni's store names this member, and has the other maps.
    pub(crate) async fn leads(&self, ordinal: i32) {
        for map in ["config", "leader", "failover", "sync"] {
            let name = format!("{DATABASE}-{map}");
            let value = json!({"metadata": {"name": name,
                "labels": {"postgreses.kubedb.com/database.cluster": DATABASE},
                "annotations": {"leader": pod(ordinal), "initialize": "7"}}});
            let patch =
                Patch::Apply(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": value["metadata"]}));
            let params = PatchParams::apply("patroni").force();
            self.api::<ConfigMap>()
                .patch(&name, &params, &patch)
                .await
                .unwrap();
        }
    }

    /// What Kubernetes does with the pods of a set that is gone.
    pub(crate) async fn pods_end(&self) {
        let pods = self.api::<Pod>();
        let params = DeleteParams::default().grace_period(0);
        for pod in pods.list(&ListParams::default()).await.unwrap() {
            pods.delete(&pod.name_any(), &params).await.unwrap();
        }
    }

    /// Names of the objects of a kind.
    pub(crate) async fn names<K>(&self) -> Vec<String>
    where
        K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>
            + serde::de::DeserializeOwned
            + Clone
            + std::fmt::Debug,
    {
        let list = self.api::<K>().list(&ListParams::default()).await.unwrap();
        let mut names: Vec<_> = list.into_iter().map(|object| object.name_any()).collect();
        names.sort();
        names
    }
}
