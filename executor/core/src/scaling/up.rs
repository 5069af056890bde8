//! One more member: claim large enough, pod, joined, streaming.

use units::{Bytes, Reason};

use super::{
    goal::{Goal, largest, streams, timeline},
    line::{at_stage, note, step_condition},
    run::{Turn, obstacle},
};
use crate::{
    observed::{Claim, Member, Observed},
    request::{MemberRecord, MemberStage, Request},
    step::Step,
};

/// The member that was added last, until it streams; then the next.
pub(super) fn add(request: &Request, goal: &Goal<'_>, seen: &Observed, replicas: u32) -> Turn {
    let lines = request.record.members.iter();
    let joining = lines
        .filter(|line| {
            line.ordinal < replicas && line.stage != MemberStage::Ready && goal.keeps(line.ordinal)
        })
        .min_by_key(|line| line.ordinal);
    match joining {
        Some(line) => join(request, seen, line),
        None if replicas < goal.members => begin(request, goal, seen, replicas),
        None => Turn::Done,
    }
}

/// Before its pod is made.
fn begin(request: &Request, goal: &Goal<'_>, seen: &Observed, ordinal: u32) -> Turn {
    let waits = |reason, message: String| Turn::Wait {
        ordinal,
        stage: MemberStage::Pending,
        reason,
        message,
        safe: true,
    };
    if let Some((reason, message)) = obstacle(seen) {
        return waits(reason, message);
    }
    let Some(template) = goal.petset.template else {
        return Turn::Stop(
            Reason::NoClaims,
            "the PetSet has no claim template data".to_owned(),
        );
    };
    let size = largest(seen, ordinal).unwrap_or(template);
    if template < size {
        return Turn::Do(Step::PatchTemplate { to: size });
    }
    match seen.claim(ordinal).and_then(|claim| left_over(claim, size)) {
        Some(Ok(step)) => return Turn::Do(step),
        Some(Err((true, message))) => return Turn::Stop(Reason::ClaimChanged, message),
        Some(Err((false, message))) => return waits(Reason::ClaimNotBound, message),
        None => {}
    }
    let line = at_stage(
        request,
        ordinal,
        MemberStage::Joining,
        Reason::Joining,
        "its pod is to be made",
    );
    match note(request, line, Vec::new()) {
        Some(step) => Turn::Do(step),
        None => Turn::Do(Step::SetReplicas { to: ordinal + 1 }),
    }
}

/// A claim of that ordinal is there already: it must have the size, too. The error says whether it is final.
fn left_over(claim: &Claim, size: Bytes) -> Option<Result<Step, (bool, String)>> {
    let name = &claim.name;
    if claim.deleting {
        return Some(Err((
            false,
            format!("claim {name} of an earlier member is being deleted"),
        )));
    }
    if claim.size() >= size {
        return None;
    }
    if !claim.bound {
        let text = format!(
            "claim {name} is there already, asks for {} where its siblings have {size}, and is not bound: delete it",
            claim.request
        );
        return (claim.request < size).then_some(Err((true, text)));
    }
    if claim.request < size {
        return Some(Ok(Step::PatchClaim {
            claim: name.clone(),
            to: size,
        }));
    }
    let text = format!("claim {name} is there already and is growing to {size}");
    Some(Err((false, text)))
}

/// From the first sight of its pod until it streams.
fn join(request: &Request, seen: &Observed, line: &MemberRecord) -> Turn {
    let ordinal = line.ordinal;
    let member = seen.member(ordinal);
    let leads = seen
        .leader()
        .is_some_and(|leader| leader.ordinal == ordinal && leader.is_running());
    if leads || member.is_some_and(|member| streams(seen, member)) {
        return ready(request, seen, member, ordinal);
    }
    let (reason, message) = obstacle(seen).unwrap_or_else(|| why(seen, member));
    Turn::Wait {
        ordinal,
        stage: MemberStage::Joining,
        reason,
        message,
        safe: true,
    }
}

fn ready(request: &Request, seen: &Observed, member: Option<&Member>, ordinal: u32) -> Turn {
    let name = member.map_or_else(String::new, |member| member.name.clone());
    let mut line = at_stage(
        request,
        ordinal,
        MemberStage::Ready,
        Reason::HorizontalScaleUp,
        format!("{name} streams"),
    );
    line.pod_uid = member.and_then(|member| Some(member.pod.as_ref()?.uid.clone()));
    line.claim_uid = seen.claim(ordinal).map(|claim| claim.uid.clone());
    let leader = seen.leader().map(|leader| leader.name.clone());
    let mut conditions = Vec::new();
    conditions.extend(leader.map(|leader| step_condition("get current leader", Some(&leader))));
    conditions.push(step_condition("add member", Some(&name)));
    conditions.push(step_condition("patch petset", None));
    note(request, line, conditions).map_or(Turn::Done, Turn::Do)
}

/// Why it does not stream yet.
fn why(seen: &Observed, member: Option<&Member>) -> (Reason, String) {
    let Some(member) = member else {
        return (Reason::Joining, "its pod is to be made".to_owned());
    };
    let name = &member.name;
    let Some(pod) = &member.pod else {
        return (Reason::Joining, format!("pod {name} is not made yet"));
    };
    if !pod.running {
        let text = pod.complaint.as_ref().map_or_else(
            || format!("pod {name} does not run yet"),
            |complaint| format!("pod {name} does not run yet: {complaint}"),
        );
        return (Reason::Joining, text);
    }
    let Some(standing) = &member.standing else {
        return (Reason::Joining, format!("{name} has not joined yet"));
    };
    if !member.is_running() {
        let text = format!("{name} is {} in Patroni's list", standing.state);
        return (Reason::NotStreaming, text);
    }
    let leaders = seen.leader().and_then(timeline);
    let text = match (timeline(member), leaders) {
        (Some(own), Some(leaders)) if own != leaders => {
            format!("{name} is on timeline {own}, the leader on {leaders}")
        }
        _ => format!("{name} runs, and the leader does not list it as streaming"),
    };
    (Reason::NotStreaming, text)
}
