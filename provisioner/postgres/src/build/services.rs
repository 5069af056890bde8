//! The Services: the primary, the standbys, and the one that names the pods.

use api::{
    kubedb::v1::ServiceTemplate,
    names::{LABEL_ROLE, PORT_POSTGRES, ROLE_PRIMARY, ROLE_STANDBY},
};
use provisioner_core::postgres::Finding;
use serde_json::{Value, json};
use units::Reason;

use super::labels::{metadata, selector};
use crate::observe::View;

pub(super) fn governing(view: &View) -> Value {
    json!({
        "metadata": metadata(view),
        "spec": {
            "clusterIP": "None",
            "publishNotReadyAddresses": true,
            "selector": selector(view.name()),
            "ports": [{ "name": "db", "port": PORT_POSTGRES, "targetPort": "db", "protocol": "TCP" }],
        },
    })
}

pub(super) fn primary(view: &View) -> Result<Value, Finding> {
    by_role(view, "primary", ROLE_PRIMARY)
}

pub(super) fn standby(view: &View) -> Result<Value, Finding> {
    by_role(view, "standby", ROLE_STANDBY)
}

fn by_role(view: &View, alias: &str, role: &str) -> Result<Value, Finding> {
    let mut selector = selector(view.name());
    selector.insert(LABEL_ROLE.to_owned(), role.to_owned());
    let mut service = json!({
        "metadata": metadata(view),
        "spec": {
            "type": "ClusterIP",
            "selector": selector,
            "ports": [{ "name": alias, "port": PORT_POSTGRES, "targetPort": "db", "protocol": "TCP" }],
        },
    });
    let templates = &view.spec.service_templates;
    let ours = templates
        .iter()
        .filter(|template| template.alias.as_deref() == Some(alias));
    for template in ours {
        change(&mut service, template).map_err(|why| {
            Finding::new(
                Reason::TemplateInvalid,
                format!("spec.serviceTemplates of {alias}: {why}"),
            )
        })?;
    }
    Ok(service)
}

fn change(service: &mut Value, template: &ServiceTemplate) -> Result<(), String> {
    for part in ["labels", "annotations"] {
        let added = template
            .metadata
            .as_ref()
            .and_then(|metadata| metadata.get(part)?.as_object());
        for (key, value) in added.into_iter().flatten() {
            // What we select and recognise by stays ours.
            let known = &mut service["metadata"][part];
            if known.get(key).is_none() {
                known[key] = value.clone();
            }
        }
    }
    let spec = template.spec.as_ref().and_then(Value::as_object);
    for (key, value) in spec.into_iter().flatten() {
        match key.as_str() {
            "ports" => ports(&mut service["spec"]["ports"], value)?,
            "selector" | "clusterIP" | "publishNotReadyAddresses" => {
                return Err(format!("{key} cannot be changed; leave it out"));
            }
            _ => service["spec"][key] = value.clone(),
        }
    }
    Ok(())
}

/// Ports of a name that we have are changed; others would lead nowhere.
fn ports(ours: &mut Value, theirs: &Value) -> Result<(), String> {
    for port in theirs.as_array().into_iter().flatten() {
        let known = ours
            .as_array_mut()
            .into_iter()
            .flatten()
            .find(|known| known["name"] == port["name"]);
        let Some(known) = known else {
            return Err(format!(
                "there is no port {}; name the port as the Service has it",
                port["name"]
            ));
        };
        for (key, value) in port.as_object().into_iter().flatten() {
            if key != "targetPort" {
                known[key] = value.clone();
            }
        }
    }
    Ok(())
}
