//! What is written on the autoscaler beside its status: its owner, and its past.

use std::sync::Arc;

use api::{
    autoscaling::v1alpha1::PostgresAutoscaler, conditions::time_text, names::ANNOTATION_MODIFICATIONS,
};
use control::{
    watch::Key,
    write::{Error, Target},
};
use jiff::Timestamp;
use k8s_openapi::{api::core::v1::ObjectReference, apimachinery::pkg::apis::meta::v1::OwnerReference};
use kube::Resource;
use serde_json::json;

use super::{Context, Gathered};
use crate::objects::{Autoscaler, Modification, Request};

/// Modifications kept in the annotation: far more than the guard's day can hold.
const MOST_MODIFICATIONS: usize = 32;

/// Notes this autoscaler's growths on it, where they outlive their requests. What failed before it grew anything is no growth.
pub(super) async fn remember(
    context: &Context,
    key: &Key,
    autoscaler: &Autoscaler,
    gathered: &Gathered,
    now: Timestamp,
) -> Result<(), Error> {
    let wanted = modifications(&autoscaler.modifications, &gathered.requests);
    if *wanted == *autoscaler.modifications {
        return Ok(());
    }
    let text = json!(wanted).to_string();
    let patch = json!({ "metadata": { "annotations": { ANNOTATION_MODIFICATIONS: text } } });
    let target = target(key, autoscaler).in_any_state();
    let written: PostgresAutoscaler = context.parts.writes.merge(&target, patch).await?;
    context.memory.wrote(key, written.metadata.resource_version, now);
    Ok(())
}

/// What is to be remembered, oldest first: what is, and the requests there are, but for those that grew nothing.
fn modifications(known: &[Modification], requests: &[(Key, Arc<Request>)]) -> Vec<Modification> {
    let request = |m: &Modification| requests.iter().find(|(key, _)| *key.name == *m.request);
    let mut kept: Vec<Modification> = known
        .iter()
        .filter(|m| request(m).is_none_or(|(_, r)| !r.grew_nothing()))
        .cloned()
        .collect();
    let new = requests
        .iter()
        .filter(|(key, r)| !r.grew_nothing() && known.iter().all(|m| *m.request != *key.name));
    kept.extend(new.filter_map(|(key, r)| {
        Some(Modification {
            request: key.name.to_string(),
            at: time_text(r.created),
            from: r.base?.to_string(),
            to: r.to?.to_string(),
        })
    }));
    kept.sort_by(|a, b| a.at.cmp(&b.at));
    kept.split_off(kept.len().saturating_sub(MOST_MODIFICATIONS))
}

/// Makes the Postgres the owner of its autoscaler, so that they go together, as KubeDB does.
pub(super) async fn own(
    context: &Context,
    key: &Key,
    autoscaler: &Autoscaler,
    gathered: &Gathered,
    now: Timestamp,
) -> Result<(), Error> {
    let uid = &*gathered.database_uid;
    let is_owner = |o: &OwnerReference| o.kind == "Postgres" && o.uid == uid;
    let is_owned = autoscaler.owner == Some(uid.into()) || autoscaler.other_owners.iter().any(is_owner);
    let wanted = gathered.db.exists && gathered.db.other_autoscalers.is_empty() && !autoscaler.deleting;
    if !wanted || uid.is_empty() || is_owned {
        return Ok(());
    }
    // Written meanwhile, by our own status: the watch brings us back.
    if context.memory.lags(key, &autoscaler.resource_version, now) {
        return Ok(());
    }
    // A Postgres of the same name that is gone owns nothing any more.
    let mut owners = autoscaler.other_owners.to_vec();
    let controlled = owners.iter().any(|o| o.controller == Some(true));
    owners.push(OwnerReference {
        api_version: api::kubedb::v1::Postgres::api_version(&()).into_owned(),
        kind: api::kubedb::v1::Postgres::kind(&()).into_owned(),
        name: autoscaler.database.to_string(),
        uid: uid.to_string(),
        // The API server allows one controller.
        controller: Some(!controlled),
        block_owner_deletion: Some(true),
    });
    let patch = json!({ "metadata": { "ownerReferences": owners } });
    let written = context
        .parts
        .writes
        .merge::<PostgresAutoscaler>(&target(key, autoscaler), patch)
        .await;
    match written {
        Ok(written) => {
            context.memory.wrote(key, written.metadata.resource_version, now);
            Ok(())
        }
        // Written meanwhile by somebody else: likewise.
        Err(error) if error.class() == control::retry::RetryClass::Conflict => Ok(()),
        Err(error) => Err(error),
    }
}

/// The autoscaler as it was read.
pub(super) fn target(key: &Key, autoscaler: &Autoscaler) -> Target {
    Target {
        namespace: key.namespace.to_string(),
        name: key.name.to_string(),
        uid: autoscaler.uid.to_string(),
        resource_version: Some(autoscaler.resource_version.to_string()),
    }
}

/// The autoscaler as an Event names it.
pub(super) fn reference(key: &Key, autoscaler: &Autoscaler) -> ObjectReference {
    ObjectReference {
        api_version: Some(PostgresAutoscaler::api_version(&()).into_owned()),
        kind: Some(PostgresAutoscaler::kind(&()).into_owned()),
        namespace: Some(key.namespace.to_string()),
        name: Some(key.name.to_string()),
        uid: Some(autoscaler.uid.to_string()),
        ..ObjectReference::default()
    }
}

#[cfg(test)]
mod tests {
    use api::ops::v1alpha1::Phase;
    use units::Bytes;

    use super::*;

    fn request(name: &str, second: i64, phase: Phase) -> (Key, Arc<Request>) {
        let created = jiff::Timestamp::from_second(second).unwrap();
        let request = Request {
            base: Some(Bytes::new(1)),
            to: Some(Bytes::new(2)),
            ..Request::made(name, phase, created)
        };
        (Key::new("demo", name), Arc::new(request))
    }

    fn names(modifications: &[Modification]) -> Vec<&str> {
        modifications.iter().map(|m| m.request.as_str()).collect()
    }

    #[test]
    fn trap_08_growths_are_remembered_once_and_those_that_grew_nothing_are_not() {
        let all = [
            request("open", 3, Phase::Pending),
            request("grown", 2, Phase::Successful),
            request("failed", 1, Phase::Failed),
            request("skipped", 1, Phase::Skipped),
        ];
        let first = modifications(&[], &all);
        assert_eq!(names(&first), ["grown", "open"]);
        assert_eq!(modifications(&first, &all), first, "nothing to write");
        assert_eq!(modifications(&first, &[]), first, "requests are pruned");
        let (key, mut failed) = request("open", 3, Phase::Failed);
        let one = [(key.clone(), Arc::clone(&failed))];
        assert_eq!(names(&modifications(&first, &one)), ["grown"]);
        Arc::make_mut(&mut failed).grew_some = true;
        let one = [(key, failed)];
        assert_eq!(names(&modifications(&first, &one)), ["grown", "open"]);
        assert_eq!(names(&modifications(&[], &one)), ["open"]);
    }

    #[test]
    fn the_newest_are_kept_and_an_older_request_does_not_come_back() {
        let many: Vec<_> = (0..40)
            .map(|n| request(&format!("r{n}"), n, Phase::Successful))
            .collect();
        let kept = modifications(&[], &many);
        assert_eq!((kept.len(), kept[0].request.as_str()), (MOST_MODIFICATIONS, "r8"));
        assert_eq!(modifications(&kept, &many), kept);
    }
}
