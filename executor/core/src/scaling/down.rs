//! One member less, up to the moment when its pod is told to stop: a staying member leads, slots of gone members go at
//! once, and what the leaver had written last is noted.

use units::Reason;

use super::{
    goal::{Goal, heir, timeline},
    line::{at_stage, note},
    run::{Turn, obstacle},
};
use crate::{
    observed::{Cluster, Member, Observed},
    request::{MemberRecord, MemberStage, Request},
    step::{ConfigChange, Step},
};

/// The member with the highest ordinal.
pub(super) fn remove(request: &Request, goal: &Goal<'_>, seen: &Observed, ordinal: u32) -> Turn {
    let waits = |stage, reason, message: String| Turn::Wait {
        ordinal,
        stage,
        reason,
        message,
        safe: true,
    };
    if let Some((reason, message)) = obstacle(seen) {
        return waits(MemberStage::Pending, reason, message);
    }
    let (Some(leader), Some(cluster)) = (seen.leader(), seen.cluster.says()) else {
        return waits(
            MemberStage::Pending,
            Reason::NoLeader,
            "no member leads".to_owned(),
        );
    };
    if !goal.keeps(leader.ordinal) {
        return hand_over(request, goal, seen, leader, ordinal);
    }
    if let Some(change) = settings(goal, cluster) {
        return Turn::Do(Step::PatchConfig(change));
    }
    match position(request, seen, leader, ordinal) {
        Err((reason, message)) => waits(MemberStage::Pending, reason, message),
        Ok(line) if is_noted(request, &line) => Turn::Do(Step::SetReplicas { to: ordinal }),
        Ok(line) => {
            note(request, line, Vec::new()).map_or(Turn::Do(Step::SetReplicas { to: ordinal }), Turn::Do)
        }
    }
}

/// A member that leaves, now or later, leads: before anyone is stopped, a member that stays leads.
fn hand_over(request: &Request, goal: &Goal<'_>, seen: &Observed, leader: &Member, ordinal: u32) -> Turn {
    let stage = MemberStage::HandingOver;
    let Some(heir) = heir(goal, seen) else {
        return Turn::Wait {
            ordinal,
            stage,
            reason: Reason::NoneCaughtUp,
            message: format!(
                "{} leads, and no member that stays has caught up with it",
                leader.name
            ),
            safe: true,
        };
    };
    let text = format!("{} leads and hands over to a member that stays", leader.name);
    let line = at_stage(request, ordinal, stage, Reason::HandingOver, text);
    note(request, line, Vec::new()).map_or_else(
        || {
            Turn::Do(Step::Switchover {
                leader: leader.name.clone(),
                candidate: heir.name.clone(),
            })
        },
        Turn::Do,
    )
}

/// Slots of members that are gone would keep the log for half an hour. Where no standby remains, no commit may wait
/// for one.
fn settings(goal: &Goal<'_>, cluster: &Cluster) -> Option<ConfigChange> {
    if cluster.member_slots_ttl != Some(0) {
        return Some(ConfigChange::DropSlotsAtOnce);
    }
    let last = goal.petset.replicas == 2 && !goal.synchronous();
    (last && cluster.synchronous).then_some(ConfigChange::Synchronous(false))
}

/// The line that is noted before the member is stopped: its pod, its claim, and how far it had written while it
/// followed the leader. Whatever it writes afterwards comes from the leader.
fn position(
    request: &Request,
    seen: &Observed,
    leader: &Member,
    ordinal: u32,
) -> Result<MemberRecord, (Reason, String)> {
    let Some(member) = seen.member(ordinal) else {
        return Err((Reason::Leaving, "it was not looked for".to_owned()));
    };
    let name = &member.name;
    let Some(pod) = &member.pod else {
        return Err((Reason::NotStreaming, format!("pod {name} does not exist")));
    };
    let own = match (member.own.says(), member.own.trouble()) {
        (Some(own), _) => own,
        (None, Some(trouble)) => return Err((trouble.reason, format!("{name}: {}", trouble.message))),
        (None, None) => return Err((Reason::PatroniNotAnswering, format!("{name} has no address"))),
    };
    let leaders = timeline(leader);
    if own.leads || own.timeline.is_none() || own.timeline != leaders {
        let text = format!("{name} does not follow the leader {}", leader.name);
        return Err((Reason::NotStreaming, text));
    }
    let Some(position) = own.position else {
        return Err((
            Reason::NotStreaming,
            format!("{name} does not say how far it has written"),
        ));
    };
    let mut line = at_stage(
        request,
        ordinal,
        MemberStage::Leaving,
        Reason::Leaving,
        format!("{name} is being stopped"),
    );
    line.pod_uid = Some(pod.uid.clone());
    line.claim_uid = seen.claim(ordinal).map(|claim| claim.uid.clone());
    line.timeline = own.timeline;
    line.position = Some(position);
    Ok(line)
}

/// Whether the member was noted as it is now. A position noted a moment ago still holds on the same timeline: what came
/// since came from the leader.
fn is_noted(request: &Request, now: &MemberRecord) -> bool {
    request.record.member(now.ordinal).is_some_and(|old| {
        old.stage == MemberStage::Leaving
            && old.pod_uid == now.pod_uid
            && old.claim_uid == now.claim_uid
            && old.timeline == now.timeline
            && old.position.is_some()
    })
}
