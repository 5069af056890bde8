//! Whose turn it is: a member that leaves before all others, then one that joins, then the next.

use std::time::Duration;

use jiff::Timestamp;
use units::Reason;

use super::{
    down, ending,
    goal::Goal,
    leave,
    line::{at_stage, note},
    up,
};
use crate::{
    attempt,
    observed::{Observed, Target},
    pending, queue,
    request::{MemberStage, Request},
    step::{Step, Wait},
    texts,
};

/// Patroni's state is not watched: it is looked at again after this time.
pub(super) const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// What one member needs next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Turn {
    /// This.
    Do(Step),
    /// It waits.
    Wait {
        /// Whose turn it is.
        ordinal: u32,
        /// How far it is.
        stage: MemberStage,
        /// The cause.
        reason: Reason,
        /// Its particulars.
        message: String,
        /// Whether another request may run meanwhile: the database is whole, or as whole as it gets.
        safe: bool,
    },
    /// It cannot be done.
    Stop(Reason, String),
    /// Nothing.
    Done,
}

/// State `Scaling`.
pub(crate) fn scaling(request: &Request, seen: &Observed, now: Timestamp) -> Step {
    let goal = match Goal::of(request, seen) {
        Ok(goal) => goal,
        Err((reason, what)) => return attempt::give_up(request, reason, what),
    };
    if let Some(refusal) = refusal(seen) {
        return attempt::give_up(request, refusal.0, &refusal.1);
    }
    match turn(request, &goal, seen) {
        Turn::Do(step) if step.update().is_none() && attempt::is_late(request, seen, now) => {
            late(request, seen, trouble(seen, &step))
        }
        Turn::Do(step) => step,
        Turn::Stop(reason, what) => attempt::give_up(request, reason, &what),
        Turn::Done => ending::worked(request),
        Turn::Wait {
            ordinal,
            stage,
            reason,
            message,
            safe,
        } => {
            let about = format!("member {ordinal}: {message}");
            match queue::urgent(seen).filter(|_| safe) {
                Some(urgent) => pending::give_way(request, urgent),
                None if attempt::is_late(request, seen, now) => late(request, seen, (reason, about)),
                None => {
                    let line = at_stage(request, ordinal, stage, reason, message);
                    note(request, line, Vec::new()).unwrap_or_else(|| wait(request, seen, reason, now))
                }
            }
        }
    }
}

/// The order is the rule: nobody else leaves or joins before the one that is leaving has left.
fn turn(request: &Request, goal: &Goal<'_>, seen: &Observed) -> Turn {
    let leaving = leave::left_behind(request, goal);
    if let Some(line) = leaving {
        return leave::leave(request, goal, seen, line);
    }
    let turn = match goal.petset.replicas {
        replicas if replicas > goal.members => down::remove(request, goal, seen, replicas - 1),
        replicas => up::add(request, goal, seen, replicas),
    };
    match turn {
        Turn::Done => ending::modes(goal, seen),
        turn => turn,
    }
}

fn wait(request: &Request, seen: &Observed, reason: Reason, now: Timestamp) -> Step {
    let soon = texts::after(now, LOOK_AGAIN);
    Step::Wait(Wait {
        reason,
        until: attempt::deadline(request, seen)
            .filter(|deadline| *deadline > now)
            .min(Some(soon))
            .or(Some(soon)),
    })
}

/// A write that the API server refuses for good.
fn refusal(seen: &Observed) -> Option<(Reason, String)> {
    let refused = |(target, _): &(&Target, _)| !matches!(target, Target::Request);
    let (_, refusal) = seen.refusals.iter().find(refused)?;
    Some((refusal.reason, refusal.message.clone()))
}

/// What members said to this step when it was last tried.
fn trouble(seen: &Observed, step: &Step) -> (Reason, String) {
    let told = step.target().and_then(|target| seen.troubles.get(&target));
    match told {
        Some(trouble) => (trouble.reason, trouble.message.clone()),
        None => (
            Reason::DeadlineExceeded,
            format!("{} is still to be done", step.name()),
        ),
    }
}

/// What was being waited for is no cause by itself.
fn late(request: &Request, seen: &Observed, (reason, about): (Reason, String)) -> Step {
    let reason = match reason {
        Reason::Joining | Reason::Leaving | Reason::HandingOver | Reason::Running => Reason::DeadlineExceeded,
        cause => cause,
    };
    let text = format!(
        "not finished within {} s: {about}",
        request.step_timeout().as_secs()
    );
    attempt::run_again(request, seen, reason, &text)
}

/// What keeps anything from being done at all: nobody can be asked, or nobody leads.
pub(super) fn obstacle(seen: &Observed) -> Option<(Reason, String)> {
    if let Some(trouble) = &seen.credentials {
        return Some((trouble.reason, trouble.message.clone()));
    }
    if seen.cluster.says().is_none() {
        let trouble = seen.cluster.trouble();
        return Some(trouble.map_or_else(
            || (Reason::PatroniNotAnswering, "Patroni was not asked".to_owned()),
            |trouble| (trouble.reason, trouble.message.clone()),
        ));
    }
    let Some(leader) = seen.leader().filter(|leader| leader.is_running()) else {
        return Some((Reason::NoLeader, "no member leads".to_owned()));
    };
    let trouble = leader.sql.trouble()?;
    Some((
        trouble.reason,
        format!("leader {}: {}", leader.name, trouble.message),
    ))
}
