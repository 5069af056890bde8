//! Gather: everything that is known of one database, read from memory only, at one moment.

use std::{collections::BTreeMap, time::Duration};

use control::watch::Key;
use decider_core::{Claim as CoreClaim, Database, Policy, Profile, Resize, Room, Usage, Volume};
use jiff::Timestamp;
use units::Bytes;

use super::Context;
use crate::{
    args::OperatingMode,
    objects::{Autoscaler, Before, Claim, Request},
    profiles,
};

mod past;

/// What a decision is made from, and what its performance needs besides.
#[derive(Debug)]
pub(crate) struct Gathered {
    /// The database's key.
    pub(crate) database: Key,
    /// Uid of the Postgres; empty if it does not exist.
    pub(crate) database_uid: String,
    pub(crate) db: Database,
    pub(crate) policy: Policy,
    pub(crate) profile: Profile,
    /// PersistentVolume of each claim.
    pub(crate) volumes: BTreeMap<String, String>,
    /// What each claim has now.
    pub(crate) before: BTreeMap<String, Before>,
    /// This autoscaler's requests that have ended, newest first, with their keys.
    pub(crate) ended: Vec<(Key, std::sync::Arc<Request>)>,
    /// How many of them ended at the present base.
    pub(crate) attempt: u32,
}

/// Gathers for one autoscaler.
pub(crate) fn gather(context: &Context, key: &Key, autoscaler: &Autoscaler, now: Timestamp) -> Gathered {
    let database = Key::new(&key.namespace, &autoscaler.database);
    let (claims, requests, others, mounted) = {
        let mut index = context.index();
        let claims = index.claims(&database, &context.objects);
        let mounted: Vec<bool> = claims.iter().map(|claim| index.is_mounted(claim)).collect();
        (
            claims,
            index.requests(&database),
            index.autoscalers(&database),
            mounted,
        )
    };
    let mut requests: Vec<_> = requests
        .into_iter()
        .filter_map(|key| Some((key.clone(), context.objects.requests.get(&key)?)))
        .collect();
    requests.sort_by_key(|(_, request)| std::cmp::Reverse(request.created));
    let newest = requests.first().map(|(_, request)| request.as_ref());
    let failed = newest.is_some_and(Request::has_failed);
    let seen = requests
        .iter()
        .map(|(_, r)| &r.seen)
        .find(|seen| !seen.is_empty());

    let mut members = Members::default();
    for (claim, mounted) in claims.iter().zip(mounted) {
        members.add(context, claim, mounted, failed, seen, now);
    }
    let postgres = context.objects.postgreses.get(&database);
    let known = |name: &str| requests.iter().any(|(key, _)| *key.name == *name);
    let open = requests
        .iter()
        .find(|(_, r)| r.is_open())
        .map(|(key, _)| key.name.to_string());
    let profile = members.profile.unwrap_or_default();
    let mut db = Database {
        name: database.to_string(),
        exists: postgres.as_ref().is_some_and(|p| !p.deleting),
        other_autoscalers: others
            .into_iter()
            .filter(|other| {
                other != key
                    && context
                        .objects
                        .autoscalers
                        .get(other)
                        .is_some_and(|a| !a.deleting)
            })
            .map(|other| other.name.to_string())
            .collect(),
        spec_size: postgres.as_ref().and_then(|p| p.size),
        floor: match context.mode {
            OperatingMode::Standalone => Bytes::ZERO,
            OperatingMode::Alongside => postgres.as_ref().and_then(|p| p.size).unwrap_or(Bytes::ZERO),
        },
        volumes: members.volumes,
        open_request: open.or_else(|| context.memory.open_request(&database, now, known)),
        failed_request: None,
        rooms: rooms(context, &key.namespace, &members.classes),
        growths: past::growths(autoscaler, &requests),
    };
    let ended: Vec<_> = requests
        .into_iter()
        .filter(|(_, r)| r.autoscaler == autoscaler.uid && !r.is_open())
        .collect();
    let attempt = past::attempt(&db, &ended);
    db.failed_request = past::failed_request(&db, &ended);
    Gathered {
        database,
        database_uid: postgres.map(|p| p.database.uid.clone()).unwrap_or_default(),
        db,
        policy: Policy::read(&autoscaler.policy, context.stale_after),
        profile,
        volumes: members.names,
        before: members.before,
        ended,
        attempt,
    }
}

/// The claims of a database as they are collected.
#[derive(Default)]
struct Members {
    volumes: Vec<Volume>,
    names: BTreeMap<String, String>,
    before: BTreeMap<String, Before>,
    classes: Vec<String>,
    profile: Option<Profile>,
}

impl Members {
    /// Adds a claim that is bound to a volume which is bound to it. Others have no size yet, or none any more.
    fn add(
        &mut self,
        context: &Context,
        key: &Key,
        mounted: bool,
        failed: bool,
        seen: Option<&BTreeMap<String, Before>>,
        now: Timestamp,
    ) {
        let Some(claim) = context.objects.claims.get(key).filter(|c| c.bound && !c.deleting) else {
            return;
        };
        let device = context.objects.volumes.get(&Key::new("", &claim.volume));
        let Some(device) = device.filter(|v| v.claim_uid == claim.uid || v.claim_uid.is_empty()) else {
            return;
        };
        let usage = context.store.usage(&claim.volume, now, context.stale_after);
        let filesystem = match &usage {
            Usage::Seen(seen) => Some(seen.sample.usage.capacity),
            Usage::Never | Usage::Refused { .. } => None,
        };
        let class = context.objects.classes.get(&Key::new("", &claim.class));
        let profile = profiles::profile(&claim.class, class.as_deref(), &context.objects.profiles);
        self.profile = Some(match self.profile.take() {
            None => profile,
            Some(others) => others.stricter(profile),
        });
        let name = key.name.to_string();
        let by_request = seen
            .and_then(|s| s.get(&name))
            .filter(|before| claim.capacity.get() > before.claim);
        let by_others = context.memory.before_growth(&claim, filesystem, now);
        self.before.insert(
            name.clone(),
            Before {
                claim: claim.capacity.get(),
                filesystem: filesystem.unwrap_or(Bytes::ZERO).get(),
            },
        );
        self.names.insert(name.clone(), claim.volume.clone());
        if !self.classes.contains(&claim.class) {
            self.classes.push(claim.class.clone());
        }
        self.volumes.push(Volume {
            resize: resize(&claim, device.capacity, mounted, failed),
            before_growth: by_request
                .map(|before| Bytes::new(before.filesystem))
                .or(by_others),
            usage,
            claim: CoreClaim {
                name,
                request: claim.request,
                capacity: claim.capacity,
                device: device.capacity,
                charged: claim.request.max(claim.allocated),
                mounted,
                class: claim.class.clone(),
                expandable: class.is_some_and(|class| class.expandable),
                other_controller: claim.other_controller.clone(),
            },
        });
    }
}

/// Where a claim is in being resized. `failed` is the end of the request made last.
fn resize(claim: &Claim, device: Bytes, mounted: bool, failed: bool) -> Resize {
    if claim.resize.ends_with("Infeasible") {
        return Resize::Infeasible;
    }
    if claim.request <= claim.capacity && claim.resize.is_empty() {
        return Resize::Settled;
    }
    if failed {
        return Resize::Abandoned;
    }
    if !mounted && device >= claim.request {
        // Its filesystem grows at the next mount; a member that is down must not keep the others from growing.
        return Resize::Settled;
    }
    let state = if claim.resize.is_empty() {
        "nobody has begun"
    } else {
        &claim.resize
    };
    Resize::InFlight {
        what: format!("asks for {}, has {}, {state}", claim.request, claim.capacity),
    }
}

/// Room that quotas and limit ranges of the namespace leave for claims of these classes.
fn rooms(context: &Context, namespace: &str, classes: &[String]) -> Vec<Room> {
    let here = |key: &Key| *key.namespace == *namespace;
    let quotas = context.objects.quotas.matching(|key, _| here(key));
    let limits = context.objects.limits.matching(|key, _| here(key));
    let sums = quotas.iter().flat_map(|(key, quota)| {
        let ours = quota
            .left
            .iter()
            .filter(|(class, _)| class.as_ref().is_none_or(|c| classes.contains(c)));
        ours.map(|(_, left)| Room::Sum {
            what: format!("ResourceQuota {}", key.name),
            left: *left,
        })
    });
    let each = limits.iter().map(|(key, limit)| Room::Each {
        what: format!("LimitRange {}", key.name),
        max: limit.max,
    });
    let mut rooms: Vec<Room> = sums.chain(each).collect();
    rooms.sort_by_key(|room| match room {
        Room::Sum { what, .. } | Room::Each { what, .. } => what.clone(),
    });
    rooms
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
    let left = fresh.chain(retry).min();
    left.map_or(SLOW, |left| left.saturating_add(Duration::from_millis(100)))
        .clamp(SOONEST, SLOW)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(request: u64, capacity: u64, resize: &str) -> Claim {
        let (request, capacity) = (Bytes::new(request), Bytes::new(capacity));
        Claim {
            request,
            capacity,
            resize: resize.into(),
            ..Claim::default()
        }
    }

    #[test]
    fn where_a_claim_is_in_being_resized() {
        let in_flight = |r: &Resize| matches!(r, Resize::InFlight { .. });
        let of = |claim: &Claim, device, mounted, failed| resize(claim, Bytes::new(device), mounted, failed);
        assert_eq!(of(&claim(2, 2, ""), 2, true, false), Resize::Settled);
        assert!(in_flight(&of(&claim(3, 2, ""), 2, true, false)));
        assert!(
            in_flight(&of(&claim(3, 3, "NodeResizePending"), 3, true, false)),
            "not before the status is clear"
        );
        for word in ["ControllerResizeInfeasible", "NodeResizeInfeasible"] {
            assert_eq!(of(&claim(3, 2, word), 2, true, false), Resize::Infeasible);
        }
        let stuck = claim(3, 2, "ControllerResizeInProgress");
        assert_eq!(of(&stuck, 2, true, true), Resize::Abandoned, "its request failed");
        assert!(in_flight(&of(&stuck, 2, false, false)));
        let down = claim(3, 2, "NodeResizePending");
        assert_eq!(
            of(&down, 3, false, false),
            Resize::Settled,
            "it waits for its mount, not for us"
        );
        assert!(in_flight(&of(&down, 3, true, false)));
    }
}
