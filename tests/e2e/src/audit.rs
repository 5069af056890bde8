//! The API server's own record of who asked what: the only witness that also remembers deleted requests.

use std::io::BufRead;

use anyhow::Context;
use serde::Deserialize;

use crate::World;

#[derive(Deserialize)]
struct Entry {
    stage: String,
    verb: String,
    #[serde(default)]
    user: User,
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

#[derive(Deserialize, Default)]
#[serde(default)]
struct User {
    username: String,
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

/// What Highwater's own processes wrote into `namespace`, in order, as verb and resource; leases are not in the log.
///
/// # Errors
/// When the log cannot be read.
pub fn written_by_highwater(world: &World, namespace: &str) -> anyhow::Result<Vec<String>> {
    let ours = |entry: &Entry| {
        entry
            .user
            .username
            .starts_with("system:serviceaccount:highwater:")
    };
    let written = |(entry, object): (Entry, ObjectRef)| {
        let slash = if object.subresource.is_empty() { "" } else { "/" };
        format!("{} {}{slash}{}", entry.verb, object.resource, object.subresource)
    };
    let all = successful(world)?.into_iter();
    let inside = all.filter(|(entry, object)| ours(entry) && object.namespace == namespace);
    Ok(inside.map(written).collect())
}

fn accepted(world: &World, namespace: &str, verb: &str, resource: &str) -> anyhow::Result<Vec<String>> {
    let wanted = |(entry, object): &(Entry, ObjectRef)| {
        entry.verb == verb
            && object.resource == resource
            && object.namespace == namespace
            && object.subresource.is_empty()
    };
    let all = successful(world)?.into_iter().filter(wanted);
    Ok(all.map(|(_, object)| object.name).collect())
}

/// What was asked and done, in order.
fn successful(world: &World) -> anyhow::Result<Vec<(Entry, ObjectRef)>> {
    let path = world.state().join("logs/audit.log");
    let file = std::fs::File::open(&path).with_context(|| format!("open {}", path.display()))?;
    let mut found = Vec::new();
    for line in std::io::BufReader::new(file).lines() {
        let Ok(mut entry) = serde_json::from_str::<Entry>(&line?) else {
            continue;
        };
        let ok = |response: &Response| (200..300).contains(&response.code);
        let done = entry.stage == "ResponseComplete" && entry.response.as_ref().is_some_and(ok);
        if let Some(object) = entry.object.take().filter(|_| done) {
            found.push((entry, object));
        }
    }
    Ok(found)
}
