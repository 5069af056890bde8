//! The PodDisruptionBudget, as KubeDB's: it belongs to the set, and there is none for a single member.

use provisioner_core::postgres::Object;
use serde_json::{Value, json};

use super::labels::{labels, selector};
use crate::{observe::View, wish::Wish};

pub(super) fn budget(view: &View, wish: &Wish) -> Option<Value> {
    let set = view.found.get(&Object::Set)?;
    let most = ((wish.members - 1) / 2).max(1);
    (wish.members > 1).then(|| {
        json!({
            "metadata": {
                "labels": labels(view),
                "annotations": {},
                "ownerReferences": [{
                    "apiVersion": "apps.k8s.appscode.com/v1", "kind": "PetSet", "name": view.name(), "uid": set.meta.uid,
                    "controller": true, "blockOwnerDeletion": true,
                }],
            },
            "spec": { "maxUnavailable": most, "selector": { "matchLabels": selector(view.name()) } },
        })
    })
}
