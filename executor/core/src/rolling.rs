//! Members replaced one after the other: other resources, or only a restart. Whose turn it is: [`crate::turns`].
//!
//! Restart: a member is done when its pod is another than when the run began. VerticalScaling: when its pod has the resources
//! asked for; the PetSet's pod template has them first, so that whoever makes a pod makes it with them.

mod in_place;
mod vertical;

use jiff::Timestamp;
use units::Reason;

use crate::{
    attempt,
    checks::{self, Obstacle},
    lines,
    observed::{Member, Observed, Refusal, Target},
    offline, pause, pending, queue,
    request::{Condition, MemberStage, Operation, Request},
    step::{Step, Update, Wait},
    texts,
    turns::{self, Turn},
};

/// The condition that says how far the work is.
pub(crate) fn progress(request: &Request) -> Reason {
    match &request.operation {
        Operation::VerticalScaling(_) => Reason::VerticalScaling,
        _ => Reason::Restart,
    }
}

/// What the request alone shows.
pub(crate) fn spec(request: &Request) -> Result<(), Obstacle> {
    match &request.operation {
        Operation::VerticalScaling(section) => vertical::spec(section.as_ref()),
        _ => Ok(()),
    }
}

/// What the database and what is around it show.
pub(crate) fn world(request: &Request, seen: &Observed, _now: Timestamp) -> Result<(), Obstacle> {
    checks::rollable(request, seen)
}

/// The members that a run begins with.
pub(crate) fn plan(request: &Request, seen: &Observed) -> Update {
    Update {
        members: Some(lines::plan(request, seen)),
        ..Update::default()
    }
}

/// Whether all that the request asks for is there.
pub(crate) fn is_complete(request: &Request, seen: &Observed) -> bool {
    let database = seen.database.as_ref();
    let spec = vertical::wanted(request)
        .is_none_or(|wanted| database.is_some_and(|database| database.resources.same(wanted)));
    request.record.is_true(progress(request)) && spec
}

/// State `Rolling`.
pub(crate) fn rolling(request: &Request, seen: &Observed, now: Timestamp) -> Step {
    if let Some(refusal) = refusal(seen) {
        return attempt::give_up(request, refusal.reason, &refusal.message);
    }
    if let Some(step) = vertical::template(request, seen) {
        return step;
    }
    // A pod made before the controller has seen the template would be one of before.
    if seen.petset.as_ref().is_none_or(|set| set.present.is_none()) {
        let text = "the PetSet's controller has not seen the PetSet as it is now";
        return lines::wait(request, seen, now, Reason::PetSetNotAnswering, text);
    }
    if in_place::is_on(request) {
        return in_place::rolling(request, seen, now);
    }
    let todo = |member: &Member| is_todo(request, member);
    let turn = turns::next(request, seen, now, todo, |_| true);
    carry_out(request, seen, now, turn)
}

fn carry_out(request: &Request, seen: &Observed, now: Timestamp, turn: Turn<'_>) -> Step {
    let begins = !matches!(turn, Turn::Leaderless | Turn::LedAgain | Turn::Over);
    if let Some(urgent) = queue::urgent(seen).filter(|_| begins) {
        return pending::give_way(request, urgent);
    }
    match turn {
        Turn::Over => over(request, seen),
        Turn::Wait(reason, what) => lines::wait(request, seen, now, reason, &what),
        Turn::Leaderless => lines::led(request, true),
        Turn::LedAgain => lines::led(request, false),
        Turn::HandOver { leader, candidate } => offline::hand_over(request, seen, leader, candidate, now),
        Turn::Stop(member) => replace(request, seen, member, now),
    }
}

/// The turn is written down before it begins: its time counts from then.
fn replace(request: &Request, seen: &Observed, member: &Member, now: Timestamp) -> Step {
    let Some(pod) = member.pod.as_ref().filter(|pod| !pod.terminating) else {
        let text = turns::absence(seen, member);
        return lines::wait(request, seen, now, Reason::Stopping, &text);
    };
    if !lines::is_at(request, member.ordinal, MemberStage::Replacing) {
        let text = format!("{} is started again", member.name);
        let what = (Reason::Restarting, &*text);
        let done = standbys_done(request, seen, member);
        return lines::begin(request, seen, member.ordinal, MemberStage::Replacing, what, done);
    }
    Step::DeletePod {
        pod: member.name.clone(),
        uid: pod.uid.clone(),
    }
}

/// When the last one's turn begins, all others have had theirs.
fn standbys_done(request: &Request, seen: &Observed, last: &Member) -> Vec<Condition> {
    let mut others = turns::members(seen).filter(|member| member.ordinal != last.ordinal);
    let any = turns::members(seen).count() > 1;
    let done = any && others.all(|member| !is_todo(request, member));
    let kind = Reason::RestartSecondary;
    done.then(|| Condition::new(kind, true, kind, "Successfully restarted the standbys"))
        .into_iter()
        .collect()
}

/// Whether a member's pod is still to be replaced.
fn is_todo(request: &Request, member: &Member) -> bool {
    let Some(pod) = &member.pod else { return false };
    let line = lines::line(request, member.ordinal);
    let before = line.is_some_and(|line| line.pod_uid.as_ref() == Some(&pod.uid));
    match vertical::wanted(request) {
        Some(wanted) => {
            let has = pod.resources.hold(wanted) && (!before || pod.resources.same(wanted));
            !has || in_place::is_stuck(pod)
        }
        None => before,
    }
}

fn over(request: &Request, seen: &Observed) -> Step {
    let condition = |kind, text: &str| Condition::new(kind, true, kind, text);
    let mut conditions = vec![pause::condition(request, seen)];
    if !in_place::is_on(request) {
        conditions.push(condition(
            Reason::RestartPrimary,
            "Successfully restarted the primary",
        ));
    }
    conditions.push(condition(progress(request), done_text(request)));
    Step::Note(Update {
        conditions,
        members: Some(lines::all_ready(request, seen)),
        ..Update::default()
    })
}

/// A refusal that ends the run.
fn refusal(seen: &Observed) -> Option<&Refusal> {
    let ends = |target: &&Target| matches!(target, Target::Pod(_) | Target::PetSet);
    seen.refusals
        .iter()
        .find(|(target, _)| ends(target))
        .map(|(_, refusal)| refusal)
}

/// State `Aligning`.
pub(crate) fn aligning(request: &Request, seen: &Observed, now: Timestamp) -> Step {
    if let Some(refusal) = seen.refusals.get(&Target::PostgresSpec) {
        return attempt::give_up(request, refusal.reason, &refusal.message);
    }
    let since = request.record.true_since(progress(request));
    let until = since.map(|since| texts::after(since, request.step_timeout()));
    if until.is_some_and(|until| now >= until) {
        let text = "the Postgres could not be updated in time";
        return attempt::give_up(request, Reason::DeadlineExceeded, text);
    }
    match vertical::wanted(request) {
        Some(to) => Step::PatchPodTemplate { to: to.clone() },
        None => Step::Wait(Wait {
            reason: Reason::Running,
            until,
        }),
    }
}

/// What is still to be put right when the run has failed.
pub(crate) fn tidy(request: &Request, seen: &Observed) -> Option<Step> {
    vertical::take_back(request, seen)
}

/// The request is deleted: a member whose pod is being replaced is waited for.
pub(crate) fn settle(request: &Request, seen: &Observed, now: Timestamp) -> Option<Step> {
    let begun = |member: &&Member| lines::is_at(request, member.ordinal, MemberStage::Replacing);
    let back = |member: &Member| !is_todo(request, member) && turns::is_well(seen, member);
    let going = |member: &Member| member.pod.as_ref().is_none_or(|pod| pod.terminating);
    let away = turns::members(seen)
        .filter(begun)
        .any(|member| !back(member) && (going(member) || !is_todo(request, member)));
    away.then(|| {
        Step::Wait(Wait {
            reason: Reason::RequestDeleted,
            until: Some(texts::after(now, turns::ASK_AGAIN)),
        })
    })
}

/// Text of the condition `Running`.
pub(crate) fn running_text(request: &Request) -> &'static str {
    match &request.operation {
        Operation::VerticalScaling(_) => "Postgres ops request is vertically scaling database",
        _ => "Postgres ops request is restarting nodes",
    }
}

/// Text of the condition of [`progress`].
fn done_text(request: &Request) -> &'static str {
    match &request.operation {
        Operation::VerticalScaling(_) => "Successfully updated the resources of all members",
        _ => "Successfully restarted all members",
    }
}

/// Text of the condition `Successful`.
pub(crate) fn successful_text(request: &Request) -> &'static str {
    match &request.operation {
        Operation::VerticalScaling(_) => "Successfully Vertically Scaled Postgres",
        _ => "Successfully Restarted Postgres",
    }
}
