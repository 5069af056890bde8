//! What is watched, and the little that is kept of each object: enough to notice a change and to know whose it is. What
//! is decided about is read afresh ([`crate::observe`]).

use std::{
    collections::{BTreeSet, HashMap},
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, PoisonError},
};

use api::{
    names::{ANNOTATION_UNMANAGED, LABEL_OWNED_BY, OWNED_BY_HIGHWATER},
    ops::v1alpha1::PostgresOpsRequest,
    petset::v1::{Hold, PetSet},
};
use control::watch::{Change, Key, Store, Watches};
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use kube::ResourceExt;
use runtime::tasks::Tasks;
use serde::Serialize;

use crate::observe::pod::{controlling_set, ordinal};

/// All that is watched.
#[derive(Debug, Clone)]
pub(crate) struct Stores {
    pub(crate) sets: Store<SeenSet>,
    pub(crate) pods: Store<SeenPod>,
    pub(crate) claims: Store<SeenClaim>,
    pub(crate) requests: Store<SeenRequest>,
    /// Names of the pods that name a set as their controller, by set.
    owned: Arc<Mutex<HashMap<Key, BTreeSet<String>>>>,
}

/// What is kept of a set.
#[derive(Debug, PartialEq)]
pub(crate) struct SeenSet {
    /// Names of its claim templates.
    pub(crate) templates: Vec<String>,
    /// The request that its hold names.
    pub(crate) hold_request: Option<String>,
    /// It is somebody else's to look after.
    pub(crate) is_unmanaged: bool,
    /// It carries our ownership label.
    pub(crate) is_owned: bool,
    digest: u64,
}

/// What is kept of a pod with an ordinal.
#[derive(Debug, PartialEq)]
pub(crate) struct SeenPod {
    /// Name of the set that controls it, or by its name would.
    pub(crate) set: String,
    /// Whether that set controls it.
    pub(crate) is_controlled: bool,
    digest: u64,
}

/// What is kept of a claim with an ordinal.
#[derive(Debug, PartialEq)]
pub(crate) struct SeenClaim {
    digest: u64,
}

/// What is kept of a request.
#[derive(Debug, PartialEq)]
pub(crate) struct SeenRequest {
    is_final: bool,
    uid: String,
}

impl Stores {
    /// Waits until all that is there is known.
    pub(crate) async fn synced(&self) {
        let Self {
            sets,
            pods,
            claims,
            requests,
            owned: _,
        } = self;
        sets.synced().await;
        pods.synced().await;
        claims.synced().await;
        requests.synced().await;
    }

    /// Names of the pods that name the set as their controller.
    pub(crate) fn pods_of(&self, set: &Key) -> Vec<String> {
        let owned = self.owned.lock().unwrap_or_else(PoisonError::into_inner);
        owned.get(set).into_iter().flatten().cloned().collect()
    }

    /// Takes in whose pod it was and is.
    pub(crate) fn pod_changed(&self, change: &Change<SeenPod>) {
        let Change { key, old, new } = change;
        let set = |pod: &Arc<SeenPod>| key.beside(&pod.set);
        let mut owned = self.owned.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(set) = old.as_ref().filter(|pod| pod.is_controlled).map(set)
            && let Some(names) = owned.get_mut(&set)
        {
            names.remove(&*key.name);
            if names.is_empty() {
                owned.remove(&set);
            }
        }
        if let Some(set) = new.as_ref().filter(|pod| pod.is_controlled).map(set) {
            owned.entry(set).or_default().insert(key.name.to_string());
        }
    }

    /// The sets whose claim this would be by its name: `<template>-<set>-<ordinal>`.
    pub(crate) fn sets_of_claim(&self, claim: &Key) -> Vec<Key> {
        let Some((rest, _)) = claim.name.rsplit_once('-') else {
            return Vec::new();
        };
        let split = |at: usize| Some((rest.get(..at)?, rest.get(at.saturating_add(1)..)?));
        let is_set = |(template, set): (&str, &str)| {
            let key = claim.beside(set);
            let seen = self.sets.get(&key)?;
            seen.templates.iter().any(|name| name == template).then_some(key)
        };
        rest.match_indices('-')
            .filter_map(|(at, _)| split(at))
            .filter_map(is_set)
            .collect()
    }
}

/// Starts the watches.
pub(crate) fn start(watches: &Watches, tasks: &mut Tasks) -> Stores {
    let (sets, task) = watches.all(set);
    tasks.spawn("petset: watch petsets", task);
    let (pods, task) = watches.all(pod);
    tasks.spawn("petset: watch pods", task);
    let (claims, task) = watches.all(claim);
    tasks.spawn("petset: watch claims", task);
    let (requests, task) = watches.all(request);
    tasks.spawn("petset: watch requests", task);
    Stores {
        sets,
        pods,
        claims,
        requests,
        owned: Arc::default(),
    }
}

/// Equal for equal content; a collision would cost one missed change in 2^64.
fn digest(parts: &impl Serialize) -> u64 {
    let mut hasher = DefaultHasher::new();
    serde_json::to_vec(parts).unwrap_or_default().hash(&mut hasher);
    hasher.finish()
}

/// Without the status, which is ours to write.
fn set(object: PetSet) -> Option<SeenSet> {
    let is = |value: Option<&String>, wanted: &str| value.is_some_and(|value| value == wanted);
    let templates = &object.spec.volume_claim_templates;
    Some(SeenSet {
        templates: templates
            .iter()
            .filter_map(|template| template.metadata.name.clone())
            .collect(),
        hold_request: Hold::of(&object).ok().flatten().map(|hold| hold.request),
        is_unmanaged: is(object.annotations().get(ANNOTATION_UNMANAGED), "true"),
        is_owned: is(object.labels().get(LABEL_OWNED_BY), OWNED_BY_HIGHWATER),
        digest: digest(&(
            &object.metadata.uid,
            &object.metadata.generation,
            &object.metadata.annotations,
            &object.metadata.deletion_timestamp,
        )),
    })
}

fn pod(object: Pod) -> Option<SeenPod> {
    let controller = controlling_set(&object.metadata);
    let named = ordinal(&object.name_any()).map(|(set, _)| set.to_owned());
    let is_controlled = controller.is_some();
    let set = controller.map(|owner| owner.name.clone()).or(named)?;
    let status = object.status.as_ref();
    Some(SeenPod {
        set,
        is_controlled,
        digest: digest(&(
            (&object.metadata.uid, &object.metadata.deletion_timestamp),
            (&object.metadata.labels, &object.metadata.owner_references),
            status.map(|status| (&status.phase, &status.conditions)),
            status.map(|status| (&status.container_statuses, &status.init_container_statuses)),
        )),
    })
}

fn claim(object: PersistentVolumeClaim) -> Option<SeenClaim> {
    ordinal(&object.name_any())?;
    let phase = object.status.as_ref().and_then(|status| status.phase.as_ref());
    Some(SeenClaim {
        digest: digest(&(
            (&object.metadata.uid, &object.metadata.deletion_timestamp),
            (&object.metadata.owner_references, phase),
        )),
    })
}

fn request(object: PostgresOpsRequest) -> Option<SeenRequest> {
    let phase = object.status.as_ref().and_then(|status| status.phase.as_ref());
    Some(SeenRequest {
        is_final: phase.is_some_and(|phase| phase.is_final()),
        uid: object.uid().unwrap_or_default(),
    })
}
