//! Gather: everything that is known of one database, read from memory only, at one moment.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use api::ops::v1alpha1::Phase;
use arcstr::ArcStr;
use control::watch::Key;
use decider_core::{Database, OpenRequest, Policy, Profile};
use jiff::Timestamp;
use units::Bytes;

use super::Context;
use crate::{
    args::OperatingMode,
    objects::{Autoscaler, Before, Request},
};

mod members;
mod past;
mod pods;
mod rooms;

use members::{Asked, Members};
pub(super) use pods::Pods;

/// What a decision is made from, and what its performance needs besides.
#[derive(Debug)]
pub(crate) struct Gathered {
    /// The database's key.
    pub(crate) database: Key,
    /// Uid of the Postgres; empty if it does not exist.
    pub(crate) database_uid: ArcStr,
    pub(crate) db: Database,
    pub(crate) policy: Policy,
    pub(crate) profile: Profile,
    /// PersistentVolume of each claim.
    pub(crate) volumes: BTreeMap<String, ArcStr>,
    /// What each claim has now.
    pub(crate) before: BTreeMap<String, Before>,
    /// Since when somebody speaks of a claim's volume for a pod that is not known.
    pub(crate) strangers: BTreeMap<String, Timestamp>,
    /// This autoscaler's requests, newest first, with their keys.
    pub(crate) requests: Vec<(Key, Arc<Request>)>,
    /// The number of the next request at the present base.
    pub(crate) attempt: u32,
}

/// Gathers for one autoscaler.
pub(crate) fn gather(context: &Context, key: &Key, autoscaler: &Autoscaler, now: Timestamp) -> Gathered {
    let database = Key::sharing(&key.namespace, &autoscaler.database);
    let (claims, requests, others, bounds) = {
        let mut index = context.index();
        let claims = index.claims(&database, &context.parts.objects);
        let pods = |claim: Key| {
            let pods = Pods::of(&claim, &index, &context.parts.objects);
            (claim, pods)
        };
        let claims: Vec<_> = claims.into_iter().map(pods).collect();
        (
            claims,
            index.requests(&database),
            index.autoscalers(&database),
            index.bounds(&key.namespace),
        )
    };
    let mut requests: Vec<_> = requests
        .into_iter()
        .filter_map(|key| Some((key.clone(), context.parts.objects.requests.get(&key)?)))
        .collect();
    requests.sort_by_key(|(_, request)| std::cmp::Reverse(request.created));
    let newest = requests.first().map(|(_, request)| request.as_ref());
    let asked = Asked {
        failed: newest.is_some_and(Request::has_failed),
        seen: requests
            .iter()
            .map(|(_, r)| &r.seen)
            .find(|seen| !seen.is_empty()),
        grown: requests
            .iter()
            .filter(|(_, r)| r.phase == Phase::Successful)
            .filter_map(|(_, r)| r.ended)
            .max(),
    };
    let mut members = Members::default();
    for (claim, pods) in &claims {
        members.add(context, claim, pods, asked, now);
    }
    let postgres = context.parts.objects.postgreses.get(&database);
    let mut profile = members.profile.unwrap_or_default();
    profile.duration = context.memory.learn(key, &profile, &requests);
    let mut db = Database {
        name: database.to_string(),
        exists: postgres.as_ref().is_some_and(|p| !p.deleting),
        other_autoscalers: others
            .into_iter()
            .filter(|other| {
                other != key
                    && context
                        .parts
                        .objects
                        .autoscalers
                        .get(other)
                        .is_some_and(|a| !a.deleting)
            })
            .map(|other| other.name.to_string())
            .collect(),
        spec_size: postgres.as_ref().and_then(|p| p.size),
        floor: match context.parts.mode {
            OperatingMode::Standalone => Bytes::ZERO,
            OperatingMode::Alongside => postgres.as_ref().and_then(|p| p.size).unwrap_or(Bytes::ZERO),
        },
        volumes: members.volumes,
        open_request: open_request(context, &database, autoscaler, &requests, now),
        failed_request: None,
        rooms: rooms::rooms(&context.parts.objects, &bounds, &members.classes),
        no_resizer: members.no_resizer,
        wal_retained: postgres.as_ref().and_then(|p| p.wal_retained.clone()),
        growths: past::growths(autoscaler, &requests),
        modified: past::modified(autoscaler, &requests, &members.edits, members.oldest, now),
    };
    requests.retain(|(_, r)| r.autoscaler == autoscaler.uid);
    let attempt = past::attempt(&db, &requests);
    db.failed_request = past::failed_request(&db, &requests);
    Gathered {
        database,
        database_uid: postgres.map(|p| p.database.uid.clone()).unwrap_or_default(),
        db,
        policy: Policy::read(&autoscaler.policy, context.parts.stale_after),
        profile,
        volumes: members.names,
        before: members.before,
        strangers: members.strangers,
        requests,
        attempt,
    }
}

/// The request that stands in the way of another. One that waits for the database to be Ready does so only if no other
/// one is open, so that it is superseded once.
fn open_request(
    context: &Context,
    database: &Key,
    autoscaler: &Autoscaler,
    requests: &[(Key, Arc<Request>)],
    now: Timestamp,
) -> Option<OpenRequest> {
    let known = |name: &str| requests.iter().any(|(key, _)| *key.name == *name);
    if let Some(name) = context.memory.open_request(database, now, known) {
        return Some(OpenRequest {
            name,
            waits_since: None,
        });
    }
    let waits = |r: &Request| r.waits_for_ready && r.autoscaler == autoscaler.uid;
    let mut open = requests.iter().filter(|(_, r)| r.is_open());
    let (key, request) = open.clone().find(|(_, r)| !waits(r)).or_else(|| open.next())?;
    Some(OpenRequest {
        name: key.name.to_string(),
        waits_since: waits(request).then_some(request.created),
    })
}

/// When a decision may come out differently though nothing is told: at the next moment something gets stale.
pub(crate) fn look_again(gathered: &Gathered, now: Timestamp, stale_after: Duration) -> Duration {
    /// Without anything fresh, and to make up for whatever was missed.
    const SLOW: Duration = Duration::from_secs(30);
    /// Not before, so that many databases do not make a busy loop.
    const SOONEST: Duration = Duration::from_millis(500);
    let seen = gathered
        .db
        .volumes
        .iter()
        .filter_map(|v| v.fresh(now, stale_after));
    let fresh = seen.map(|seen| stale_after.saturating_sub(seen.age(now)));
    let retry = gathered.db.failed_request.iter().filter_map(|failed| {
        let since = Duration::try_from(now.duration_since(failed.at)).unwrap_or(Duration::ZERO);
        failed.wait().checked_sub(since)
    });
    let superseding = gathered.db.open_request.iter().filter_map(|open| open.wait(now));
    let superseding = superseding.filter(|wait| !wait.is_zero());
    let left = fresh.chain(retry).chain(superseding).min();
    left.map_or(SLOW, |left| left.saturating_add(Duration::from_millis(100)))
        .clamp(SOONEST, SLOW)
}
