//! The objects of the fleet as JSON text, made when somebody asks, of the size that real ones have.

use std::fmt::Write;

use super::super::fleet::{
    CAPACITY, Fleet, MEMBERS, claim, database, namespace, namespace_name, node, pod, pv, uid,
};

/// A kind that the decider watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Volumes,
    Claims,
    Pods,
    Quotas,
    Limits,
    Classes,
    Profiles,
    Postgreses,
    Sets,
    Autoscalers,
    Requests,
}

/// All kinds, each at its place.
pub(super) const KINDS: [Kind; 11] = [
    Kind::Volumes,
    Kind::Claims,
    Kind::Pods,
    Kind::Quotas,
    Kind::Limits,
    Kind::Classes,
    Kind::Profiles,
    Kind::Postgreses,
    Kind::Sets,
    Kind::Autoscalers,
    Kind::Requests,
];

/// Who wrote which field: half of what a real object is.
const MANAGED: &str = r#""managedFields":[{"manager":"kube-controller-manager","operation":"Update","apiVersion":"v1","time":"2026-11-01T10:00:00Z","fieldsType":"FieldsV1","fieldsV1":{"f:metadata":{"f:annotations":{".":{},"f:pv.kubernetes.io/bind-completed":{},"f:volume.kubernetes.io/storage-provisioner":{}},"f:labels":{".":{},"f:app.kubernetes.io/instance":{},"f:app.kubernetes.io/name":{}}},"f:spec":{"f:accessModes":{},"f:resources":{"f:requests":{".":{},"f:storage":{}}},"f:storageClassName":{},"f:volumeMode":{}}}},{"manager":"kubelet","operation":"Update","apiVersion":"v1","time":"2026-11-01T10:00:03Z","fieldsType":"FieldsV1","fieldsV1":{"f:status":{"f:conditions":{".":{},"k:{\"type\":\"Ready\"}":{".":{},"f:lastTransitionTime":{},"f:status":{},"f:type":{}}}}},"subresource":"status"}]"#;

const LABELS: &str = r#""app.kubernetes.io/name":"postgreses.kubedb.com","app.kubernetes.io/managed-by":"kubedb.com","app.kubernetes.io/component":"database""#;

impl Kind {
    /// Path of the kind: group and version, then its plural.
    #[must_use]
    pub(super) const fn path(self) -> (&'static str, &'static str) {
        match self {
            Self::Volumes => ("v1", "persistentvolumes"),
            Self::Claims => ("v1", "persistentvolumeclaims"),
            Self::Pods => ("v1", "pods"),
            Self::Quotas => ("v1", "resourcequotas"),
            Self::Limits => ("v1", "limitranges"),
            Self::Classes => ("storage.k8s.io/v1", "storageclasses"),
            Self::Profiles => ("highwater.dev/v1alpha1", "storageprofiles"),
            Self::Postgreses => ("kubedb.com/v1", "postgreses"),
            Self::Sets => ("apps.k8s.appscode.com/v1", "petsets"),
            Self::Autoscalers => ("autoscaling.kubedb.com/v1alpha1", "postgresautoscalers"),
            Self::Requests => ("ops.kubedb.com/v1alpha1", "postgresopsrequests"),
        }
    }

    /// Its name in an object.
    #[must_use]
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Volumes => "PersistentVolume",
            Self::Claims => "PersistentVolumeClaim",
            Self::Pods => "Pod",
            Self::Quotas => "ResourceQuota",
            Self::Limits => "LimitRange",
            Self::Classes => "StorageClass",
            Self::Profiles => "StorageProfile",
            Self::Postgreses => "Postgres",
            Self::Sets => "PetSet",
            Self::Autoscalers => "PostgresAutoscaler",
            Self::Requests => "PostgresOpsRequest",
        }
    }

    /// How many there are.
    #[must_use]
    pub(super) const fn count(self, fleet: Fleet) -> u32 {
        match self {
            Self::Volumes | Self::Claims | Self::Pods => fleet.volumes(),
            Self::Quotas | Self::Limits => fleet.namespaces(),
            Self::Classes | Self::Profiles => 1,
            Self::Postgreses | Self::Sets | Self::Autoscalers => fleet.databases(),
            Self::Requests => 0,
        }
    }

    /// The object of this kind and number at a version; `status` replaces an autoscaler's, and `version` is in a
    /// profile's spec, so that a touched one is another.
    #[must_use]
    pub(super) fn render(self, fleet: Fleet, index: u32, version: u64, status: Option<&str>) -> String {
        let (group, _) = self.path();
        let mut text = format!(r#"{{"apiVersion":"{group}","kind":"{}","#, self.name());
        let rest = match self {
            Self::Volumes => volume(index, version),
            Self::Claims => claimed(index, version),
            Self::Pods => running(fleet, index, version),
            Self::Quotas => quota(index, version),
            Self::Limits => limit(index, version),
            Self::Classes => format!(
                r#""metadata":{{"name":"fast","uid":"{}","resourceVersion":"{version}"}},"provisioner":"ebs.csi.aws.com","allowVolumeExpansion":true}}"#,
                uid('s', 0)
            ),
            Self::Profiles => format!(
                r#""metadata":{{"name":"fast","uid":"{}","resourceVersion":"{version}"}},"spec":{{"storageClassName":"fast","expectedDuration":"{}ms"}}}}"#,
                uid('f', 0),
                // Versions count all changes, so that few steps would often come out the same.
                30_000 + version % 100_000
            ),
            Self::Postgreses => postgres(index, version),
            Self::Sets => set(index, version),
            Self::Autoscalers => autoscaler(index, version, status.unwrap_or("{}")),
            Self::Requests => "}".to_owned(),
        };
        text.push_str(&rest);
        text
    }
}

/// Metadata of a namespaced object of a database, without its end.
fn metadata(name: &str, kind: char, index: u32, database_index: u32, version: u64) -> String {
    format!(
        r#""metadata":{{"name":"{name}","namespace":"{}","uid":"{}","resourceVersion":"{version}","generation":1,"creationTimestamp":"2026-11-01T10:00:00Z","labels":{{"app.kubernetes.io/instance":"{}",{LABELS}}},{MANAGED}"#,
        namespace(database_index),
        uid(kind, index),
        database(database_index),
    )
}

/// Where an object names its owner, a Postgres.
fn owned(database_index: u32) -> String {
    format!(
        r#","ownerReferences":[{{"apiVersion":"kubedb.com/v1","kind":"Postgres","name":"{}","uid":"{}","controller":true,"blockOwnerDeletion":true}}]"#,
        database(database_index),
        uid('d', database_index),
    )
}

fn volume(index: u32, version: u64) -> String {
    format!(
        r#""metadata":{{"name":"{name}","uid":"{}","resourceVersion":"{version}","creationTimestamp":"2026-11-01T10:00:00Z","annotations":{{"pv.kubernetes.io/provisioned-by":"ebs.csi.aws.com"}},"finalizers":["kubernetes.io/pv-protection"],{MANAGED}}},"spec":{{"capacity":{{"storage":"{CAPACITY}"}},"csi":{{"driver":"ebs.csi.aws.com","volumeHandle":"vol-{index:017x}","fsType":"ext4"}},"accessModes":["ReadWriteOnce"],"claimRef":{{"kind":"PersistentVolumeClaim","namespace":"{}","name":"{}","uid":"{}","apiVersion":"v1"}},"persistentVolumeReclaimPolicy":"Delete","storageClassName":"fast","volumeMode":"Filesystem"}},"status":{{"phase":"Bound"}}}}"#,
        uid('v', index),
        namespace(index / MEMBERS),
        claim(index),
        uid('c', index),
        name = pv(index),
    )
}

fn claimed(index: u32, version: u64) -> String {
    let metadata = metadata(&claim(index), 'c', index, index / MEMBERS, version);
    format!(
        r#"{metadata},"annotations":{{"pv.kubernetes.io/bind-completed":"yes","volume.kubernetes.io/storage-provisioner":"ebs.csi.aws.com"}},"finalizers":["kubernetes.io/pvc-protection"]}},"spec":{{"accessModes":["ReadWriteOnce"],"resources":{{"requests":{{"storage":"{CAPACITY}"}}}},"volumeName":"{}","storageClassName":"fast","volumeMode":"Filesystem"}},"status":{{"phase":"Bound","accessModes":["ReadWriteOnce"],"capacity":{{"storage":"{CAPACITY}"}}}}}}"#,
        pv(index),
    )
}

fn running(fleet: Fleet, index: u32, version: u64) -> String {
    let metadata = metadata(&pod(index), 'p', index, index / MEMBERS, version);
    let mut containers = String::new();
    for name in ["postgres", "pg-coordinator", "exporter"] {
        let comma = if containers.is_empty() { "" } else { "," };
        let written = write!(
            containers,
            r#"{comma}{{"name":"{name}","image":"registry.internal/{name}:15.4","env":[{{"name":"NAMESPACE","valueFrom":{{"fieldRef":{{"apiVersion":"v1","fieldPath":"metadata.namespace"}}}}}},{{"name":"PRIMARY_HOST","value":"{name}"}},{{"name":"SSL","value":"OFF"}}],"resources":{{"requests":{{"cpu":"500m","memory":"1Gi"}},"limits":{{"memory":"1Gi"}}}},"volumeMounts":[{{"name":"data","mountPath":"/var/pv"}},{{"name":"scripts","mountPath":"/run_scripts"}}],"terminationMessagePath":"/dev/termination-log","imagePullPolicy":"IfNotPresent"}}"#
        );
        // Writing into a String does not fail.
        debug_assert!(written.is_ok());
    }
    format!(
        r#"{metadata}}},"spec":{{"volumes":[{{"name":"data","persistentVolumeClaim":{{"claimName":"{}"}}}},{{"name":"scripts","emptyDir":{{}}}}],"containers":[{containers}],"nodeName":"{}","restartPolicy":"Always"}},"status":{{"phase":"Running","podIP":"10.0.0.1","conditions":[{{"type":"Ready","status":"True","lastTransitionTime":"2026-11-01T10:00:30Z"}},{{"type":"ContainersReady","status":"True","lastTransitionTime":"2026-11-01T10:00:30Z"}}]}}}}"#,
        claim(index),
        node(fleet.node_of(index)),
    )
}

fn quota(index: u32, version: u64) -> String {
    format!(
        r#""metadata":{{"name":"storage","namespace":"{}","uid":"{}","resourceVersion":"{version}"}},"spec":{{"hard":{{"requests.storage":"100Ti"}}}},"status":{{"hard":{{"requests.storage":"100Ti"}},"used":{{"requests.storage":"3Ti"}}}}}}"#,
        namespace_name(index),
        uid('q', index),
    )
}

fn limit(index: u32, version: u64) -> String {
    format!(
        r#""metadata":{{"name":"claims","namespace":"{}","uid":"{}","resourceVersion":"{version}"}},"spec":{{"limits":[{{"type":"PersistentVolumeClaim","max":{{"storage":"10Ti"}}}}]}}}}"#,
        namespace_name(index),
        uid('l', index),
    )
}

fn postgres(index: u32, version: u64) -> String {
    let metadata = metadata(&database(index), 'd', index, index, version);
    format!(
        r#"{metadata}}},"spec":{{"version":"15.4","replicas":{MEMBERS},"storageType":"Durable","storage":{{"storageClassName":"fast","accessModes":["ReadWriteOnce"],"resources":{{"requests":{{"storage":"{CAPACITY}"}}}}}},"deletionPolicy":"WipeOut"}},"status":{{"phase":"Ready"}}}}"#
    )
}

fn set(index: u32, version: u64) -> String {
    let metadata = metadata(&database(index), 't', index, index, version);
    format!(
        r#"{metadata}{}}},"spec":{{"replicas":{MEMBERS},"serviceName":"{name}-pods","selector":{{"matchLabels":{{"app.kubernetes.io/instance":"{name}",{LABELS}}}}},"template":{{"spec":{{"containers":[]}}}}}}}}"#,
        owned(index),
        name = database(index),
    )
}

fn autoscaler(index: u32, version: u64, status: &str) -> String {
    let metadata = metadata(&database(index), 'a', index, index, version);
    format!(
        r#"{metadata}{}}},"spec":{{"databaseRef":{{"name":"{}"}},"storage":{{"postgres":{{"trigger":"On","usageThreshold":80,"scalingRules":[{{"appliesUpto":"500Gi","threshold":"50pc"}},{{"appliesUpto":"","threshold":"20pc"}}],"upperBound":"1Ti"}}}}}},"status":{status}}}"#,
        owned(index),
        database(index),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_object_is_json_with_a_name_and_a_version() {
        let fleet = Fleet::of(1);
        for kind in KINDS.into_iter().filter(|kind| kind.count(fleet) > 0) {
            let text = kind.render(fleet, 0, 7, None);
            let object: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(object["metadata"]["resourceVersion"], "7", "{kind:?}");
            assert!(object["metadata"]["name"].is_string(), "{kind:?}");
        }
    }
}
