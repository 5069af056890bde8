//! Everything about a set, and how the core sees it.

use std::collections::BTreeMap;

use api::{
    conditions::find,
    names::{ANNOTATION_UNMANAGED, LABEL_OWNED_BY, OWNED_BY_HIGHWATER},
    petset::v1::{PetSet, PetSetStatus, PodManagementPolicy, Retention, UpdateType, condition},
};
use control::whole::Whole;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::{
    apps::v1::ControllerRevision,
    core::v1::{PersistentVolumeClaim, Pod},
};
use kube::{ResourceExt, core::Selector};
use provisioner_core::petset::{self as core, Bond, Hold, Management, Note, Notes, Status, Trouble, Update};

use super::{claim, pod};
use crate::{error::Error, memory::Remembered, perform::Written, perform::revision};

/// Everything about a set, as it was read; and renewed by what was written since.
pub(crate) struct View {
    pub(crate) set: Whole<PetSet>,
    pub(crate) typed: PetSet,
    pub(crate) selector: Selector,
    pub(crate) pods: Vec<Pod>,
    pub(crate) claims: Vec<PersistentVolumeClaim>,
    pub(crate) revisions: Vec<ControllerRevision>,
    pub(crate) hold: Hold,
    pub(crate) troubles: BTreeMap<String, Trouble>,
    /// When to look again because something was not told yet.
    pub(crate) recheck: Option<Timestamp>,
    /// Nothing was written since it was read.
    pub(crate) is_fresh: bool,
}

impl View {
    pub(crate) fn uid(&self) -> String {
        self.set.uid().unwrap_or_default()
    }

    pub(crate) fn is_unmanaged(&self) -> bool {
        self.set
            .annotations()
            .get(ANNOTATION_UNMANAGED)
            .is_some_and(|value| value == "true")
    }

    pub(crate) fn is_owned(&self) -> bool {
        self.set
            .labels()
            .get(LABEL_OWNED_BY)
            .is_some_and(|value| value == OWNED_BY_HIGHWATER)
    }

    /// An object as it is after a write.
    pub(crate) fn take_in(&mut self, written: Written) -> Result<(), Error> {
        self.is_fresh = false;
        match written {
            Written::Set(set) => {
                self.typed = set.typed()?;
                self.set = *set;
            }
            Written::Pod(pod) => put(&mut self.pods, *pod),
            Written::Claim(claim) => put(&mut self.claims, *claim),
            Written::Revision(revision) => put(&mut self.revisions, *revision),
            Written::NoRevision(name) => self.revisions.retain(|revision| revision.name_any() != name),
            Written::Gone => {}
        }
        Ok(())
    }

    /// As the core sees it.
    pub(crate) fn as_core(&self, remembered: Remembered) -> Result<core::Set, Error> {
        let template = revision::data(&self.set);
        let is_deleted = self.typed.metadata.deletion_timestamp.is_some();
        let pods = self
            .pods
            .iter()
            .filter_map(|pod| pod::as_core(&self.typed, &self.selector, pod));
        // A pod that stopped matching keeps its place while the set goes.
        let pods = pods.filter(|pod| !is_deleted || pod.bond == Bond::Ours).collect();
        let claims = self.claims.iter().map(|claim| {
            let trouble = self.troubles.get(&claim.name_any()).cloned();
            claim::as_core(claim, trouble)
        });
        Ok(core::Set {
            name: self.set.name_any(),
            uid: self.uid(),
            generation: self.typed.metadata.generation.unwrap_or(0),
            is_deleted,
            spec: spec(&self.typed),
            revisions: revision::as_core(&self.revisions, &self.uid(), &template),
            template: serde_json::to_vec(&template).map_err(Error::Template)?,
            collisions: remembered.collisions,
            pods,
            claims: claims.collect(),
            hold: self.hold.clone(),
            failures: remembered.failures,
            stored: self.typed.status.as_ref().map(stored).unwrap_or_default(),
        })
    }
}

fn put<K: ResourceExt>(objects: &mut Vec<K>, object: K) {
    let name = object.name_any();
    match objects.iter_mut().find(|known| known.name_any() == name) {
        Some(known) => *known = object,
        None => objects.push(object),
    }
}

fn spec(set: &PetSet) -> core::Spec {
    let spec = &set.spec;
    let strategy = spec.update_strategy.clone().unwrap_or_default();
    let retention = spec
        .persistent_volume_claim_retention_policy
        .clone()
        .unwrap_or_default();
    let seconds = i64::from(spec.min_ready_seconds.unwrap_or(0).max(0));
    core::Spec {
        replicas: spec.replicas.unwrap_or(1).max(0),
        start: spec.ordinals.as_ref().map_or(0, |ordinals| ordinals.start),
        management: match spec.pod_management_policy {
            Some(PodManagementPolicy::Parallel) => Management::Parallel,
            _ => Management::OrderedReady,
        },
        update: match strategy.type_ {
            Some(UpdateType::OnDelete) => Update::OnDelete,
            _ => Update::Rolling {
                partition: strategy
                    .rolling_update
                    .and_then(|rolling| rolling.partition)
                    .unwrap_or(0),
            },
        },
        min_ready: SignedDuration::from_secs(seconds),
        history_limit: usize::try_from(spec.revision_history_limit.unwrap_or(10)).ok(),
        retention: core::Retention {
            delete_with_set: retention.when_deleted == Some(Retention::Delete),
            delete_when_scaled: retention.when_scaled == Some(Retention::Delete),
        },
        templates: spec
            .volume_claim_templates
            .iter()
            .filter_map(|template| template.metadata.name.clone())
            .collect(),
    }
}

fn stored(status: &PetSetStatus) -> Status {
    let note = |type_: &str| {
        let condition = find(&status.conditions, type_)?;
        Some(Note {
            is_true: condition.is_true(),
            reason: condition.reason.clone().unwrap_or_default(),
            message: condition.message.clone().unwrap_or_default(),
        })
    };
    let hold = status.hold.as_ref();
    Status {
        observed_generation: status.observed_generation,
        // Absent is not zero: what was never written is written.
        replicas: status.replicas.unwrap_or(-1),
        ready: status.ready_replicas.unwrap_or(-1),
        available: status.available_replicas.unwrap_or(-1),
        current: status.current_replicas.unwrap_or(-1),
        updated: status.updated_replicas.unwrap_or(-1),
        current_revision: status.current_revision.clone(),
        update_revision: status.update_revision.clone(),
        collision_count: status.collision_count,
        hold: hold.map(|hold| core::Held {
            ordinal: hold.ordinal,
            uid: hold.uid.clone(),
        }),
        notes: Notes {
            created: note(condition::REPLICAS_CREATED),
            ready: note(condition::REPLICAS_READY),
            held: note(condition::HELD),
        },
    }
}
