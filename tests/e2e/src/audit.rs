//! The API server's own record of who asked what: the only witness that also remembers deleted requests.

use std::io::BufRead;

use anyhow::Context;
use serde::Deserialize;

use crate::World;

#[derive(Deserialize)]
struct Entry {
    stage: String,
    verb: String,
    #[serde(rename = "objectRef")]
    object: Option<ObjectRef>,
    #[serde(rename = "responseStatus")]
    response: Option<Response>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ObjectRef {
    resource: String,
    namespace: String,
    name: String,
    subresource: String,
}

#[derive(Deserialize)]
struct Response {
    code: u16,
}

/// Names of the PostgresOpsRequests that were created in `namespace`, in order, whether they still exist or not.
///
/// # Errors
/// When the log cannot be read.
pub fn created_requests(world: &World, namespace: &str) -> anyhow::Result<Vec<String>> {
    accepted(world, namespace, "create", "postgresopsrequests")
}

/// Names of the claims that were patched in `namespace`, one for each accepted patch of the object itself; dry runs count too.
///
/// # Errors
/// When the log cannot be read.
pub fn patched_claims(world: &World, namespace: &str) -> anyhow::Result<Vec<String>> {
    accepted(world, namespace, "patch", "persistentvolumeclaims")
}

fn accepted(world: &World, namespace: &str, verb: &str, resource: &str) -> anyhow::Result<Vec<String>> {
    let path = world.state().join("logs/audit.log");
    let file = std::fs::File::open(&path).with_context(|| format!("open {}", path.display()))?;
    let mut names = Vec::new();
    for line in std::io::BufReader::new(file).lines() {
        let Ok(entry) = serde_json::from_str::<Entry>(&line?) else {
            continue;
        };
        let Some(object) = entry.object else { continue };
        let ok =
            entry.stage == "ResponseComplete" && entry.response.is_some_and(|r| (200..300).contains(&r.code));
        let ours =
            object.resource == resource && object.namespace == namespace && object.subresource.is_empty();
        if ok && ours && entry.verb == verb {
            names.push(object.name);
        }
    }
    Ok(names)
}
