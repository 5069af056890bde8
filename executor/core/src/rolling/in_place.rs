//! Other resources for running pods, through their subresource `resize` (Kubernetes 1.33 and later). Where that is refused, or a
//! node cannot give so much, the members are replaced instead, and the condition `InPlaceRefused` says why.

use jiff::Timestamp;
use units::Reason;

use super::{over, vertical::wanted};
use crate::{
    lines,
    observed::{Member, MemberPod, Observed, PodResize, Target},
    pending, queue,
    request::{Condition, MemberStage, Operation, Request, VerticalMode},
    step::{Step, Update},
    turns,
};

/// Whether pods are resized while they run.
pub(super) fn is_on(request: &Request) -> bool {
    let asked = matches!(&request.operation,
        Operation::VerticalScaling(Some(section)) if section.mode == VerticalMode::InPlace);
    asked && !request.record.is_true(Reason::InPlaceRefused)
}

/// Whether a resize was begun that kubelet does not finish.
pub(super) fn is_stuck(pod: &MemberPod) -> bool {
    matches!(pod.resize, Some(PodResize::Infeasible(_) | PodResize::Pending(_)))
}

/// State `Rolling`, in place: one member after the other, the leader last; nobody stops.
pub(super) fn rolling(request: &Request, seen: &Observed, now: Timestamp) -> Step {
    let Some(wanted) = wanted(request) else {
        return lines::wait(
            request,
            seen,
            now,
            Reason::InvalidRequest,
            "no resources are given",
        );
    };
    if let Some(why) = refused(seen) {
        let condition = Condition::new(Reason::InPlaceRefused, true, Reason::InPlaceRefused, why);
        return Step::Note(Update {
            conditions: vec![condition],
            ..Update::default()
        });
    }
    let leads = |member: &Member| turns::leader(seen).is_some_and(|leader| leader.ordinal == member.ordinal);
    let mut members: Vec<_> = turns::members(seen).collect();
    members.sort_by_key(|member| (leads(member), member.ordinal));
    for member in &members {
        let Some(pod) = turns::live(member) else {
            return lines::wait(
                request,
                seen,
                now,
                Reason::NotStreaming,
                &turns::absence(seen, member),
            );
        };
        if !pod.resources.hold(wanted) {
            return resize(request, seen, member, pod, wanted.clone());
        }
        if let Some(PodResize::Pending(what) | PodResize::InProgress(what)) = &pod.resize {
            let text = format!("{}: {what}", member.name);
            return lines::wait(request, seen, now, Reason::ResizingInPlace, &text);
        }
        if !turns::is_well(seen, member) {
            return lines::wait(
                request,
                seen,
                now,
                Reason::NotStreaming,
                &turns::absence(seen, member),
            );
        }
    }
    over(request, seen)
}

/// The turn is written down before it begins: its time counts from then.
fn resize(
    request: &Request,
    seen: &Observed,
    member: &Member,
    pod: &MemberPod,
    to: crate::request::Resources,
) -> Step {
    if let Some(urgent) = queue::urgent(seen) {
        return pending::give_way(request, urgent);
    }
    if !lines::is_at(request, member.ordinal, MemberStage::Replacing) {
        let text = format!("{} gets its resources while it runs", member.name);
        let what = (Reason::ResizingInPlace, &*text);
        return lines::begin(
            request,
            seen,
            member.ordinal,
            MemberStage::Replacing,
            what,
            Vec::new(),
        );
    }
    Step::ResizePod {
        pod: member.name.clone(),
        uid: pod.uid.clone(),
        to,
    }
}

/// Why running pods cannot be resized, if somebody said so.
fn refused(seen: &Observed) -> Option<String> {
    let answer = seen
        .refusals
        .iter()
        .find(|(target, _)| matches!(target, Target::PodSize(_)))
        .map(|(_, refusal)| refusal.message.clone());
    answer.or_else(|| {
        turns::members(seen).find_map(|member| match &turns::live(member)?.resize {
            Some(PodResize::Infeasible(what)) => Some(format!("{}: {what}", member.name)),
            _ => None,
        })
    })
}
