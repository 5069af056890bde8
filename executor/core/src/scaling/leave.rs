//! One member less, after its pod was told to stop: pod gone, slot gone on every member, and its claim deleted only
//! when all it had written is proved to be with a leader that stays.

use units::Reason;

use super::{
    goal::{Goal, timeline},
    line::{at_stage, note, step_condition},
    run::Turn,
};
use crate::{
    observed::{Claim, Member, Observed},
    request::{MemberRecord, MemberStage, Request, StandbyMode},
    step::Step,
};

/// The line of the member whose pod was told to stop and that has not left, whatever stage is noted: a number of members
/// decided on earlier may be written later.
pub(super) fn left_behind<'a>(request: &'a Request, goal: &Goal<'_>) -> Option<&'a MemberRecord> {
    let stopped = |line: &&MemberRecord| line.ordinal >= goal.petset.replicas && !goal.keeps(line.ordinal);
    let lines = request.record.members.iter();
    lines
        .filter(|line| stopped(line) && line.stage != MemberStage::Gone)
        .max_by_key(|line| line.ordinal)
}

/// The next thing on its way out.
pub(super) fn leave(request: &Request, goal: &Goal<'_>, seen: &Observed, line: &MemberRecord) -> Turn {
    let ordinal = line.ordinal;
    let waits = |reason, message: String, safe| Turn::Wait {
        ordinal,
        stage: MemberStage::Leaving,
        reason,
        message,
        safe,
    };
    let Some(member) = seen.member(ordinal) else {
        return waits(Reason::Leaving, "it was not looked for".to_owned(), false);
    };
    let name = &member.name;
    if member.pod.is_some() {
        return waits(Reason::Leaving, format!("pod {name} is being stopped"), false);
    }
    if let Some((reason, message)) = super::run::obstacle(seen) {
        return waits(reason, message, true);
    }
    if member.standing.is_some() {
        return waits(Reason::Leaving, format!("Patroni still lists {name}"), true);
    }
    match slot(goal, seen, &member.slot()) {
        Ok(None) => {}
        Ok(Some(step)) => return Turn::Do(step),
        Err((reason, message)) => return waits(reason, message, true),
    }
    match seen.claim(ordinal) {
        Some(claim) if claim.deleting => waits(
            Reason::Leaving,
            format!("claim {} is being deleted", claim.name),
            true,
        ),
        Some(claim) => delete(goal, seen, line, claim, name),
        None => left(request, seen, line, name),
    }
}

/// The slot of a member that is gone keeps the log on every member that still has it.
fn slot(goal: &Goal<'_>, seen: &Observed, slot: &str) -> Result<Option<Step>, (Reason, String)> {
    let staying = seen
        .members
        .iter()
        .filter(|member| member.ordinal < goal.petset.replicas);
    for member in staying.filter(|member| member.pod.is_some()) {
        let name = &member.name;
        let leads = seen
            .leader()
            .is_some_and(|leader| leader.ordinal == member.ordinal);
        let sql = match (member.sql.says(), member.sql.trouble()) {
            (Some(sql), _) => sql,
            // A Warm standby takes no sessions; Patroni alone keeps its slots.
            (None, _) if !leads && goal.database.standby == Some(StandbyMode::Warm) => continue,
            (None, Some(trouble)) => return Err((trouble.reason, format!("{name}: {}", trouble.message))),
            (None, None) => return Err((Reason::DatabaseNotAnswering, format!("{name} has no address"))),
        };
        match sql.slots.iter().find(|found| found.name == slot) {
            Some(found) if found.active => {
                return Err((Reason::Leaving, format!("slot {slot} is still in use on {name}")));
            }
            Some(_) => {
                return Ok(Some(Step::DropSlot {
                    member: name.clone(),
                    slot: slot.to_owned(),
                }));
            }
            None => {}
        }
    }
    Ok(None)
}

/// Its claim, if it is the one that was noted, and nothing on it is missing elsewhere.
fn delete(goal: &Goal<'_>, seen: &Observed, line: &MemberRecord, claim: &Claim, name: &str) -> Turn {
    if line.claim_uid.as_ref() != Some(&claim.uid) {
        let text = format!("claim {} is not the one that {name} had; it is kept", claim.name);
        return Turn::Stop(Reason::ClaimChanged, text);
    }
    let ordinal = line.ordinal;
    let leader = seen.leader().filter(|leader| goal.keeps(leader.ordinal));
    match leader.map(|leader| is_covered(seen, leader, line, name)) {
        Some(Covered::Yes) => Turn::Do(Step::DeleteClaim {
            claim: claim.name.clone(),
            uid: claim.uid.clone(),
        }),
        Some(Covered::Never(why)) => Turn::Stop(
            Reason::PositionNotReached,
            format!("{why}; claim {} is kept", claim.name),
        ),
        Some(Covered::NotYet(why)) => Turn::Wait {
            ordinal,
            stage: MemberStage::Leaving,
            reason: Reason::PositionNotReached,
            message: why,
            safe: true,
        },
        None => Turn::Stop(
            Reason::PositionNotReached,
            format!("no member that stays leads; claim {} is kept", claim.name),
        ),
    }
}

enum Covered {
    Yes,
    NotYet(String),
    Never(String),
}

/// Whether the leader has all that the member had written. On the timeline on which its position was noted, a position
/// is enough. A later timeline began with a promotion: it must not have been the member's own, and it must not have
/// begun before that position.
fn is_covered(seen: &Observed, leader: &Member, line: &MemberRecord, name: &str) -> Covered {
    let (Some(position), Some(noted)) = (line.position, line.timeline) else {
        return Covered::Never(format!("how far {name} had written was not noted"));
    };
    let Some(sql) = leader.sql.says().filter(|sql| !sql.in_recovery) else {
        return Covered::NotYet(format!("{} does not yet lead", leader.name));
    };
    let Some(present) = timeline(leader) else {
        return Covered::NotYet(format!("{} does not say its timeline", leader.name));
    };
    if present < noted {
        return Covered::Never(format!(
            "{} is on timeline {present}, {name} was on {noted}",
            leader.name
        ));
    }
    let forks = seen
        .cluster
        .says()
        .map(|cluster| cluster.forks.as_slice())
        .unwrap_or_default();
    for left in noted..present {
        let fork = forks.iter().find(|fork| fork.timeline == left);
        match fork {
            None => {
                return Covered::NotYet(format!(
                    "Patroni's history does not yet tell how timeline {left} ended"
                ));
            }
            Some(fork) if fork.leader.as_deref().is_none_or(|leader| leader == name) => {
                return Covered::Never(format!("{name} may have led after timeline {left}"));
            }
            Some(fork) if left == noted && fork.at < position => {
                return Covered::Never(format!(
                    "timeline {left} ended at {}, {name} had written up to {position}",
                    fork.at
                ));
            }
            Some(_) => {}
        }
    }
    if sql.position < position {
        return Covered::NotYet(format!(
            "{} has written up to {}, {name} had up to {position}",
            leader.name, sql.position
        ));
    }
    Covered::Yes
}

fn left(request: &Request, seen: &Observed, line: &MemberRecord, name: &str) -> Turn {
    let new = at_stage(
        request,
        line.ordinal,
        MemberStage::Gone,
        Reason::HorizontalScaleDown,
        format!("{name} is gone, and its slot and claim"),
    );
    let leader = seen.leader().map(|leader| leader.name.clone());
    let mut conditions = Vec::new();
    conditions.extend(leader.map(|leader| step_condition("get current leader", Some(&leader))));
    conditions.push(step_condition("remove member", Some(name)));
    conditions.push(step_condition("patch petset", None));
    conditions.push(step_condition("delete pvc", Some(name)));
    note(request, new, conditions).map_or(Turn::Done, Turn::Do)
}
