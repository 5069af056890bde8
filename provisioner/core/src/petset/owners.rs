//! Owners of claims: whoever a claim names as its owner takes it along when it goes. By the retention policy that is
//! the pod, the set, both or nobody.
//!
//! As `isClaimOwnerUpToDate` and `updateClaimOwnerRefForSetAndPod` of Kubernetes' StatefulSet controller.

use super::{Claim, Pod, Retention, Set};

/// Group and version of a PetSet.
const SET: (&str, &str) = ("apps.k8s.appscode.com/v1", "PetSet");
/// Group and version of a pod.
const POD: (&str, &str) = ("v1", "Pod");

/// An owner reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Group and version.
    pub api_version: String,
    /// Kind.
    pub kind: String,
    /// Name.
    pub name: String,
    /// Uid.
    pub uid: String,
    /// Whether it is the controller.
    pub is_controller: bool,
}

/// Someone who may own.
#[derive(Clone, Copy)]
struct Candidate<'a> {
    kind: (&'a str, &'a str),
    name: &'a str,
    uid: &'a str,
}

impl Candidate<'_> {
    /// Whether the reference means an object of this name and kind, maybe an earlier one.
    fn is_named(self, owner: &Owner) -> bool {
        (owner.api_version.as_str(), owner.kind.as_str()) == self.kind && owner.name == self.name
    }

    fn owns(self, claim: &Claim) -> bool {
        claim.owners.iter().any(|owner| owner.uid == self.uid)
    }

    /// Whether the claim names an earlier one of the same name.
    fn is_stale_in(self, claim: &Claim) -> bool {
        let named = claim.owners.iter().find(|owner| self.is_named(owner));
        named.is_some_and(|owner| owner.uid != self.uid)
    }

    fn reference(self) -> Owner {
        Owner {
            api_version: self.kind.0.to_owned(),
            kind: self.kind.1.to_owned(),
            name: self.name.to_owned(),
            uid: self.uid.to_owned(),
            is_controller: true,
        }
    }
}

/// The owners that the claim of a pod shall have; none if it has them, or if it is not for us to say.
pub(super) fn wanted(set: &Set, pod: &Pod, claim: &Claim) -> Option<Vec<Owner>> {
    let whole = Candidate {
        kind: SET,
        name: &set.name,
        uid: &set.uid,
    };
    let member = Candidate {
        kind: POD,
        name: &pod.name,
        uid: &pod.uid,
    };
    if whole.is_stale_in(claim) || member.is_stale_in(claim) {
        return None;
    }
    let (set_owns, pod_owns) = (whole.owns(claim), member.owns(claim));
    let Retention {
        delete_with_set,
        delete_when_scaled,
    } = set.spec.retention;
    let is_foreign = (delete_with_set || delete_when_scaled)
        && claim
            .owners
            .iter()
            .any(|o| o.is_controller && !whole.is_named(o) && !member.is_named(o));
    let others = claim
        .owners
        .iter()
        .filter(|owner| !whole.is_named(owner) && !member.is_named(owner))
        .cloned();
    if is_foreign {
        return (set_owns || pod_owns).then(|| others.collect());
    }
    let scaled_away = !set.ordinals().contains(&pod.ordinal);
    let pod_shall = delete_when_scaled && scaled_away;
    let set_shall = delete_with_set && !pod_shall;
    let mut ours = claim
        .owners
        .iter()
        .filter(|owner| owner.uid == set.uid || owner.uid == pod.uid);
    if (set_owns, pod_owns) == (set_shall, pod_shall) && ours.all(|owner| owner.is_controller) {
        return None;
    }
    let ours = [(set_shall, whole), (pod_shall, member)];
    let ours = ours
        .into_iter()
        .filter(|(shall, _)| *shall)
        .map(|(_, owner)| owner.reference());
    Some(others.chain(ours).collect())
}

/// Whether the claim belongs to an earlier pod of this name and goes with it: a new pod would lose it.
pub(super) fn goes_with_former_pod(set: &Set, pod: &str, claim: &Claim) -> bool {
    let member = Candidate {
        kind: POD,
        name: pod,
        uid: "",
    };
    set.spec.retention.delete_when_scaled && member.is_stale_in(claim)
}
