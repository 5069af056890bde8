//! What is known of an installation.

use std::collections::BTreeSet;

use api::view::{Answer, Database, Nodes};
use jiff::Timestamp;

/// A thing, or why it is not known.
pub(crate) type Known<T> = Result<T, String>;

/// All that the checks look at.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    /// Where Highwater should be.
    pub(crate) namespace: String,
    /// This machine's clock.
    pub(crate) here: Timestamp,
    /// The API server's, to the second.
    pub(crate) there: Known<Timestamp>,
    pub(crate) definitions: Known<Vec<Definition>>,
    /// Deployments, DaemonSets and StatefulSets of the cluster.
    pub(crate) workloads: Known<Vec<Workload>>,
    pub(crate) leases: Known<Vec<Lease>>,
    pub(crate) priority_class: Known<bool>,
    pub(crate) classes: Known<Vec<Class>>,
    /// Pods of Highwater's agents.
    pub(crate) agents: Known<Vec<Pod>>,
    /// Pods that use claims, in namespaces with an autoscaler.
    pub(crate) pods: Known<Vec<Pod>>,
    /// VolumeExpansion requests that are not finished.
    pub(crate) requests: Known<Vec<Request>>,
    /// Whether this user may ask the view.
    pub(crate) may_ask: Known<bool>,
    pub(crate) databases: Known<Answer<Vec<Database>>>,
    pub(crate) nodes: Known<Answer<Nodes>>,
}

/// A custom resource definition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Definition {
    pub(crate) name: String,
    /// Its versions that are served.
    pub(crate) served: Vec<String>,
    pub(crate) established: bool,
    /// It is Highwater's own, not KubeDB's.
    pub(crate) ours: bool,
}

/// A set of pods.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Workload {
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// Label `app.kubernetes.io/name`.
    pub(crate) app: String,
    pub(crate) wanted: i32,
    pub(crate) ready: i32,
    /// Of its first container.
    pub(crate) image: String,
}

/// A Lease.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Lease {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) holder: String,
    pub(crate) renewed: Option<Timestamp>,
    /// In seconds.
    pub(crate) lasts: i32,
}

/// A StorageClass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Class {
    pub(crate) name: String,
    pub(crate) provisioner: String,
    pub(crate) expandable: bool,
}

/// A pod.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Pod {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) node: String,
    pub(crate) ready: bool,
    pub(crate) claims: Vec<String>,
}

/// A request that is not finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    /// `namespace/name`.
    pub(crate) name: String,
    pub(crate) created: Timestamp,
    /// What it waits for, in its own words.
    pub(crate) says: String,
}

impl Facts {
    /// What time it is; the API server's word goes before this machine's.
    pub(crate) fn now(&self) -> Timestamp {
        self.there.as_ref().map_or(self.here, |there| *there)
    }

    /// One of Highwater's own workloads.
    pub(crate) fn ours(&self, component: &str) -> Option<&Workload> {
        let name = format!("highwater-{component}");
        let all = self.workloads.as_ref().ok()?;
        all.iter()
            .find(|w| w.namespace == self.namespace && w.name == name)
    }

    /// Names of the storage classes that databases with an autoscaler use.
    pub(crate) fn classes_in_use(&self) -> Result<BTreeSet<&str>, &str> {
        let answer = self.databases.as_ref().map_err(String::as_str)?;
        let volumes = answer.content.iter().flat_map(|d| &d.volumes);
        Ok(volumes
            .map(|v| v.storage_class.as_str())
            .filter(|c| !c.is_empty())
            .collect())
    }
}
