//! The objects of a test's database, as provisioner, scheduler and storage would have left them.

use api::{kubedb::v1::Postgres, petset::v1::PetSet};
use k8s_openapi::{
    NamespaceResourceScope,
    api::{
        core::v1::{Namespace, PersistentVolume, PersistentVolumeClaim, Pod},
        storage::v1::StorageClass,
    },
};
use kube::{
    Api, Resource,
    api::{Patch, PatchParams, PostParams},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::world::{DATABASE, Plan, World, claim, pod};

impl World {
    pub(crate) async fn make(&self, plan: Plan) {
        let Plan {
            members,
            expandable,
            mounted,
            managed,
            driver,
        } = plan;
        let ns = &self.namespace;
        let class = format!("class-{ns}");
        self.create_global::<Namespace>(json!({"metadata": {"name": ns}}))
            .await;
        self.create_global::<StorageClass>(json!({
            "metadata": {"name": class}, "provisioner": driver, "allowVolumeExpansion": expandable
        }))
        .await;
        let storage = json!({"storageClassName": class, "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}}});
        self.create::<Postgres>(json!({
            "metadata": {"name": DATABASE},
            "spec": {"version": "16.4", "replicas": members, "storage": storage}
        }))
        .await;
        if managed {
            self.postgres_status(json!({"phase": "Ready", "conditions": [
                {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z", "reason": "R",
                 "message": "of the provisioner"}]}))
            .await;
        }
        self.create::<PetSet>(json!({
            "metadata": {"name": DATABASE},
            "spec": {"serviceName": "x", "selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}},
                "volumeClaimTemplates": [
                    {"metadata": {"name": "logs"}, "spec": {"resources": {"requests": {"storage": "3Gi"}}}},
                    {"metadata": {"name": "data"}, "spec": storage}]}
        }))
        .await;
        for ordinal in 0..members {
            self.member(ordinal, &storage, mounted).await;
        }
    }

    /// A bound claim of this size, unless there is one.
    pub(crate) async fn ensure_claim(&self, ordinal: usize, size: &str) {
        let claims = self.api::<PersistentVolumeClaim>();
        if claims.get_opt(&claim(ordinal)).await.unwrap().is_some() {
            return;
        }
        let storage = json!({"storageClassName": format!("class-{}", self.namespace), "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": size}}});
        self.bound_claim(ordinal, &storage, size).await;
    }

    async fn member(&self, ordinal: usize, storage: &Value, mounted: bool) {
        self.bound_claim(ordinal, storage, "1Gi").await;
        if mounted {
            self.create::<Pod>(json!({
                "metadata": {"name": pod(ordinal)},
                "spec": {"nodeName": "nowhere",
                    "containers": [{"name": "postgres", "image": "none",
                        "volumeMounts": [{"name": "data", "mountPath": "/var/pv"}]}],
                    "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": claim(ordinal)}}]}
            }))
            .await;
        }
    }

    async fn bound_claim(&self, ordinal: usize, storage: &Value, size: &str) {
        let (claim, volume) = (claim(ordinal), self.volume(ordinal));
        let mut spec = storage.clone();
        spec["volumeName"] = json!(volume);
        let object: PersistentVolumeClaim = self
            .create(json!({"metadata": {"name": claim}, "spec": spec}))
            .await;
        let object = json!({
            "metadata": {"name": volume},
            "spec": {
                "capacity": {"storage": size}, "accessModes": ["ReadWriteOnce"],
                "storageClassName": spec["storageClassName"], "persistentVolumeReclaimPolicy": "Retain",
                "csi": {"driver": "test.csi.example", "volumeHandle": volume},
                "claimRef": {"namespace": self.namespace, "name": claim, "uid": object.metadata.uid,
                    "apiVersion": "v1", "kind": "PersistentVolumeClaim"}
            }
        });
        let volumes: Api<PersistentVolume> = Api::all(self.client.clone());
        if volumes.get_opt(&volume).await.unwrap().is_some() {
            // Of an earlier claim of this ordinal.
            let patch = Patch::Merge(json!({"spec": object["spec"]}));
            volumes
                .patch(&volume, &PatchParams::default(), &patch)
                .await
                .unwrap();
        } else {
            self.create_global::<PersistentVolume>(object).await;
        }
        self.claim_status(ordinal, json!({"phase": "Bound", "capacity": {"storage": size}}))
            .await;
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

    pub(crate) async fn create_global<K>(&self, object: Value) -> K
    where
        K: Resource<DynamicType = ()> + Serialize + DeserializeOwned + Clone + std::fmt::Debug,
    {
        let typed: K = serde_json::from_value(object.clone()).unwrap();
        let api: Api<K> = Api::all(self.client.clone());
        api.create(&PostParams::default(), &typed)
            .await
            .unwrap_or_else(|e| panic!("{object}: {e}"))
    }
}
