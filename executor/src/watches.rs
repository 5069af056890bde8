//! What is watched, and the little that is kept of each object: enough to find what belongs together, and to notice
//! a change. What a step decides about is read afresh ([`crate::observe`]).

use std::hash::{DefaultHasher, Hash, Hasher};

use api::{
    conditions::find,
    join::{Database, Set},
    kubedb::v1::{Postgres, condition},
    names::{ANNOTATION_HOLD, DATA_TEMPLATE, LABEL_ROLE, split_claim},
    ops::v1alpha1::PostgresOpsRequest,
    petset::v1::PetSet,
};
use control::watch::{Store, Watches};
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod};
use kube::ResourceExt;
use runtime::tasks::Tasks;
use serde::Serialize;
use units::Bytes;

use crate::observe::claim::size;

/// All that is watched.
#[derive(Debug, Clone)]
pub(crate) struct Stores {
    pub(crate) requests: Store<SeenRequest>,
    pub(crate) postgreses: Store<SeenPostgres>,
    pub(crate) petsets: Store<SeenSet>,
    pub(crate) claims: Store<SeenClaim>,
    pub(crate) volumes: Store<SeenVolume>,
    pub(crate) pods: Store<SeenPod>,
}

/// What is kept of a request.
#[derive(Debug, PartialEq)]
pub(crate) struct SeenRequest {
    pub(crate) database: String,
    /// Finished, and nothing of ours is left on it.
    pub(crate) is_over: bool,
    /// Of spec, status and metadata that a step looks at.
    digest: u64,
}

/// What is kept of a Postgres.
#[derive(Debug, PartialEq)]
pub(crate) struct SeenPostgres {
    pub(crate) database: Database,
    /// Message of its pause.
    pub(crate) pause: Option<String>,
    digest: u64,
}

/// What is kept of a PetSet.
#[derive(Debug, PartialEq)]
pub(crate) struct SeenSet {
    pub(crate) set: Set,
    /// Of the hold, the number of members, and what its controller says of both.
    digest: u64,
}

/// What is kept of a data claim.
#[derive(Debug, PartialEq)]
pub(crate) struct SeenClaim {
    digest: u64,
}

/// What is kept of a volume.
#[derive(Debug, PartialEq)]
pub(crate) struct SeenVolume {
    /// Namespace and name of the claim it is bound to.
    pub(crate) claim: (String, String),
    capacity: Bytes,
}

/// What is kept of a pod that uses claims.
#[derive(Debug, PartialEq)]
pub(crate) struct SeenPod {
    pub(crate) claims: Vec<String>,
    digest: u64,
}

impl Stores {
    /// Waits until all that is there is known.
    pub(crate) async fn synced(&self) {
        let Self {
            requests,
            postgreses,
            petsets,
            claims,
            volumes,
            pods,
        } = self;
        requests.synced().await;
        postgreses.synced().await;
        petsets.synced().await;
        claims.synced().await;
        volumes.synced().await;
        pods.synced().await;
    }
}

/// Starts the watches.
pub(crate) fn start(watches: &Watches, tasks: &mut Tasks) -> Stores {
    let (requests, task) = watches.all(request);
    tasks.spawn("watch requests", task);
    let (postgreses, task) = watches.all(postgres);
    tasks.spawn("watch postgreses", task);
    let (petsets, task) = watches.all(petset);
    tasks.spawn("watch petsets", task);
    let (claims, task) = watches.all(claim);
    tasks.spawn("watch claims", task);
    let (volumes, task) = watches.all(volume);
    tasks.spawn("watch volumes", task);
    let (pods, task) = watches.all(pod);
    tasks.spawn("watch pods", task);
    Stores {
        requests,
        postgreses,
        petsets,
        claims,
        volumes,
        pods,
    }
}

/// Equal for equal content; a collision would cost one missed change in 2^64.
fn digest(parts: &impl Serialize) -> u64 {
    let mut hasher = DefaultHasher::new();
    serde_json::to_vec(parts).unwrap_or_default().hash(&mut hasher);
    hasher.finish()
}

fn request(object: PostgresOpsRequest) -> Option<SeenRequest> {
    let phase = object.status.as_ref().and_then(|status| status.phase.clone());
    let finalizer = object
        .finalizers()
        .iter()
        .any(|name| name == api::names::FINALIZER);
    let is_final = phase.as_ref().is_some_and(|phase| phase.is_final());
    Some(SeenRequest {
        database: object.spec.database_ref.name.clone(),
        is_over: is_final && !finalizer,
        digest: digest(&(
            &object.spec,
            &object.status,
            &object.metadata.deletion_timestamp,
            finalizer,
        )),
    })
}

fn postgres(object: Postgres) -> Option<SeenPostgres> {
    let conditions = object
        .status
        .as_ref()
        .map(|status| status.conditions.as_slice())
        .unwrap_or_default();
    let paused = find(conditions, condition::PAUSED).filter(|paused| paused.is_true());
    Some(SeenPostgres {
        database: Database::of(&object, |word| word.into())?,
        pause: paused.map(|paused| paused.message.clone().unwrap_or_default()),
        digest: digest(&(&object.spec.storage, &object.status)),
    })
}

fn petset(object: PetSet) -> Option<SeenSet> {
    let status = object.status.clone().unwrap_or_default();
    Some(SeenSet {
        set: Set::of(&object, |word| word.into())?,
        digest: digest(&(
            object.annotations().get(ANNOTATION_HOLD),
            object.spec.replicas,
            status.replicas,
            &status.hold,
        )),
    })
}

fn claim(object: PersistentVolumeClaim) -> Option<SeenClaim> {
    split_claim(&object.name_any(), DATA_TEMPLATE)?;
    Some(SeenClaim {
        digest: digest(&(
            &object.spec,
            &object.status,
            &object.metadata.deletion_timestamp,
            object.uid(),
        )),
    })
}

fn volume(object: PersistentVolume) -> Option<SeenVolume> {
    let spec = object.spec?;
    let claim = spec.claim_ref?;
    Some(SeenVolume {
        claim: (claim.namespace?, claim.name?),
        capacity: size(spec.capacity.as_ref()).unwrap_or(Bytes::ZERO),
    })
}

fn pod(object: Pod) -> Option<SeenPod> {
    let name = object.name_any();
    let role = object.labels().get(LABEL_ROLE).cloned();
    let (uid, deleted) = (object.uid(), object.metadata.deletion_timestamp);
    let spec = object.spec?;
    let volumes = spec.volumes.unwrap_or_default();
    let claims: Vec<_> = volumes
        .into_iter()
        .filter_map(
            |volume| match (volume.persistent_volume_claim, volume.ephemeral) {
                (Some(source), _) => Some(source.claim_name),
                (None, Some(_)) => Some(format!("{name}-{}", volume.name)),
                (None, None) => None,
            },
        )
        .filter(|claim| split_claim(claim, DATA_TEMPLATE).is_some())
        .collect();
    let status = object.status.unwrap_or_default();
    let ready = status
        .conditions
        .unwrap_or_default()
        .into_iter()
        .find(|condition| condition.type_ == "Ready");
    let ready = ready.map(|condition| condition.status);
    let running: Vec<_> = status
        .container_statuses
        .into_iter()
        .flatten()
        .map(|container| container.state.is_some_and(|state| state.running.is_some()))
        .collect();
    (!claims.is_empty()).then(|| SeenPod {
        digest: digest(&(
            uid,
            role,
            deleted,
            &spec.node_name,
            &status.phase,
            &ready,
            running,
        )),
        claims,
    })
}
