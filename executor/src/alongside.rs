//! Beside KubeDB: may this process carry out requests, or does KubeDB's own ops-manager?
//!
//! Found by the label that KubeDB's charts put on it (kubedb/installer:charts/kubedb-ops-manager), on a Deployment
//! or StatefulSet with replicas. Looked for at start and every half minute: two that carry out the same requests
//! would undo each other.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use kube::{Api, Client, ResourceExt, api::ListParams};
use runtime::{readiness::Gate, report::Chain};
use tokio::{sync::Notify, time::sleep};
use tokio_util::sync::CancellationToken;

const LABEL: &str = "app.kubernetes.io/name=kubedb-ops-manager";
const PERIOD: Duration = Duration::from_secs(30);

/// Whether requests may be carried out; clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Permission(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    given: AtomicBool,
    changed: Notify,
}

impl Permission {
    /// Given once and for all, or to be given by [`watch`].
    pub(crate) fn new(given: bool) -> Self {
        Self(Arc::new(Shared {
            given: AtomicBool::new(given),
            changed: Notify::new(),
        }))
    }

    pub(crate) fn is_given(&self) -> bool {
        self.0.given.load(Ordering::SeqCst)
    }

    /// Waits until it is given where it was not.
    pub(crate) async fn changed(&self) {
        self.0.changed.notified().await;
    }

    fn set(&self, given: bool) {
        if self.0.given.swap(given, Ordering::SeqCst) != given && given {
            self.0.changed.notify_one();
        }
    }
}

/// Gives and takes the permission until `stop`; readiness names what stands against it.
pub(crate) async fn watch(
    client: Client,
    permission: Permission,
    gate: Gate,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    loop {
        match ops_manager(&client).await {
            Ok(None) => {
                permission.set(true);
                gate.open();
            }
            Ok(Some(name)) => {
                permission.set(false);
                tracing::warn!(
                    name,
                    "KubeDB's ops-manager runs: it carries out the requests, not this process"
                );
                gate.close(format!(
                    "KubeDB's ops-manager {name} runs: scale it to zero, or uninstall this executor"
                ));
            }
            Err(error) => {
                tracing::warn!(error = %Chain(&error), "cannot look for KubeDB's ops-manager");
                if !permission.is_given() {
                    gate.close("cannot look for KubeDB's ops-manager");
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = sleep(PERIOD) => (),
        }
    }
}

/// `<kind> <namespace>/<name>` of an ops-manager with replicas.
pub(crate) async fn ops_manager(client: &Client) -> Result<Option<String>, kube::Error> {
    let params = ListParams::default().labels(LABEL);
    let deployments: Api<Deployment> = Api::all(client.clone());
    for object in deployments.list(&params).await? {
        if object.spec.as_ref().is_none_or(|spec| spec.replicas != Some(0)) {
            return Ok(Some(format!(
                "Deployment {}/{}",
                object.namespace().unwrap_or_default(),
                object.name_any()
            )));
        }
    }
    let sets: Api<StatefulSet> = Api::all(client.clone());
    for object in sets.list(&params).await? {
        if object.spec.as_ref().is_none_or(|spec| spec.replicas != Some(0)) {
            return Ok(Some(format!(
                "StatefulSet {}/{}",
                object.namespace().unwrap_or_default(),
                object.name_any()
            )));
        }
    }
    Ok(None)
}
