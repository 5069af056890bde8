//! A database that is being deleted: what goes, in an order that cannot lose data by mistake.
//!
//! Set, then pods, then claims, then Patroni's state, then Secrets, then our finalizer. A claim goes only when no pod is
//! left, so that no member writes to a volume, or is elected, while others' volumes go. What has an owner reference goes
//! with the Postgres, by Kubernetes' garbage collector.

use super::plan::{Deletion, Object, Observed, Policy, Standing, Step};

/// The write that comes next, for a database that is being deleted.
#[must_use]
pub fn next(seen: &Observed, deletion: Deletion) -> Step {
    if !seen.finalizer {
        return Step::Nothing;
    }
    if deletion.orphan {
        return Step::Release;
    }
    if deletion.policy == Policy::DoNotTerminate {
        return Step::Nothing;
    }
    match seen.standing(Object::Set) {
        Standing::Same | Standing::Differs | Standing::Unwanted => return Step::Remove(Object::Set),
        Standing::Ending => return Step::Nothing,
        // Absent, or somebody else's.
        Standing::Absent | Standing::Unneeded | Standing::NotOurs => {}
    }
    if !seen.pods.is_empty() || deletion.policy == Policy::Halt {
        let waits = !seen.pods.is_empty();
        return if waits { Step::Nothing } else { Step::Release };
    }
    if let Some(claim) = seen.claims.iter().find(|claim| !claim.ending) {
        return Step::RemoveClaim(claim.name.clone());
    }
    rest(seen, deletion.policy).map_or(Step::Release, Step::Remove)
}

/// Patroni's state goes with the data it describes; Secrets only when everything goes.
fn rest(seen: &Observed, policy: Policy) -> Option<Object> {
    let secrets = [Object::Auth, Object::Credentials];
    let secrets = secrets.into_iter().filter(|_| policy == Policy::WipeOut);
    Object::STORE
        .into_iter()
        .chain(secrets)
        .find(|object| matches!(seen.standing(*object), Standing::Same | Standing::Differs))
}

/// Why nothing happens to a database that is being deleted, in words; none when it goes on.
#[must_use]
pub fn waits(seen: &Observed, deletion: Deletion) -> Option<String> {
    if deletion.orphan {
        return None;
    }
    if deletion.policy == Policy::DoNotTerminate {
        return Some(
            "spec.deletionPolicy is DoNotTerminate: nothing is removed. To let it go, set another deletionPolicy".to_owned(),
        );
    }
    let names: Vec<_> = seen.pods.iter().map(|pod| pod.name.as_str()).collect();
    (!names.is_empty()).then(|| {
        format!(
            "claims are kept until these pods have ended: {}. If a node is gone for good, delete its pods with --force",
            names.join(", ")
        )
    })
}
