//! The members of a database: each claim with its volume, its pods and what is measured of it.

use std::collections::BTreeMap;

use arcstr::ArcStr;
use control::watch::Key;
use decider_core::{Claim as CoreClaim, Profile, Resize, Usage, Volume};
use jiff::Timestamp;
use units::{Bytes, Reason};

use super::{Context, Pods};
use crate::{
    objects::{Before, Claim},
    profiles,
};

/// The claims of a database as they are collected.
#[derive(Default)]
pub(super) struct Members {
    pub(super) volumes: Vec<Volume>,
    /// PersistentVolume of each claim.
    pub(super) names: BTreeMap<String, ArcStr>,
    /// What each claim has now.
    pub(super) before: BTreeMap<String, Before>,
    /// Since when somebody speaks of a claim's volume for a pod that is not known.
    pub(super) strangers: BTreeMap<String, Timestamp>,
    pub(super) classes: Vec<ArcStr>,
    /// When the first of them was made.
    pub(super) oldest: Option<Timestamp>,
    /// The sizes that somebody asked for on a claim itself, and when.
    pub(super) edits: Vec<(Bytes, Timestamp)>,
    pub(super) profile: Option<Profile>,
    /// What shows that nobody resizes them.
    pub(super) no_resizer: Option<String>,
}

/// What the requests of a database say of all its claims.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    /// The request made last has failed.
    pub(super) failed: bool,
    /// What each claim had when the newest one was decided.
    pub(super) seen: Option<&'a BTreeMap<String, Before>>,
    /// When the newest one that succeeded had.
    pub(super) grown: Option<Timestamp>,
}

impl Members {
    /// Adds a claim that is bound to a volume which is bound to it. Others have no size yet, or none any more.
    pub(super) fn add(
        &mut self,
        context: &Context,
        key: &Key,
        pods: &Pods,
        asked: Asked<'_>,
        now: Timestamp,
    ) {
        let parts = &context.parts;
        let Some(claim) = parts.objects.claims.get(key).filter(|c| c.bound && !c.deleting) else {
            return;
        };
        let device = parts.objects.volumes.get(&Key::of_cluster(&claim.volume));
        let Some(device) = device.filter(|v| v.claim_uid == claim.uid || v.claim_uid.is_empty()) else {
            return;
        };
        let name = key.name.to_string();
        let mounted = pods.mount();
        let usage = self.usage(context, &name, &claim.volume, pods, now);
        let filesystem = match &usage {
            Usage::Seen(seen) => Some(seen.sample.usage.capacity),
            Usage::Never | Usage::Refused { .. } => None,
        };
        let class = parts.objects.classes.get(&Key::of_cluster(&claim.class));
        if !self.classes.contains(&claim.class) {
            let profile = profiles::profile(&claim.class, class.as_deref(), &parts.objects.profiles);
            self.profile = Some(match self.profile.take() {
                None => profile,
                Some(others) => others.stricter(profile),
            });
            self.classes.push(claim.class.clone());
            let gone = || no_resizer(context, &class.as_deref()?.provisioner, asked.grown);
            self.no_resizer = self.no_resizer.take().or_else(gone);
        }
        let by_request = asked
            .seen
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
        self.edits.extend(claim.edited.map(|at| (claim.request, at)));
        self.oldest = [self.oldest, claim.created].into_iter().flatten().min();
        self.names.insert(name.clone(), claim.volume.clone());
        self.volumes.push(Volume {
            resize: resize(&claim, device.capacity, mounted, asked.failed),
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
                class: claim.class.to_string(),
                expandable: class.is_some_and(|class| class.expandable),
                other_controller: claim.other_controller.as_deref().map(str::to_owned),
            },
        });
    }

    /// What is measured of a volume for pods that mount it. Of a claim that no pod mounts nothing can be measured,
    /// whoever says otherwise.
    fn usage(&mut self, context: &Context, claim: &str, pv: &str, pods: &Pods, now: Timestamp) -> Usage {
        let (store, stale_after) = (&context.parts.store, context.parts.stale_after);
        let known = |mount: &_| pods.know(mount);
        let usage = store.usage(pv, now, stale_after, known);
        if !matches!(
            &usage,
            Usage::Refused {
                reason: Reason::UnknownPod,
                ..
            }
        ) {
            return usage;
        }
        if !pods.mount() {
            return Usage::Never;
        }
        if let Some(since) = store.stranger(pv, now, stale_after, known) {
            self.strangers.insert(claim.to_owned(), since);
        }
        usage
    }
}

/// What shows that nobody resizes the volumes of a driver. Of a Lease that was given up before the last growth, at `grown`, nothing
/// is to be learned: whoever resized then does without.
fn no_resizer(context: &Context, driver: &str, grown: Option<Timestamp>) -> Option<String> {
    let resizers = &context.parts.objects.resizers;
    // Nearly always; a key is words made anew for each claim's class.
    if resizers.is_empty() {
        return None;
    }
    let gone = resizers.get(&Key::new("", driver))?;
    if grown > Some(gone.given_up) {
        return None;
    }
    let since = gone
        .renewed
        .map_or_else(String::new, |renewed| format!(" since {renewed:.0}"));
    let lease = &gone.lease;
    Some(format!(
        "the resizer of driver {driver} is gone: Lease {lease} has not been renewed{since}; if it runs without leader election, delete the Lease"
    ))
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
