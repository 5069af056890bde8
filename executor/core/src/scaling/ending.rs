//! After the last member: the modes, the Postgres, and the way out on every path.

use jiff::Timestamp;
use units::Reason;

use super::{
    goal::Goal,
    leave,
    line::{done_text, progress},
    run::Turn,
};
use crate::{
    attempt,
    observed::{Observed, Target},
    request::{Condition, Request, StreamingMode},
    step::{ConfigChange, SpecChange, Step, Update, Wait},
    texts,
};

/// Settings that were changed for the time of the request, then the mode of replication: what waits for standbys is
/// switched on only when they are there.
pub(super) fn modes(goal: &Goal<'_>, seen: &Observed) -> Turn {
    let Some(cluster) = seen.cluster.says() else {
        let (reason, message) = super::run::obstacle(seen)
            .unwrap_or_else(|| (Reason::PatroniNotAnswering, "Patroni does not answer".to_owned()));
        return Turn::Wait {
            ordinal: goal.members.saturating_sub(1),
            stage: crate::request::MemberStage::Ready,
            reason,
            message,
            safe: true,
        };
    };
    if cluster.member_slots_ttl == Some(0) {
        return Turn::Do(Step::PatchConfig(ConfigChange::KeepSlots));
    }
    let asked = goal.scaling.streaming.is_some();
    if asked && cluster.synchronous != goal.synchronous() {
        return Turn::Do(Step::PatchConfig(ConfigChange::Synchronous(goal.synchronous())));
    }
    Turn::Done
}

/// The work is done: the Postgres is next.
pub(super) fn worked(request: &Request) -> Step {
    let kind = progress(request);
    Step::Note(Update {
        conditions: vec![Condition::new(kind, true, kind, done_text(kind))],
        ..Update::default()
    })
}

/// What the Postgres is to say; none when it says so.
fn change(request: &Request, seen: &Observed) -> Option<SpecChange> {
    let goal = Goal::of(request, seen).ok()?;
    let database = goal.database;
    let differs = |asked: &Option<_>, present: &Option<_>| asked.clone().filter(|_| asked != present);
    let change = SpecChange {
        replicas: Some(goal.members).filter(|members| database.replicas != Some(*members)),
        standby: goal
            .scaling
            .standby
            .clone()
            .filter(|mode| database.standby.as_ref() != Some(mode)),
        streaming: differs(&goal.scaling.streaming, &database.streaming),
    };
    (change != SpecChange::default()).then_some(change)
}

/// Whether all that the request asks for is there.
pub(crate) fn is_complete(request: &Request, seen: &Observed) -> bool {
    seen.database.is_some() && request.record.is_true(progress(request)) && change(request, seen).is_none()
}

/// State `Aligning`.
pub(crate) fn aligning(request: &Request, seen: &Observed, now: Timestamp) -> Step {
    if let Err((reason, what)) = Goal::of(request, seen) {
        return attempt::give_up(request, reason, what);
    }
    if let Some(refusal) = seen.refusals.get(&Target::PostgresSpec) {
        return attempt::give_up(request, refusal.reason, &refusal.message);
    }
    let since = request.record.true_since(progress(request));
    let until = since.map(|since| texts::after(since, request.step_timeout()));
    if until.is_some_and(|until| now >= until) {
        let text = "the Postgres could not be updated in time";
        return attempt::give_up(request, Reason::DeadlineExceeded, text);
    }
    change(request, seen).map_or(
        Step::Wait(Wait {
            reason: Reason::Running,
            until,
        }),
        Step::PatchSpec,
    )
}

/// What is still to be put right when the run has failed or is deleted: the Postgres asks for the members that there
/// are, and Patroni's settings are what the Postgres says.
pub(crate) fn tidy(request: &Request, seen: &Observed) -> Option<Step> {
    let goal = Goal::of(request, seen).ok()?;
    let present = goal.petset.replicas;
    let asynchronous = Some(StreamingMode::Asynchronous);
    // With one member, no commit can wait for a standby: what was asked for and done stays.
    let alone = present == 1 && goal.scaling.streaming == asynchronous;
    let sealed = goal.petset.sealed.as_ref() == Some(&request.uid);
    if !sealed && !seen.refusals.contains_key(&Target::PetSet) {
        return Some(Step::Seal);
    }
    let change = SpecChange {
        replicas: Some(present).filter(|present| goal.database.replicas != Some(*present)),
        streaming: asynchronous.filter(|mode| alone && goal.database.streaming.as_ref() != Some(mode)),
        standby: None,
    };
    if change != SpecChange::default() && !seen.refusals.contains_key(&Target::PostgresSpec) {
        return Some(Step::PatchSpec(change));
    }
    let cluster = seen.cluster.says().filter(|_| seen.credentials.is_none())?;
    let synchronous = goal.database.streaming == Some(StreamingMode::Synchronous);
    let change = match () {
        () if cluster.member_slots_ttl == Some(0) => ConfigChange::KeepSlots,
        () if cluster.synchronous != synchronous => ConfigChange::Synchronous(synchronous),
        () => return None,
    };
    Some(Step::PatchConfig(change))
}

/// What is done or awaited up to the next safe point when the request is deleted: a member that was told to stop has
/// left. One that joins goes on by itself.
pub(crate) fn settle(request: &Request, seen: &Observed, now: Timestamp) -> Option<Step> {
    let goal = Goal::of(request, seen).ok()?;
    let line = leave::left_behind(request, &goal)?;
    match leave::leave(request, &goal, seen, line) {
        Turn::Do(step) => Some(step),
        Turn::Wait { .. } => Some(Step::Wait(Wait {
            reason: Reason::RequestDeleted,
            until: Some(texts::after(now, super::run::LOOK_AGAIN)),
        })),
        Turn::Stop(..) | Turn::Done => None,
    }
}
