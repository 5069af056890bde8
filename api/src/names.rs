//! Names that more than one part must agree on: labels, annotations, claims, field managers.
//!
//! KubeDB's are from kubedb/apimachinery (`apis/kubedb`, `apis/ops`); what begins with `highwater.dev/` is ours.

use std::collections::BTreeMap;

/// Name of the Lease by which a csi-resizer of this driver elects a leader, in a namespace of its installer's choice
/// (kubernetes-csi/external-resizer:pkg/util/util.go `SanitizeName`).
#[must_use]
pub fn resizer_lease(driver: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let mut name: String = "external-resizer-"
        .chars()
        .chain(driver.chars().map(plain))
        .collect();
    if name.ends_with('-') {
        name.push('X');
    }
    name
}

/// The claim template that holds PGDATA.
pub const DATA_TEMPLATE: &str = "data";

/// Finalizer of a request that runs.
pub const FINALIZER: &str = "highwater.dev/executor";

/// Label: the application.
pub const LABEL_NAME: &str = "app.kubernetes.io/name";
/// Label: the database.
pub const LABEL_INSTANCE: &str = "app.kubernetes.io/instance";
/// Label: the operator.
pub const LABEL_MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// Label: the part of the application.
pub const LABEL_COMPONENT: &str = "app.kubernetes.io/component";
/// Value of [`LABEL_NAME`] on everything of a Postgres.
pub const NAME_POSTGRES: &str = "postgreses.kubedb.com";
/// Value of [`LABEL_MANAGED_BY`] on everything of a Postgres.
pub const MANAGED_BY_KUBEDB: &str = "kubedb.com";
/// Value of [`LABEL_COMPONENT`] on everything of a Postgres.
pub const COMPONENT_DATABASE: &str = "database";
/// Label: the role of a pod.
pub const LABEL_ROLE: &str = "kubedb.com/role";
/// Label: the group of a read replica.
pub const LABEL_READ_REPLICA: &str = "postgreses.kubedb.com/database.read-replica";
/// Label: whose object this is; only objects that carry it are ours to change beside KubeDB.
pub const LABEL_OWNED_BY: &str = "highwater.dev/owned-by";
/// Value of [`LABEL_OWNED_BY`].
pub const OWNED_BY_HIGHWATER: &str = "highwater";

/// Annotation of an autoscaler: `Shadow` decides without acting.
pub const ANNOTATION_MODE: &str = "highwater.dev/mode";
/// Annotation of an autoscaler: percent of used inodes above which volumes grow.
pub const ANNOTATION_INODE_THRESHOLD: &str = "highwater.dev/inode-threshold";
/// Annotation of an autoscaler: `"Off"` acts on the thresholds alone, however fast a volume fills.
pub const ANNOTATION_TIME_TO_FULL: &str = "highwater.dev/time-to-full";
/// Annotation of an autoscaler: `IfReady` makes its Online expansions wait for a Ready database.
pub const ANNOTATION_APPLY: &str = "highwater.dev/apply";
/// Annotation of an autoscaler, written by the decider: times of modifications per claim, JSON.
pub const ANNOTATION_MODIFICATIONS: &str = "highwater.dev/modifications";
/// Annotation of a request, written by the decider: when it was decided, by which measurements, see `crate::ops::v1alpha1::Decided`.
pub const ANNOTATION_DECIDED: &str = "highwater.dev/decided";
/// Annotation of a pod, written by the executor: makes kubelet look at the pod's volumes now.
pub const ANNOTATION_NUDGE: &str = "highwater.dev/volumes-grown-at";

/// Annotation of a Postgres and a PetSet: `"true"` keeps the provisioner and the PetSet controller off it; its pods and
/// claims are made by somebody else.
pub const ANNOTATION_UNMANAGED: &str = "highwater.dev/unmanaged";
/// Annotation of a PetSet, written by the executor: the ordinal whose pod is not to be made, see `crate::petset::v1::Hold`.
pub const ANNOTATION_HOLD: &str = "highwater.dev/hold";

/// Annotation of what a provisioner made, written by it: digest of what it applied.
pub const ANNOTATION_APPLIED: &str = "highwater.dev/applied";
/// Annotation of a PetSet, written by the provisioner: the PostgresVersion that its pods run.
pub const ANNOTATION_VERSION: &str = "highwater.dev/version";
/// Finalizer of a Postgres, held by the provisioner.
pub const FINALIZER_PROVISIONER: &str = "highwater.dev/provisioner";
/// ClusterRole that the chart ships for members: what Patroni needs for its state.
pub const MEMBER_ROLE: &str = "highwater-member";

/// Annotation of a PetSet, written by the executor: the resources of its container `postgres` before they were last changed
/// for a request, as JSON.
pub const ANNOTATION_RESOURCES_BEFORE: &str = "highwater.dev/resources-before";
/// Annotation of a PetSet, written by the executor: uid of the request that gave up scaling it, so that nothing it had
/// decided before is written any more.
pub const ANNOTATION_SEALED: &str = "highwater.dev/sealed";

/// Field manager of the decider.
pub const MANAGER_DECIDER: &str = "highwater-decider";
/// Field manager of the executor.
pub const MANAGER_EXECUTOR: &str = "highwater-executor";
/// Field manager of the PetSet controller.
pub const MANAGER_PETSET: &str = "highwater-petset";
/// Field manager of the provisioner.
pub const MANAGER_PROVISIONER: &str = "highwater-provisioner";

/// The container that runs PostgreSQL under Patroni.
pub const CONTAINER_POSTGRES: &str = "postgres";
/// Port of PostgreSQL.
pub const PORT_POSTGRES: u16 = 5432;
/// Port of Patroni's REST API in each pod.
pub const PORT_PATRONI: u16 = 8008;
/// Value of [`LABEL_ROLE`] on the leader.
pub const ROLE_PRIMARY: &str = "primary";
/// Value of [`LABEL_ROLE`] on all other members.
pub const ROLE_STANDBY: &str = "standby";
/// Label: the members of a database, and the objects in which Patroni keeps its state.
pub const LABEL_CLUSTER: &str = "postgreses.kubedb.com/database.cluster";

/// First part of the names of requests.
pub const REQUEST_PREFIX: &str = "pgops";

/// The labels on everything of a database, also on the requests made for it.
#[must_use]
pub fn database_labels(database: &str) -> BTreeMap<String, String> {
    [
        (LABEL_COMPONENT, COMPONENT_DATABASE),
        (LABEL_INSTANCE, database),
        (LABEL_MANAGED_BY, MANAGED_BY_KUBEDB),
        (LABEL_NAME, NAME_POSTGRES),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .collect()
}

/// The claim of pod `ordinal` of the set: `<template>-<set>-<ordinal>`.
#[must_use]
pub fn claim_name(template: &str, set: &str, ordinal: u32) -> String {
    format!("{template}-{set}-{ordinal}")
}

/// The set and the ordinal, when the claim is one of this template.
#[must_use]
pub fn split_claim<'a>(claim: &'a str, template: &str) -> Option<(&'a str, u32)> {
    let (set, ordinal) = claim
        .strip_prefix(template)?
        .strip_prefix('-')?
        .rsplit_once('-')?;
    let canonical = !ordinal.is_empty()
        && ordinal.bytes().all(|b| b.is_ascii_digit())
        && (ordinal == "0" || !ordinal.starts_with('0'));
    if set.is_empty() || !canonical {
        return None;
    }
    Some((set, ordinal.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::{claim_name, resizer_lease, split_claim};

    #[test]
    fn claims_are_named_as_the_set_names_them() {
        assert_eq!(claim_name("data", "db", 2), "data-db-2");
        assert_eq!(split_claim("data-db-2", "data"), Some(("db", 2)));
        assert_eq!(split_claim("data-my-db-1-0", "data"), Some(("my-db-1", 0)));
    }

    #[test]
    fn the_lease_is_named_as_the_resizer_names_it() {
        assert_eq!(
            resizer_lease("ebs.csi.aws.com"),
            "external-resizer-ebs-csi-aws-com"
        );
        assert_eq!(resizer_lease("x.io/"), "external-resizer-x-io-X");
    }

    #[test]
    fn what_no_set_would_name_is_no_claim_of_it() {
        for claim in [
            "data-db",
            "data-db-",
            "data-db-x",
            "data-db-01",
            "data-db-+1",
            "data-db--1x",
            "logs-db-0",
            "data--0",
            "data-db-99999999999",
            "datadb-0",
            "",
        ] {
            assert_eq!(split_claim(claim, "data"), None, "{claim}");
        }
    }
}
