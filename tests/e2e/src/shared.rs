//! Manifests that managed and unmanaged databases have in common.

use serde_json::{Value, json};

use crate::Objects;

impl Objects {
    /// Creates the autoscaler `<database>-storage`, which goes by thresholds alone: volumes that tests fill at once would grow by
    /// their rate before they cross one. `storage` is merged over `defaults`.
    ///
    /// # Errors
    /// The API server's refusal.
    pub(crate) async fn autoscale(
        &self,
        database: &str,
        defaults: Value,
        storage: Value,
    ) -> anyhow::Result<()> {
        let manifest = json!({
            "apiVersion": "autoscaling.kubedb.com/v1alpha1", "kind": "PostgresAutoscaler",
            "metadata": {"name": format!("{database}-storage"), "namespace": self.namespace(),
                         "annotations": {"highwater.dev/time-to-full": "Off"}},
            "spec": {"databaseRef": {"name": database}, "storage": {"postgres": merged(defaults, storage)}},
        });
        self.apply(&manifest).await.map(drop)
    }

    /// Sets how much storage the claims of the namespace may ask for together.
    ///
    /// # Errors
    /// The API server's refusal.
    pub async fn storage_quota(&self, storage: &str) -> anyhow::Result<()> {
        let manifest = json!({
            "apiVersion": "v1", "kind": "ResourceQuota",
            "metadata": {"name": "storage", "namespace": self.namespace()},
            "spec": {"hard": {"requests.storage": storage}},
        });
        self.apply(&manifest).await.map(drop)
    }
}

/// The fields of `base`, those of `more` in their place or beside them.
pub(crate) fn merged(mut base: Value, more: Value) -> Value {
    if let (Some(base), Value::Object(more)) = (base.as_object_mut(), more) {
        base.extend(more);
    }
    base
}
