//! Labels, and whose an object is.

use std::collections::BTreeMap;

use api::names::{LABEL_CLUSTER, LABEL_COMPONENT, LABEL_OWNED_BY, OWNED_BY_HIGHWATER, database_labels};
use kube::ResourceExt;
use serde_json::{Value, json};

use crate::observe::View;

/// What members are selected by.
pub(super) fn selector(db: &str) -> BTreeMap<String, String> {
    let mut labels = database_labels(db);
    labels.remove(LABEL_COMPONENT);
    labels.insert(LABEL_CLUSTER.to_owned(), db.to_owned());
    labels
}

/// The labels of every object: the user's, then ours.
pub(super) fn labels(view: &View) -> BTreeMap<String, String> {
    let passed = view.postgres.labels().iter().filter(|(key, _)| is_passed(key));
    let mut labels: BTreeMap<_, _> = passed.map(|(key, value)| (key.clone(), value.clone())).collect();
    labels.extend(database_labels(view.name()));
    labels.insert(LABEL_CLUSTER.to_owned(), view.name().to_owned());
    labels.insert(LABEL_OWNED_BY.to_owned(), OWNED_BY_HIGHWATER.to_owned());
    labels
}

/// Not those of KubeDB, and none that tools take for the identity of what they applied.
fn is_passed(key: &str) -> bool {
    let (domain, _) = key.split_once('/').unwrap_or(("", key));
    let reserved = [
        "kubedb.com",
        "highwater.dev",
        "app.kubernetes.io",
        "argocd.argoproj.io",
    ];
    let is_in = |of: &&str| domain == *of || domain.strip_suffix(of).is_some_and(|rest| rest.ends_with('.'));
    !reserved.iter().any(is_in) && !domain.ends_with("toolkit.fluxcd.io")
}

/// Metadata of an object that goes with its Postgres.
pub(super) fn metadata(view: &View) -> Value {
    json!({
        "labels": labels(view),
        "annotations": {},
        "ownerReferences": [{
            "apiVersion": "kubedb.com/v1", "kind": "Postgres", "name": view.name(), "uid": view.uid(),
            "controller": true, "blockOwnerDeletion": true,
        }],
    })
}
