//! Pods and claims as the StatefulSet controller makes them. Pure.

use std::collections::BTreeMap;

use api::petset::v1::PetSet;
use control::whole::Whole;
use k8s_openapi::{
    api::core::v1::{PersistentVolumeClaim, Pod},
    apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference},
};
use kube::{Resource, ResourceExt};
use provisioner_core::petset::Owner;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::observe::{
    View,
    pod::{LABEL_POD_INDEX, LABEL_POD_NAME, LABEL_REVISION},
};

/// The pod of an ordinal, after a template.
pub(super) fn pod(view: &View, template: Value, (name, ordinal): (&str, i32), revision: &str) -> Whole<Pod> {
    let set = &view.set;
    let mut labels: BTreeMap<String, String> = read(&template, "/metadata/labels");
    labels.insert(LABEL_POD_NAME.to_owned(), name.to_owned());
    labels.insert(LABEL_POD_INDEX.to_owned(), ordinal.to_string());
    labels.insert(LABEL_REVISION.to_owned(), revision.to_owned());
    let metadata = ObjectMeta {
        name: Some(name.to_owned()),
        generate_name: Some(format!("{}-", set.name_any())),
        namespace: set.namespace(),
        labels: Some(labels),
        annotations: read(&template, "/metadata/annotations"),
        finalizers: read(&template, "/metadata/finalizers"),
        owner_references: Some(vec![controller(set)]),
        ..ObjectMeta::default()
    };
    let mut spec = template.pointer("/spec").cloned().unwrap_or_else(|| json!({}));
    spec["hostname"] = json!(name);
    spec["subdomain"] = json!(view.typed.spec.service_name);
    spec["volumes"] = Value::Array(volumes(&view.typed, &spec, ordinal));
    Whole::new(metadata, json!({ "spec": spec }))
}

/// The claims of the set first; a volume of the template that has a claim's name gives way to it.
fn volumes(set: &PetSet, spec: &Value, ordinal: i32) -> Vec<Value> {
    let templates = set.spec.volume_claim_templates.iter();
    let names: Vec<&str> = templates
        .filter_map(|template| template.metadata.name.as_deref())
        .collect();
    let claims = names.iter().map(|template| {
        let claim = format!("{template}-{}-{ordinal}", set.name_any());
        json!({ "name": template, "persistentVolumeClaim": { "claimName": claim } })
    });
    let others = spec["volumes"].as_array().into_iter().flatten();
    let others = others.filter(|volume| !names.iter().any(|name| volume["name"] == **name));
    claims.chain(others.cloned()).collect()
}

/// The claim of an ordinal, after a template as it is now.
pub(super) fn claim(view: &View, name: &str, template: &str) -> Option<Whole<PersistentVolumeClaim>> {
    let (place, typed) = view.typed.spec.claim_template(template)?;
    let raw = view.set.at(&format!("/spec/volumeClaimTemplates/{place}"))?;
    let mut labels = typed.metadata.labels.clone().unwrap_or_default();
    labels.extend(view.typed.spec.selector.match_labels.clone().unwrap_or_default());
    let metadata = ObjectMeta {
        name: Some(name.to_owned()),
        namespace: view.set.namespace(),
        labels: Some(labels),
        annotations: typed.metadata.annotations.clone(),
        ..ObjectMeta::default()
    };
    Some(Whole::new(
        metadata,
        json!({ "spec": raw.get("spec").cloned().unwrap_or_default() }),
    ))
}

/// The set as controller.
pub(super) fn controller(set: &Whole<PetSet>) -> OwnerReference {
    OwnerReference {
        api_version: PetSet::api_version(&()).into_owned(),
        kind: PetSet::kind(&()).into_owned(),
        name: set.name_any(),
        uid: set.uid().unwrap_or_default(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    }
}

/// The owners, and the set as controller. The API server refuses a second controller.
pub(super) fn with_controller(owners: &[OwnerReference], set: &Whole<PetSet>) -> Vec<OwnerReference> {
    let us = controller(set);
    let others = owners.iter().filter(|owner| owner.uid != us.uid).cloned();
    others.chain([us.clone()]).collect()
}

/// The owners other than the one with this uid.
pub(super) fn without(owners: &[OwnerReference], uid: &str) -> Vec<OwnerReference> {
    owners.iter().filter(|owner| owner.uid != uid).cloned().collect()
}

/// The owners that are wanted; those that are there already as they are.
pub(super) fn owners(there: &[OwnerReference], wanted: &[Owner]) -> Vec<OwnerReference> {
    let reference = |owner: &Owner| {
        let same = |known: &&OwnerReference| {
            known.uid == owner.uid && (known.controller == Some(true)) == owner.is_controller
        };
        there
            .iter()
            .find(same)
            .cloned()
            .unwrap_or_else(|| OwnerReference {
                api_version: owner.api_version.clone(),
                kind: owner.kind.clone(),
                name: owner.name.clone(),
                uid: owner.uid.clone(),
                controller: Some(owner.is_controller),
                block_owner_deletion: Some(true),
            })
    };
    wanted.iter().map(reference).collect()
}

/// A part of the template; what is not there, or is something else, is empty.
fn read<T: DeserializeOwned + Default>(template: &Value, pointer: &str) -> T {
    let part = template.pointer(pointer).cloned();
    part.and_then(|part| serde_json::from_value(part).ok())
        .unwrap_or_default()
}
