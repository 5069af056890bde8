//! `spec.podTemplate` over the pod that we make. Containers are matched by name; what would break a member is refused, with
//! the field to correct.

use std::collections::BTreeMap;

use api::names::CONTAINER_POSTGRES;
use provisioner_core::postgres::Finding;
use serde_json::{Value, json};
use units::Reason;

use super::pod::restricted;
use crate::wish::Wish;

/// KubeDB's own containers, which manifests exported from it name.
const KUBEDBS: [&str; 3] = ["pg-coordinator", "postgres-init-container", "exporter"];
/// KubeDB's reserved volume names, and ours.
const VOLUMES: [&str; 11] = [
    "certs",
    "custom-config",
    "data",
    "initial-script",
    "patroni",
    "role-scripts",
    "run-scripts",
    "scripts",
    "shared-memory",
    "tls",
    "tmp",
];
/// Paths that are ours in container `postgres`.
const PATHS: [&str; 5] = ["/var/initdb", "/dev/shm", "/var/pv", "/etc/patroni", "/tmp"];

/// Labels and annotations of the pods.
#[derive(Default)]
pub(super) struct Metadata {
    pub(super) labels: BTreeMap<String, String>,
    pub(super) annotations: BTreeMap<String, String>,
}

/// Applies the template to the pod's spec; gives the pods' own labels and annotations.
pub(super) fn apply(spec: &mut Value, template: Option<&Value>, wish: &Wish) -> Result<Metadata, Finding> {
    let Some(template) = template else {
        return Ok(Metadata::default());
    };
    let strings = |part: &str| -> BTreeMap<String, String> {
        let map = template
            .pointer("/metadata")
            .and_then(|metadata| metadata.get(part));
        map.and_then(|map| serde_json::from_value(map.clone()).ok())
            .unwrap_or_default()
    };
    let metadata = Metadata {
        labels: strings("labels"),
        annotations: strings("annotations"),
    };
    let theirs = template.get("spec").and_then(Value::as_object);
    for (field, value) in theirs.into_iter().flatten() {
        let result = match field.as_str() {
            "containers" => each(value, |theirs| container(spec, theirs)),
            "initContainers" => each(value, |theirs| added(spec, "initContainers", theirs)),
            "volumes" => each(value, |theirs| volume(spec, theirs)),
            "securityContext" => security(spec, value, wish),
            "serviceAccountName" | "podPlacementPolicy" => Ok(()),
            "subdomain" | "hostname" | "restartPolicy" | "nodeName" | "replicas" => {
                Err("it cannot be changed; leave it out".to_owned())
            }
            _ => {
                spec[field] = value.clone();
                Ok(())
            }
        };
        result.map_err(|why| {
            Finding::new(
                Reason::TemplateInvalid,
                format!("spec.podTemplate.spec.{field}: {why}"),
            )
        })?;
    }
    Ok(metadata)
}

fn each(list: &Value, mut act: impl FnMut(&Value) -> Result<(), String>) -> Result<(), String> {
    list.as_array().into_iter().flatten().try_for_each(&mut act)
}

fn push(spec: &mut Value, list: &str, item: Value) {
    match spec[list].as_array_mut() {
        Some(items) => items.push(item),
        None => spec[list] = json!([item]),
    }
}

fn container(spec: &mut Value, theirs: &Value) -> Result<(), String> {
    if theirs["name"] != CONTAINER_POSTGRES {
        return added(spec, "containers", theirs);
    }
    let ours = &mut spec["containers"][0];
    for (field, value) in theirs.as_object().into_iter().flatten() {
        match field.as_str() {
            "name" => {}
            "env" => each(value, |variable| environment(ours, variable))?,
            "volumeMounts" => each(value, |mount| mounted(ours, mount))?,
            "securityContext" => {
                for (key, value) in value.as_object().into_iter().flatten() {
                    ours["securityContext"][key] = value.clone();
                }
            }
            "ports" => each(value, |port| {
                push(ours, "ports", port.clone());
                Ok(())
            })?,
            "resources"
            | "envFrom"
            | "lifecycle"
            | "imagePullPolicy"
            | "livenessProbe"
            | "readinessProbe"
            | "startupProbe"
            | "terminationMessagePath"
            | "terminationMessagePolicy"
            | "volumeDevices" => {
                ours[field] = value.clone();
            }
            _ => {
                return Err(format!(
                    "{field} of container postgres cannot be changed; leave it out"
                ));
            }
        }
    }
    Ok(())
}

/// A container of the user's; where it says nothing about its rights it gets those that restricted allows.
fn added(spec: &mut Value, list: &str, theirs: &Value) -> Result<(), String> {
    let name = theirs["name"].as_str().unwrap_or_default();
    let has_image = theirs["image"].as_str().is_some_and(|image| !image.is_empty());
    if !has_image && KUBEDBS.contains(&name) {
        return Ok(());
    }
    if !has_image {
        return Err(format!(
            "container {name} needs an image; only postgres is made by Highwater"
        ));
    }
    let mut container = theirs.clone();
    if container.get("securityContext").is_none() {
        container["securityContext"] = restricted(false);
    }
    push(spec, list, container);
    Ok(())
}

fn environment(ours: &mut Value, variable: &Value) -> Result<(), String> {
    let name = variable["name"].as_str().unwrap_or_default();
    let reserved = ["POSTGRES_PASSWORD", "POSTGRES_USER", "PGHOST", "POD_IP"].contains(&name)
        || name.starts_with("PATRONI");
    if reserved {
        return Err(format!(
            "environment variable {name} is set by Highwater; leave it out"
        ));
    }
    push(ours, "env", variable.clone());
    Ok(())
}

fn mounted(ours: &mut Value, mount: &Value) -> Result<(), String> {
    let path = mount["mountPath"]
        .as_str()
        .unwrap_or_default()
        .trim_end_matches('/');
    // A file, or a folder, within /tmp does no harm.
    if PATHS.contains(&path) || path.starts_with("/var/pv/") {
        return Err(format!("mount path {path} is Highwater's; mount elsewhere"));
    }
    push(ours, "volumeMounts", mount.clone());
    Ok(())
}

fn volume(spec: &mut Value, theirs: &Value) -> Result<(), String> {
    let name = theirs["name"].as_str().unwrap_or_default();
    if VOLUMES.contains(&name) {
        return Err(format!("volume name {name} is reserved; name it otherwise"));
    }
    push(spec, "volumes", theirs.clone());
    Ok(())
}

/// Files belong to the version's user: another would not read them.
fn security(spec: &mut Value, theirs: &Value, wish: &Wish) -> Result<(), String> {
    for (key, value) in theirs.as_object().into_iter().flatten() {
        let identity = ["runAsUser", "runAsGroup", "fsGroup"].contains(&key.as_str());
        if identity && !wish.any_user && value.as_i64() != Some(wish.user) {
            return Err(format!(
                "{key} {value} is not {}, the version's user; leave it out",
                wish.user
            ));
        }
        spec["securityContext"][key] = value.clone();
    }
    Ok(())
}
