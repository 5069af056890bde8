//! What the set's status says: counts, revisions, the hold that is kept, and what stands in the way.

use jiff::Timestamp;
use units::Reason;

use super::{
    Claim, Failure, Hold, Object, Pod, Set, Trouble, Update, Verb,
    history::{self, Revisions},
    owners,
};

/// Troubles that a message names; the others are counted.
const NAMED: usize = 3;

/// The status that the set's controller writes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// Generation of the spec that this speaks of.
    pub observed_generation: Option<i64>,
    /// Pods.
    pub replicas: i32,
    /// Pods that run and are ready.
    pub ready: i32,
    /// Pods that have been ready for long enough.
    pub available: i32,
    /// Pods of the current revision that stay.
    pub current: i32,
    /// Pods of the revision being rolled out that stay.
    pub updated: i32,
    /// Name of the current revision.
    pub current_revision: Option<String>,
    /// Name of the revision being rolled out.
    pub update_revision: Option<String>,
    /// How often a revision's name was taken.
    pub collision_count: Option<i32>,
    /// The hold that is kept.
    pub hold: Option<Held>,
    /// Conditions.
    pub notes: Notes,
}

/// The acknowledgement of a hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The ordinal.
    pub ordinal: i32,
    /// Uid of the request.
    pub uid: String,
}

/// Conditions; each is there only while there is something to say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notes {
    /// `ReplicasCreated`: false while a pod or claim cannot be made, changed or deleted.
    pub created: Option<Note>,
    /// `ReplicasReady`: false while something keeps a pod from being ready.
    pub ready: Option<Note>,
    /// `Held`: true while an ordinal is held, false while a hold that does not count stands in the annotation.
    pub held: Option<Note>,
}

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Its status.
    pub is_true: bool,
    /// Its reason.
    pub reason: String,
    /// Its message.
    pub message: String,
}

impl Note {
    fn new(is_true: bool, reason: Reason, message: String) -> Self {
        Self {
            is_true,
            reason: reason.as_str().to_owned(),
            message,
        }
    }
}

/// The status as it should be now.
#[must_use]
pub fn status(set: &Set, now: Timestamp) -> Status {
    match history::revisions(set) {
        Ok(revisions) if !set.is_deleted => of(set, &revisions, now),
        _ => of(set, &history::last_known(set), now),
    }
}

pub(super) fn of(set: &Set, revisions: &Revisions<'_>, now: Timestamp) -> Status {
    let named = |name: &str| (!name.is_empty()).then(|| name.to_owned());
    let count = |test: &dyn Fn(&Pod) -> bool| {
        i32::try_from(set.owned().filter(|pod| test(pod)).count()).unwrap_or(i32::MAX)
    };
    let of = |pod: &Pod, revision: &str| !pod.is_terminating && pod.revision == revision;
    let mut status = Status {
        observed_generation: Some(set.generation),
        replicas: count(&|_| true),
        ready: count(&Pod::runs),
        available: count(&|pod| pod.runs() && pod.is_available(set.spec.min_ready, now)),
        current: count(&|pod| of(pod, revisions.current)),
        updated: count(&|pod| of(pod, revisions.update)),
        current_revision: named(revisions.current),
        update_revision: named(revisions.update),
        collision_count: Some(history::collisions(set)),
        hold: set.hold.held().map(|asked| Held {
            ordinal: asked.ordinal,
            uid: asked.uid.clone(),
        }),
        notes: Notes {
            created: created(set),
            ready: ready(set),
            held: held(&set.hold),
        },
    };
    complete(set, &mut status);
    status
}

/// An update by rolling is complete when every pod has it and is ready.
fn complete(set: &Set, status: &mut Status) {
    let all = set.spec.replicas;
    let is_rolling = matches!(set.spec.update, Update::Rolling { .. });
    if is_rolling && status.updated == all && status.ready == all && status.replicas == all {
        status.current = status.updated;
        status.current_revision.clone_from(&status.update_revision);
    }
}

fn created(set: &Set) -> Option<Note> {
    if set.is_deleted {
        return None;
    }
    let failures = set
        .relevant_failures()
        .map(|(object, failure)| failed(object, failure));
    let missing = set
        .ordinals()
        .filter(|ordinal| set.pod(*ordinal).is_none() && !set.hold.holds(*ordinal));
    let waits = missing.filter_map(|ordinal| blocked(set, ordinal));
    together(failures.chain(waits).collect())
}

fn failed(object: &Object, failure: &Failure) -> Trouble {
    let (reason, verb) = match failure.verb {
        Verb::Create => (Reason::FailedCreate, "create"),
        Verb::Update => (Reason::FailedUpdate, "update"),
        Verb::Delete => (Reason::FailedDelete, "delete"),
    };
    let name = match object {
        Object::Pod(name) => format!("pod {name}"),
        Object::Claim(name) => format!("claim {name}"),
    };
    Trouble {
        reason,
        message: format!("cannot {verb} {name}: {}", failure.message),
    }
}

/// What a pod that is not there waits for, other than its turn.
fn blocked(set: &Set, ordinal: i32) -> Option<Trouble> {
    let pod = set.pod_name(ordinal);
    let claims = set
        .spec
        .templates
        .iter()
        .filter_map(|template| set.claim(template, ordinal));
    let why = |claim: &Claim| {
        if claim.is_terminating {
            Some(format!(
                "pod {pod} waits: its claim {} is being deleted",
                claim.name
            ))
        } else if owners::goes_with_former_pod(set, &pod, claim) {
            Some(format!(
                "pod {pod} waits: its claim {} goes with the pod that was scaled away",
                claim.name
            ))
        } else {
            None
        }
    };
    let message = claims.filter_map(why).next()?;
    Some(Trouble {
        reason: Reason::ClaimTerminating,
        message,
    })
}

fn ready(set: &Set) -> Option<Note> {
    let trouble = |pod: &Pod| {
        if pod.is_ready || pod.is_terminating {
            return None;
        }
        let claims = set.claims.iter().filter(|claim| pod.claims.contains(&claim.name));
        let of_claim = claims.filter_map(|claim| claim.trouble.clone()).next();
        of_claim.or_else(|| pod.trouble.clone())
    };
    let mut pods: Vec<_> = set.owned().collect();
    pods.sort_by_key(|pod| pod.ordinal);
    together(pods.into_iter().filter_map(trouble).collect())
}

fn held(hold: &Hold) -> Option<Note> {
    match hold {
        Hold::None => None,
        Hold::Held(asked) => Some(Note::new(
            true,
            Reason::Held,
            format!(
                "ordinal {} is held for {} until {}",
                asked.ordinal, asked.request, asked.expires
            ),
        )),
        Hold::Over(asked, over) => Some(Note::new(
            false,
            Reason::HoldOver,
            format!(
                "the hold of ordinal {} for {} does not count: {}",
                asked.ordinal,
                asked.request,
                over.text()
            ),
        )),
        Hold::Unreadable(why) => Some(Note::new(false, Reason::InvalidAnnotation, why.clone())),
    }
}

/// One condition for several troubles: the first one's reason, and as many messages as one reads.
fn together(troubles: Vec<Trouble>) -> Option<Note> {
    let reason = troubles.first()?.reason;
    let mut messages: Vec<_> = troubles
        .iter()
        .take(NAMED)
        .map(|trouble| trouble.message.clone())
        .collect();
    if troubles.len() > NAMED {
        messages.push(format!("and {} more", troubles.len().saturating_sub(NAMED)));
    }
    Some(Note::new(false, reason, messages.join("; ")))
}
