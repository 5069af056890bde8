//! The PetSet.

use std::collections::BTreeMap;

use api::names::{ANNOTATION_VERSION, DATA_TEMPLATE};
use provisioner_core::postgres::Finding;
use serde_json::{Value, json};

use super::{
    labels::{metadata, selector},
    pod,
};
use crate::{
    observe::{Found, View},
    wish::Wish,
};

/// What is kept as it should be: all but the number of members and the claims, which the executor changes.
pub(super) fn body(view: &View, wish: &Wish) -> Result<Value, Finding> {
    let mut metadata = metadata(view);
    let controller = view
        .spec
        .pod_template
        .as_ref()
        .and_then(|template| template.get("controller"));
    for part in ["labels", "annotations"] {
        let added = controller.and_then(|controller| controller.get(part)?.as_object());
        for (key, value) in added.into_iter().flatten() {
            if metadata[part].get(key).is_none() {
                metadata[part][key] = value.clone();
            }
        }
    }
    metadata["annotations"][ANNOTATION_VERSION] = json!(running(view));
    let mut spec = json!({
        "serviceName": format!("{}-pods", view.name()),
        "selector": { "matchLabels": selector(view.name()) },
        "podManagementPolicy": "Parallel",
        "updateStrategy": { "type": "OnDelete" },
        "template": template(view, wish)?,
    });
    let template = view.spec.pod_template.as_ref();
    if let Some(policy) = template.and_then(|template| template.pointer("/spec/podPlacementPolicy")) {
        spec["podPlacementPolicy"] = policy.clone();
    }
    Ok(json!({ "metadata": metadata, "spec": spec }))
}

/// The version that the members run: that of the set, which no change of the spec changes.
pub(crate) fn running(view: &View) -> String {
    let set = view.found.get(&provisioner_core::postgres::Object::Set);
    let made_with = set.and_then(|set| set.annotation(ANNOTATION_VERSION));
    made_with.unwrap_or(&view.spec.version).to_owned()
}

/// The pods; those of another version than the spec's keep the image that they have.
fn template(view: &View, wish: &Wish) -> Result<Value, Finding> {
    let mut template = pod::template(view, wish)?;
    if running(view) != view.spec.version
        && let Some(set) = view.found.get(&provisioner_core::postgres::Object::Set)
        && let Some(image) = image(&set.rest)
        && let Some(ours) = template.pointer_mut("/spec/containers/0/image")
    {
        *ours = image.clone();
    }
    Ok(template)
}

fn image(set: &Value) -> Option<&Value> {
    let containers = set.pointer("/spec/template/spec/containers")?.as_array()?;
    let ours = containers
        .iter()
        .find(|container| container["name"] == api::names::CONTAINER_POSTGRES)?;
    ours.get("image")
}

/// The set as it is made.
pub(super) fn complete(view: &View, wish: &Wish, mut body: Value) -> Value {
    body["spec"]["replicas"] = json!(wish.replicas);
    if !wish.ephemeral {
        body["spec"]["volumeClaimTemplates"] = json!([claim(view, wish)]);
    }
    body
}

/// The body for an apply to a set that is there: what the executor changes is applied as it is, since what an apply leaves
/// out is removed. The write's resourceVersion makes sure that it is still so.
pub(crate) fn change(mut body: Value, found: &Found) -> Value {
    for part in ["replicas", "volumeClaimTemplates"] {
        if let Some(present) = found.rest.pointer("/spec").and_then(|spec| spec.get(part)) {
            body["spec"][part] = present.clone();
        }
    }
    body
}

fn claim(view: &View, wish: &Wish) -> Value {
    let storage = view
        .postgres
        .at("/spec/storage")
        .cloned()
        .unwrap_or_else(|| json!({}));
    let mut spec = storage;
    if spec["accessModes"].as_array().is_none_or(Vec::is_empty) {
        spec["accessModes"] = json!(["ReadWriteOnce"]);
    }
    if let Some(size) = wish.size {
        spec["resources"]["requests"]["storage"] = json!(size.to_string());
    }
    let labels: BTreeMap<_, _> = selector(view.name());
    json!({ "metadata": { "name": DATA_TEMPLATE, "labels": labels }, "spec": spec })
}
