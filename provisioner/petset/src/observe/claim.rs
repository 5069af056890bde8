//! Claims, as the core sees them. Pure.

use std::collections::BTreeSet;

use api::petset::v1::PetSet;
use jiff::Timestamp;
use k8s_openapi::{
    api::core::v1::{Event, PersistentVolumeClaim, Pod},
    apimachinery::pkg::apis::meta::v1::OwnerReference,
};
use kube::ResourceExt;
use provisioner_core::petset::{Claim, Owner, Trouble};
use units::Reason;

use super::pod::ordinal;

/// Names of the claims of all ordinals that a set has or shall have.
pub(crate) fn names(set: &PetSet, pods: &[Pod]) -> BTreeSet<String> {
    let name = set.name_any();
    let start = set.spec.ordinals.as_ref().map_or(0, |ordinals| ordinals.start);
    let wanted = start..start.saturating_add(set.spec.replicas.unwrap_or(1).max(0));
    let there = pods.iter().filter_map(|pod| {
        let pod = pod.name_any();
        ordinal(&pod)
            .filter(|(of, _)| *of == name)
            .map(|(_, ordinal)| ordinal)
    });
    let ordinals: BTreeSet<i32> = wanted.chain(there).collect();
    let templates = set.spec.volume_claim_templates.iter();
    templates
        .filter_map(|template| template.metadata.name.as_deref())
        .flat_map(|template| ordinals.iter().map(move |ordinal| (template, ordinal)))
        .map(|(template, ordinal)| format!("{template}-{name}-{ordinal}"))
        .collect()
}

/// Whether it has no volume yet.
pub(crate) fn is_pending(claim: &PersistentVolumeClaim) -> bool {
    let phase = claim.status.as_ref().and_then(|status| status.phase.as_deref());
    phase.is_none_or(|phase| phase == "Pending")
}

/// When it was made.
pub(crate) fn created(claim: &PersistentVolumeClaim) -> Option<Timestamp> {
    claim.metadata.creation_timestamp.as_ref().map(|time| time.0)
}

/// What the newest warning about a claim says.
pub(crate) fn trouble(claim: &PersistentVolumeClaim, events: Vec<Event>) -> Option<Trouble> {
    let at = |event: &Event| {
        let series = event
            .series
            .as_ref()
            .and_then(|series| series.last_observed_time.clone());
        let times = [
            series.map(|time| time.0),
            event.last_timestamp.clone().map(|time| time.0),
        ];
        times
            .into_iter()
            .flatten()
            .max()
            .or_else(|| event.event_time.clone().map(|time| time.0))
    };
    let warnings = events
        .into_iter()
        .filter(|event| event.type_.as_deref() == Some("Warning"));
    let newest = warnings.max_by_key(at)?;
    let name = claim.name_any();
    Some(Trouble {
        reason: Reason::ClaimPending,
        message: format!(
            "claim {name} is not bound: {}",
            newest.message.unwrap_or_default().trim()
        ),
    })
}

/// As the core sees it.
pub(crate) fn as_core(claim: &PersistentVolumeClaim, trouble: Option<Trouble>) -> Claim {
    Claim {
        name: claim.name_any(),
        is_terminating: claim.metadata.deletion_timestamp.is_some(),
        owners: claim.owner_references().iter().map(owner).collect(),
        trouble,
    }
}

fn owner(reference: &OwnerReference) -> Owner {
    Owner {
        api_version: reference.api_version.clone(),
        kind: reference.kind.clone(),
        name: reference.name.clone(),
        uid: reference.uid.clone(),
        is_controller: reference.controller == Some(true),
    }
}
