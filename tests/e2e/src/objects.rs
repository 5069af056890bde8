//! Objects as a user writes and reads them: JSON in, JSON out, in one namespace.

use anyhow::Context;
use kube::{
    Api, Client, ResourceExt,
    api::{DeleteParams, DynamicObject, ListParams, Patch, PatchParams},
    core::{ApiResource, GroupVersionKind},
};
use serde_json::Value;

/// A kind and its plural: enough to address it without discovery.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    plural: &'static str,
    namespaced: bool,
}

/// The kinds that the tests touch.
pub mod kinds {
    use super::Kind;

    const fn kind(
        group: &'static str,
        version: &'static str,
        kind: &'static str,
        plural: &'static str,
        namespaced: bool,
    ) -> Kind {
        Kind {
            group,
            version,
            kind,
            plural,
            namespaced,
        }
    }

    /// v1 Namespace
    pub const NAMESPACE: Kind = kind("", "v1", "Namespace", "namespaces", false);
    /// v1 Pod
    pub const POD: Kind = kind("", "v1", "Pod", "pods", true);
    /// v1 PersistentVolumeClaim
    pub const CLAIM: Kind = kind("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", true);
    /// v1 PersistentVolume
    pub const VOLUME: Kind = kind("", "v1", "PersistentVolume", "persistentvolumes", false);
    /// v1 Secret
    pub const SECRET: Kind = kind("", "v1", "Secret", "secrets", true);
    /// v1 Service
    pub const SERVICE: Kind = kind("", "v1", "Service", "services", true);
    /// v1 ResourceQuota
    pub const QUOTA: Kind = kind("", "v1", "ResourceQuota", "resourcequotas", true);
    /// events.k8s.io/v1 Event
    pub const EVENT: Kind = kind("events.k8s.io", "v1", "Event", "events", true);
    /// kubedb.com/v1 Postgres
    pub const POSTGRES: Kind = kind("kubedb.com", "v1", "Postgres", "postgreses", true);
    /// apps.k8s.appscode.com/v1 PetSet
    pub const PETSET: Kind = kind("apps.k8s.appscode.com", "v1", "PetSet", "petsets", true);
    /// autoscaling.kubedb.com/v1alpha1 PostgresAutoscaler
    pub const AUTOSCALER: Kind = kind(
        "autoscaling.kubedb.com",
        "v1alpha1",
        "PostgresAutoscaler",
        "postgresautoscalers",
        true,
    );
    /// ops.kubedb.com/v1alpha1 PostgresOpsRequest
    pub const REQUEST: Kind = kind(
        "ops.kubedb.com",
        "v1alpha1",
        "PostgresOpsRequest",
        "postgresopsrequests",
        true,
    );
    /// highwater.dev/v1alpha1 StorageProfile
    pub const PROFILE: Kind = kind(
        "highwater.dev",
        "v1alpha1",
        "StorageProfile",
        "storageprofiles",
        false,
    );

    /// v1 ConfigMap
    pub const CONFIG: Kind = kind("", "v1", "ConfigMap", "configmaps", true);
    /// catalog.kubedb.com/v1alpha1 PostgresVersion
    pub const VERSION: Kind = kind(
        "catalog.kubedb.com",
        "v1alpha1",
        "PostgresVersion",
        "postgresversions",
        false,
    );

    /// storage.k8s.io/v1 StorageClass
    pub const CLASS: Kind = kind("storage.k8s.io", "v1", "StorageClass", "storageclasses", false);
    /// storage.k8s.io/v1 CSIDriver
    pub const CSI_DRIVER: Kind = kind("storage.k8s.io", "v1", "CSIDriver", "csidrivers", false);
    /// storage.k8s.io/v1 CSINode
    pub const CSI_NODE: Kind = kind("storage.k8s.io", "v1", "CSINode", "csinodes", false);

    /// All of the above.
    pub const ALL: &[Kind] = &[
        NAMESPACE, POD, CLAIM, VOLUME, SECRET, SERVICE, QUOTA, EVENT, POSTGRES, PETSET, AUTOSCALER, REQUEST,
        PROFILE, CONFIG, VERSION, CLASS, CSI_DRIVER, CSI_NODE,
    ];
}

impl Kind {
    fn resource(&self) -> ApiResource {
        ApiResource::from_gvk_with_plural(
            &GroupVersionKind::gvk(self.group, self.version, self.kind),
            self.plural,
        )
    }
}

/// One namespace of the cluster.
#[derive(Clone)]
pub struct Objects {
    client: Client,
    namespace: String,
}

impl Objects {
    /// The objects of `namespace`.
    #[must_use]
    pub fn new(client: Client, namespace: &str) -> Objects {
        Objects {
            client,
            namespace: namespace.to_owned(),
        }
    }

    /// The namespace's name.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The client behind it.
    #[must_use]
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// An API handle for `kind`.
    #[must_use]
    pub fn api(&self, kind: &Kind) -> Api<DynamicObject> {
        if kind.namespaced {
            Api::namespaced_with(self.client.clone(), &self.namespace, &kind.resource())
        } else {
            Api::all_with(self.client.clone(), &kind.resource())
        }
    }

    /// Applies a manifest as `kubectl apply --server-side --force-conflicts` does, as the given user would re-apply it from Git.
    ///
    /// # Errors
    /// The API server's refusal, naming kind and object.
    pub async fn apply(&self, manifest: &Value) -> anyhow::Result<DynamicObject> {
        let word = |path: &str| manifest.pointer(path).and_then(Value::as_str).unwrap_or_default();
        let (version, kind, name) = (word("/apiVersion"), word("/kind"), word("/metadata/name"));
        let known = kinds::ALL
            .iter()
            .find(|k| k.kind == kind)
            .with_context(|| format!("{version} {kind} is not in kinds"))?;
        let params = PatchParams::apply("e2e").force();
        self.api(known)
            .patch(name, &params, &Patch::Apply(manifest))
            .await
            .with_context(|| format!("apply {kind} {name}"))
    }

    /// The object as JSON.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn get(&self, kind: &Kind, name: &str) -> anyhow::Result<Value> {
        let object = self
            .api(kind)
            .get(name)
            .await
            .with_context(|| format!("get {} {name}", kind.kind))?;
        Ok(serde_json::to_value(object)?)
    }

    /// All objects of a kind as JSON.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn list(&self, kind: &Kind) -> anyhow::Result<Vec<Value>> {
        let list = self
            .api(kind)
            .list(&ListParams::default())
            .await
            .with_context(|| format!("list {}", kind.plural))?;
        list.items
            .into_iter()
            .map(|o| Ok(serde_json::to_value(o)?))
            .collect()
    }

    /// Merge-patches the object.
    ///
    /// # Errors
    /// The API server's refusal.
    pub async fn merge(&self, kind: &Kind, name: &str, patch: &Value) -> anyhow::Result<DynamicObject> {
        let patched = self
            .api(kind)
            .patch(name, &PatchParams::default(), &Patch::Merge(patch))
            .await;
        patched.with_context(|| format!("patch {} {name}", kind.kind))
    }

    /// Asks for the object's deletion, in the background; one that is gone already is fine.
    ///
    /// # Errors
    /// The API server's refusal.
    pub async fn delete(&self, kind: &Kind, name: &str) -> anyhow::Result<()> {
        match self.api(kind).delete(name, &DeleteParams::background()).await {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            Err(error) => Err(error).with_context(|| format!("delete {} {name}", kind.kind)),
        }
    }

    /// Deletes the object and waits until it is gone.
    ///
    /// # Errors
    /// The API server's refusal, or when it stays.
    pub async fn remove(&self, kind: &Kind, name: &str) -> anyhow::Result<()> {
        self.delete(kind, name).await?;
        self.until(kind, name, "gone", |seen| seen.is_none())
            .await
            .map(drop)
    }

    /// Prints what a person would look at after a failure.
    pub async fn dump(&self) {
        for kind in [
            kinds::POSTGRES,
            kinds::AUTOSCALER,
            kinds::REQUEST,
            kinds::CLAIM,
            kinds::POD,
            kinds::EVENT,
        ] {
            let listed = self.api(&kind).list(&ListParams::default()).await;
            for object in listed.into_iter().flatten() {
                let data = match kind.plural {
                    "events" => format!(
                        "{} {} {}",
                        object.data["regarding"]["name"], object.data["reason"], object.data["note"]
                    ),
                    "pods" => object.data["status"]["containerStatuses"].to_string(),
                    _ => format!("{} {}", object.data["spec"], object.data["status"]),
                };
                println!("{} {}/{}: {data}", kind.kind, self.namespace, object.name_any());
            }
        }
    }
}
