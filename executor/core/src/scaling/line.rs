//! The lines of `status.members`: one for each member that is added or removed, in the order of their turn.

use units::Reason;

use super::goal::{Goal, asked};
use crate::{
    observed::Observed,
    request::{Condition, MemberRecord, MemberStage, Request},
    step::{Step, Update},
};

/// The members that a run begins with. A repeated run keeps what an earlier one noted: how far a member that is
/// leaving had written cannot be asked again.
pub(crate) fn plan(request: &Request, seen: &Observed) -> Update {
    if !request.record.members.is_empty() {
        return Update::default();
    }
    let Ok(goal) = Goal::of(request, seen) else {
        return Update::default();
    };
    let present = goal.petset.replicas;
    let line = |ordinal, message: &str| MemberRecord {
        ordinal,
        stage: MemberStage::Pending,
        pod_uid: None,
        claim_uid: None,
        position: None,
        timeline: None,
        reason: Reason::Running,
        message: message.to_owned(),
        since: None,
    };
    let added = (present..goal.members).map(|ordinal| line(ordinal, "is to be added"));
    let removed = (goal.members..present)
        .rev()
        .map(|ordinal| line(ordinal, "is to be removed"));
    Update {
        members: Some(added.chain(removed).collect()),
        ..Update::default()
    }
}

/// The condition that says how far the work is.
pub(crate) fn progress(request: &Request) -> Reason {
    let asked = asked(request).and_then(|scaling| u32::try_from(scaling.replicas?).ok());
    let mut lines = request.record.members.iter().peekable();
    match (lines.peek(), asked) {
        (None, _) | (_, None) => Reason::HorizontalScale,
        (Some(line), Some(asked)) if line.ordinal >= asked => Reason::HorizontalScaleDown,
        (Some(_), Some(_)) => Reason::HorizontalScaleUp,
    }
}

/// KubeDB's text of that condition, when it is `True`.
pub(super) fn done_text(kind: Reason) -> &'static str {
    match kind {
        Reason::HorizontalScaleUp => "Successfully Horizontally Scaled Up",
        Reason::HorizontalScaleDown => "Successfully Horizontally Scaled Down",
        _ => "Successfully Horizontally Scaled",
    }
}

/// A step condition in KubeDB's shape: no reason, and the status in the message.
pub(super) fn step_condition(words: &str, pod: Option<&str>) -> Condition {
    let camel: String = words.split(' ').map(capital).collect();
    let (kind, message) = match pod {
        Some(pod) => (
            format!("{camel}--{pod}"),
            format!("{words}; ConditionStatus:True; PodName:{pod}"),
        ),
        None => (camel, format!("{words}; ConditionStatus:True")),
    };
    Condition {
        kind,
        status: true,
        reason: String::new(),
        message,
        since: None,
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_ascii_uppercase().to_string() + letters.as_str()
    })
}

/// What is to be written when a member's line changes, unless it says so already. Texts carry figures that change
/// without being news.
pub(super) fn note(request: &Request, new: MemberRecord, conditions: Vec<Condition>) -> Option<Step> {
    let mut members = request.record.members.clone();
    let old = members.iter_mut().find(|line| line.ordinal == new.ordinal);
    let same = old.as_ref().is_some_and(|old| {
        let about = |line: &MemberRecord| {
            let MemberRecord {
                ordinal: _,
                stage,
                pod_uid,
                claim_uid,
                position,
                timeline,
                reason,
                message: _,
                since: _,
            } = line.clone();
            (stage, pod_uid, claim_uid, position, timeline, reason)
        };
        about(old) == about(&new)
    });
    if same {
        return None;
    }
    let kind = progress(request);
    let text = format!("member {}: {}", new.ordinal, new.message);
    let mut all = vec![Condition::new(kind, false, new.reason, text)];
    all.extend(conditions);
    match old {
        Some(old) => *old = new,
        None => members.push(new),
    }
    Some(Step::Note(Update {
        conditions: all,
        members: Some(members),
        ..Update::default()
    }))
}

/// The line of a member at another stage; what was noted of its pod, claim and position stays.
pub(super) fn at_stage(
    request: &Request,
    ordinal: u32,
    stage: MemberStage,
    reason: Reason,
    message: impl Into<String>,
) -> MemberRecord {
    let old = request.record.member(ordinal);
    MemberRecord {
        ordinal,
        stage,
        pod_uid: old.and_then(|old| old.pod_uid.clone()),
        claim_uid: old.and_then(|old| old.claim_uid.clone()),
        position: old.and_then(|old| old.position),
        timeline: old.and_then(|old| old.timeline),
        reason,
        message: message.into(),
        since: old.filter(|old| old.stage == stage).and_then(|old| old.since),
    }
}
