//! Revisions: the pod template kept as the StatefulSet controller keeps it, a patch of the set. Pure.

use api::petset::v1::PetSet;
use control::whole::Whole;
use k8s_openapi::{
    api::apps::v1::ControllerRevision, apimachinery::pkg::apis::meta::v1::ObjectMeta,
    apimachinery::pkg::runtime::RawExtension,
};
use kube::ResourceExt;
use provisioner_core::petset as core;
use serde_json::{Map, Value, json};

use super::make::controller;
use crate::observe::View;

/// Label: the hash in a revision's name.
const LABEL_HASH: &str = "controller.kubernetes.io/hash";

/// The present template as a revision's data.
pub(crate) fn data(set: &Whole<PetSet>) -> Value {
    let template = set.at("/spec/template").cloned().unwrap_or_default();
    let mut template = match without_nulls(template) {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    template.insert("$patch".to_owned(), json!("replace"));
    json!({ "spec": { "template": template } })
}

/// The template that a revision keeps.
pub(super) fn template(revision: &ControllerRevision) -> Value {
    let data = revision.data.as_ref().map(|data| &data.0);
    let template = data.and_then(|data| data.pointer("/spec/template"));
    let mut template = template.cloned().unwrap_or_default();
    if let Some(fields) = template.as_object_mut() {
        fields.remove("$patch");
    }
    template
}

/// As the core sees them: those of the set, and those of nobody.
pub(crate) fn as_core(revisions: &[ControllerRevision], set: &str, present: &Value) -> Vec<core::Revision> {
    let theirs = |revision: &&ControllerRevision| owner(revision).is_none_or(|uid| uid == set);
    let of = |revision: &ControllerRevision| core::Revision {
        name: revision.name_any(),
        number: revision.revision,
        created: revision.metadata.creation_timestamp.as_ref().map(|time| time.0),
        is_orphan: owner(revision).is_none(),
        is_present: revision
            .data
            .as_ref()
            .is_some_and(|data| without_nulls(data.0.clone()) == *present),
    };
    revisions.iter().filter(theirs).map(of).collect()
}

/// A new revision of the present template.
pub(super) fn make(view: &View, name: &str, hash: &str, number: i64) -> ControllerRevision {
    let labels = view
        .set
        .at("/spec/template/metadata/labels")
        .and_then(Value::as_object);
    let labels = labels.into_iter().flatten();
    let mut labels: std::collections::BTreeMap<String, String> = labels
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect();
    labels.insert(LABEL_HASH.to_owned(), hash.to_owned());
    ControllerRevision {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            namespace: view.set.namespace(),
            labels: Some(labels),
            owner_references: Some(vec![controller(&view.set)]),
            ..ObjectMeta::default()
        },
        data: Some(RawExtension(data(&view.set))),
        revision: number,
    }
}

fn owner(revision: &ControllerRevision) -> Option<&str> {
    let owners = revision.metadata.owner_references.as_deref().unwrap_or_default();
    owners
        .iter()
        .find(|owner| owner.controller == Some(true))
        .map(|owner| owner.uid.as_str())
}

/// A field that is null says the same as one that is absent, and programs differ in which they write.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(key, value)| (key, without_nulls(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_nulls).collect()),
        other => other,
    }
}
