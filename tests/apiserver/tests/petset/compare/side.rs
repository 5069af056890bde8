//! One of the two, and how an operation is done with it.

use std::sync::atomic::{AtomicI32, Ordering};

use k8s_openapi::{
    NamespaceResourceScope,
    api::core::v1::{PersistentVolumeClaim, Pod},
};
use kube::{
    Api, Client, Resource,
    api::{
        ApiResource, DeleteParams, DynamicObject, GroupVersionKind, Patch, PatchParams, PostParams,
        PropagationPolicy,
    },
};
use serde_json::{Value, json};

use super::script::{Op, Setup};
use crate::{
    server::until,
    world::{SET, set},
};

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    StatefulSet,
    PetSet,
}

/// A set in a namespace of its own.
pub(crate) struct Side {
    pub(crate) client: Client,
    pub(crate) namespace: String,
    kind: Kind,
    start: AtomicI32,
}

impl Side {
    pub(crate) fn new(client: Client, namespace: String, kind: Kind) -> Self {
        Side {
            client,
            namespace,
            kind,
            start: AtomicI32::new(0),
        }
    }

    fn resource(&self) -> ApiResource {
        let (group, version, kind) = match self.kind {
            Kind::StatefulSet => ("apps", "v1", "StatefulSet"),
            Kind::PetSet => ("apps.k8s.appscode.com", "v1", "PetSet"),
        };
        ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind))
    }

    pub(crate) fn sets(&self) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &self.namespace, &self.resource())
    }

    pub(crate) fn api<K>(&self) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    pub(crate) async fn create(&self, setup: &Setup) {
        self.start.store(setup.start(), Ordering::Relaxed);
        let object = DynamicObject::new(SET, &self.resource()).data(json!({"spec": set(0, setup.merge())}));
        self.sets().create(&PostParams::default(), &object).await.unwrap();
    }

    /// With its pods, so that the machine has less to watch.
    pub(crate) async fn remove(&self) {
        let params = DeleteParams {
            propagation_policy: Some(PropagationPolicy::Background),
            ..DeleteParams::default()
        };
        drop(self.sets().delete(SET, &params).await);
    }

    /// Does it, and waits until what was deleted is gone, or on its way.
    pub(crate) async fn apply(&self, op: &Op) {
        let name = |place: &i32| format!("{SET}-{}", self.start.load(Ordering::Relaxed) + place);
        match op {
            Op::Scale(replicas) => self.patch(json!({"replicas": replicas})).await,
            Op::Image(image) => {
                let containers = json!([{"name": "main", "image": image}]);
                self.patch(json!({"template": {"spec": {"containers": containers}}}))
                    .await;
            }
            Op::Partition(partition) => {
                let strategy = json!({"type": "RollingUpdate", "rollingUpdate": {"partition": partition}});
                self.patch(json!({"updateStrategy": strategy})).await;
            }
            Op::OnDelete => {
                self.patch(json!({"updateStrategy": {"type": "OnDelete", "rollingUpdate": null}}))
                    .await;
            }
            Op::DeletePod(place) => {
                let pod = name(place);
                if let Some(uid) = self.uid(&pod).await {
                    drop(self.api::<Pod>().delete(&pod, &DeleteParams::default()).await);
                    self.gone(&pod, &uid).await;
                }
            }
            Op::FailPod(place) => {
                let pod = name(place);
                if let Some(uid) = self.uid(&pod).await {
                    let failed =
                        json!({"metadata": {"uid": uid}, "status": {"phase": "Failed", "conditions": null}});
                    let patch = Patch::Merge(failed);
                    drop(
                        self.api::<Pod>()
                            .patch_status(&pod, &PatchParams::default(), &patch)
                            .await,
                    );
                }
            }
            Op::DeleteClaim(place) => {
                let claim = format!("data-{}", name(place));
                drop(
                    self.api::<PersistentVolumeClaim>()
                        .delete(&claim, &DeleteParams::default())
                        .await,
                );
            }
        }
    }

    async fn patch(&self, spec: Value) {
        let patch = Patch::Merge(json!({"spec": spec}));
        self.sets()
            .patch(SET, &PatchParams::default(), &patch)
            .await
            .unwrap();
    }

    async fn uid(&self, pod: &str) -> Option<String> {
        self.api::<Pod>().get_opt(pod).await.unwrap()?.metadata.uid
    }

    async fn gone(&self, pod: &str, uid: &str) {
        until(&format!("{pod} gone"), || async {
            (self.uid(pod).await.as_deref() != Some(uid)).then_some(())
        })
        .await;
    }
}
