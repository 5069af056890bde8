//! Who the members are to the API server: Patroni keeps its state there.

use api::names::MEMBER_ROLE;
use serde_json::{Value, json};

use super::labels::metadata;
use crate::observe::View;

/// The ServiceAccount that the members run as.
pub(super) fn account_name(view: &View) -> String {
    let template = view.spec.pod_template.as_ref();
    let named = template.and_then(|template| template.pointer("/spec/serviceAccountName")?.as_str());
    named
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| view.name())
        .to_owned()
}

/// One that the user names is the user's to make.
pub(super) fn makes_account(view: &View) -> bool {
    account_name(view) == view.name()
}

pub(super) fn account(view: &View) -> Value {
    json!({ "metadata": metadata(view) })
}

pub(super) fn binding(view: &View) -> Value {
    json!({
        "metadata": metadata(view),
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": MEMBER_ROLE },
        "subjects": [{ "kind": "ServiceAccount", "name": account_name(view), "namespace": view.namespace() }],
    })
}
