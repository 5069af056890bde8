//! A member's pod: Patroni and PostgreSQL in one container, with what the restricted Pod Security Standard asks for.

use api::names::{CONTAINER_POSTGRES, DATA_TEMPLATE, PORT_PATRONI, PORT_POSTGRES};
use provisioner_core::postgres::{Finding, Object};
use serde_json::{Value, json};

use super::{
    access::account_name,
    config::{MOUNT, REPLICATOR, SCRIPTS},
    labels::{labels, selector},
    template,
};
use crate::{observe::View, wish::Wish};

/// Time to end for a member: a fast shutdown writes a checkpoint.
const GRACE_SECONDS: u32 = 60;
/// Bytes by which a standby may be behind and still be Ready: far above what a busy moment brings.
const READY_LAG: u32 = 64 << 20;

/// The pods, with the user's changes.
pub(super) fn template(view: &View, wish: &Wish) -> Result<Value, Finding> {
    let mut spec = json!({
        "serviceAccountName": account_name(view),
        "enableServiceLinks": false,
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "securityContext": {
            "runAsUser": wish.user, "runAsGroup": wish.user, "fsGroup": wish.user,
            "fsGroupChangePolicy": "OnRootMismatch", "runAsNonRoot": true,
            "seccompProfile": { "type": "RuntimeDefault" },
        },
        "affinity": apart(view),
        "containers": [container(view, wish)],
        "volumes": volumes(view, wish),
    });
    let metadata = template::apply(&mut spec, view.spec.pod_template.as_ref(), wish)?;
    let mut all = labels(view);
    for (key, value) in metadata.labels {
        all.entry(key).or_insert(value);
    }
    Ok(json!({ "metadata": { "labels": all, "annotations": metadata.annotations }, "spec": spec }))
}

/// Members on different nodes, where there are enough.
fn apart(view: &View) -> Value {
    json!({ "podAntiAffinity": { "preferredDuringSchedulingIgnoredDuringExecution": [{
        "weight": 100,
        "podAffinityTerm": {
            "topologyKey": "kubernetes.io/hostname", "labelSelector": { "matchLabels": selector(view.name()) },
        },
    }]}})
}

fn container(view: &View, wish: &Wish) -> Value {
    let mut mounts = vec![
        json!({ "name": DATA_TEMPLATE, "mountPath": MOUNT }),
        json!({ "name": "patroni", "mountPath": "/etc/patroni", "readOnly": true }),
        json!({ "name": "tmp", "mountPath": "/tmp" }),
        json!({ "name": "shared-memory", "mountPath": "/dev/shm" }),
    ];
    if has_script(view) {
        mounts.push(json!({ "name": "initial-script", "mountPath": SCRIPTS, "readOnly": true }));
    }
    let get = |path: &str| json!({ "path": path, "port": "patroni" });
    let ready = format!("/readiness?lag={READY_LAG}");
    json!({
        "name": CONTAINER_POSTGRES,
        "image": wish.image,
        "command": ["patroni", "/etc/patroni/patroni.yml"],
        "ports": [
            { "name": "db", "containerPort": PORT_POSTGRES, "protocol": "TCP" },
            { "name": "patroni", "containerPort": PORT_PATRONI, "protocol": "TCP" },
        ],
        "env": environment(view),
        "resources": { "requests": { "cpu": "500m", "memory": "1Gi" }, "limits": { "memory": "1Gi" } },
        "securityContext": restricted(true),
        // A base backup may take a day; nothing may kill it meanwhile.
        "startupProbe": { "httpGet": get(&ready), "periodSeconds": 1, "timeoutSeconds": 3, "failureThreshold": 86400 },
        "readinessProbe": { "httpGet": get(&ready), "periodSeconds": 2, "timeoutSeconds": 3, "failureThreshold": 3 },
        "livenessProbe": { "httpGet": get("/liveness"), "periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 3 },
        "volumeMounts": mounts,
    })
}

/// What the restricted Pod Security Standard asks of a container.
pub(super) fn restricted(read_only: bool) -> Value {
    let mut context = json!({
        "allowPrivilegeEscalation": false, "capabilities": { "drop": ["ALL"] }, "runAsNonRoot": true,
        "seccompProfile": { "type": "RuntimeDefault" },
    });
    if read_only {
        context["readOnlyRootFilesystem"] = json!(true);
    }
    context
}

fn environment(view: &View) -> Vec<Value> {
    let auth = view.name_of(Object::Auth);
    let credentials = view.name_of(Object::Credentials);
    let plain = |name: &str, value: &str| json!({ "name": name, "value": value });
    let field =
        |name: &str, path: &str| json!({ "name": name, "valueFrom": { "fieldRef": { "fieldPath": path } } });
    let secret = |name: &str, of: &str, key: &str| json!({ "name": name, "valueFrom": { "secretKeyRef": { "name": of, "key": key } } });
    vec![
        field("POD_IP", "status.podIP"),
        field("PATRONI_NAME", "metadata.name"),
        plain("PATRONI_SCOPE", view.name()),
        field("PATRONI_KUBERNETES_NAMESPACE", "metadata.namespace"),
        field("PATRONI_KUBERNETES_POD_IP", "status.podIP"),
        plain(
            "PATRONI_RESTAPI_CONNECT_ADDRESS",
            &format!("$(POD_IP):{PORT_PATRONI}"),
        ),
        plain(
            "PATRONI_POSTGRESQL_CONNECT_ADDRESS",
            &format!("$(POD_IP):{PORT_POSTGRES}"),
        ),
        secret("PATRONI_SUPERUSER_USERNAME", &auth, "username"),
        secret("PATRONI_SUPERUSER_PASSWORD", &auth, "password"),
        plain("PATRONI_REPLICATION_USERNAME", REPLICATOR),
        secret(
            "PATRONI_REPLICATION_PASSWORD",
            &credentials,
            "replication-password",
        ),
        secret("PATRONI_RESTAPI_USERNAME", &credentials, "restapi-username"),
        secret("PATRONI_RESTAPI_PASSWORD", &credentials, "restapi-password"),
        // For psql and patronictl in the container.
        plain("PGHOST", "/tmp"),
        plain("PATRONICTL_CONFIG_FILE", "/etc/patroni/patroni.yml"),
    ]
}

fn volumes(view: &View, wish: &Wish) -> Vec<Value> {
    let mut volumes = vec![
        json!({ "name": "patroni", "configMap": { "name": view.name_of(Object::Config) } }),
        json!({ "name": "tmp", "emptyDir": { "medium": "Memory", "sizeLimit": "64Mi" } }),
        json!({ "name": "shared-memory", "emptyDir": { "medium": "Memory" } }),
    ];
    if has_script(view) {
        let map = view
            .spec
            .init
            .as_ref()
            .and_then(|init| init.script.as_ref()?.config_map.as_ref());
        let name = map.map(|map| map.name.as_str()).unwrap_or_default();
        volumes.push(json!({ "name": "initial-script", "configMap": { "name": name, "optional": true } }));
    }
    if wish.ephemeral {
        let limit = wish.size.map(|size| size.to_string());
        volumes.push(json!({ "name": DATA_TEMPLATE, "emptyDir": limit.map_or_else(|| json!({}), |limit| json!({ "sizeLimit": limit })) }));
    }
    volumes
}

fn has_script(view: &View) -> bool {
    let script = view.spec.init.as_ref().and_then(|init| init.script.as_ref());
    script.is_some_and(|script| script.config_map.is_some())
}
