//! The lines of `status.members` where members are stopped one after the other, and how a wait for one is told.

use std::time::Duration;

use jiff::Timestamp;
use units::Reason;

use crate::{
    attempt,
    observed::Observed,
    operation, pause,
    request::{Condition, MemberRecord, MemberStage, Request},
    step::{Step, Update, Wait},
    texts,
    turns::{self, ASK_AGAIN},
};

/// A wait is written down only when it lasts: a pod is usually away for some seconds, and each word is a write.
const NOTE_AFTER: Duration = Duration::from_secs(5);

/// The lines as a run begins; what an earlier run did counts.
pub(crate) fn plan(request: &Request, seen: &Observed) -> Vec<MemberRecord> {
    let line = |member: &crate::observed::Member| {
        let before = line(request, member.ordinal);
        MemberRecord {
            ordinal: member.ordinal,
            stage: MemberStage::Pending,
            pod_uid: match before {
                Some(before) => before.pod_uid.clone(),
                None => member.pod.as_ref().map(|pod| pod.uid.clone()),
            },
            claim_uid: seen.claim(member.ordinal).map(|claim| claim.uid.clone()),
            position: None,
            timeline: None,
            reason: Reason::Running,
            message: String::new(),
            since: None,
        }
    };
    turns::members(seen).map(line).collect()
}

/// The line of this ordinal.
pub(crate) fn line(request: &Request, ordinal: u32) -> Option<&MemberRecord> {
    request.record.members.iter().find(|line| line.ordinal == ordinal)
}

/// Whether this member is at this stage.
pub(crate) fn is_at(request: &Request, ordinal: u32, stage: MemberStage) -> bool {
    line(request, ordinal).is_some_and(|line| line.stage == stage)
}

/// All lines with this member at this stage. Whoever else was not `Pending` has had its turn: nobody's begins before that.
pub(crate) fn at(
    request: &Request,
    seen: &Observed,
    ordinal: u32,
    stage: MemberStage,
    (reason, message): (Reason, &str),
) -> Vec<MemberRecord> {
    let mut lines = plan(request, seen);
    for new in &mut lines {
        let old = line(request, new.ordinal);
        if new.ordinal == ordinal {
            new.stage = stage;
            new.reason = reason;
            new.message = message.to_owned();
        } else if old.is_some_and(|old| old.stage != MemberStage::Pending) {
            new.stage = MemberStage::Ready;
        }
        new.since = old.filter(|old| old.stage == new.stage).and_then(|old| old.since);
    }
    lines
}

/// All lines, with everybody ready.
pub(crate) fn all_ready(request: &Request, seen: &Observed) -> Vec<MemberRecord> {
    let mut lines = plan(request, seen);
    for new in &mut lines {
        new.stage = MemberStage::Ready;
        let old = line(request, new.ordinal);
        new.since = old.filter(|old| old.stage == new.stage).and_then(|old| old.since);
    }
    lines
}

/// Status: the turn of this member begins. `done` is what is done before.
pub(crate) fn begin(
    request: &Request,
    seen: &Observed,
    ordinal: u32,
    stage: MemberStage,
    (reason, message): (Reason, &str),
    done: Vec<Condition>,
) -> Step {
    let progress = Condition::new(operation::progress(request), false, reason, message);
    let conditions = [pause::condition(request, seen), progress]
        .into_iter()
        .chain(done);
    Step::Note(Update {
        conditions: conditions.collect(),
        members: Some(at(request, seen, ordinal, stage, (reason, message))),
        ..Update::default()
    })
}

/// Nothing can be done now. Over the time of one step the run fails, for this reason.
pub(crate) fn wait(request: &Request, seen: &Observed, now: Timestamp, reason: Reason, what: &str) -> Step {
    if attempt::is_late(request, seen, now) {
        let text = format!(
            "not finished within {} s: {what}",
            attempt::allowed(request, seen).as_secs()
        );
        return attempt::run_again(request, seen, late_reason(reason), &text);
    }
    let progress = Condition::new(operation::progress(request), false, reason, what);
    let begun = request.record.members.iter().filter_map(|line| line.since).max();
    let lasts = begun
        .max(request.record.started())
        .is_none_or(|since| now >= texts::after(since, NOTE_AFTER));
    if lasts && !request.record.has(&progress) {
        return Step::Note(Update {
            conditions: vec![pause::condition(request, seen), progress],
            ..Update::default()
        });
    }
    let until = [
        Some(texts::after(now, ASK_AGAIN)),
        attempt::deadline(request, seen),
    ];
    Step::Wait(Wait {
        reason,
        until: until.into_iter().flatten().filter(|mark| *mark > now).min(),
    })
}

/// What was being waited for is no cause by itself.
fn late_reason(reason: Reason) -> Reason {
    match reason {
        Reason::Running
        | Reason::Resizing
        | Reason::FileSystemPending
        | Reason::Detaching
        | Reason::Stopping
        | Reason::Restarting
        | Reason::ResizingInPlace
        | Reason::HandingOver => Reason::DeadlineExceeded,
        // Offline is what its remedy would ask for.
        Reason::InUse => Reason::DriverError,
        cause => cause,
    }
}

/// Status: whether somebody leads.
pub(crate) fn led(request: &Request, nobody: bool) -> Step {
    let text = if nobody {
        "no member leads"
    } else {
        "a member leads"
    };
    let condition = Condition::new(Reason::NoLeader, nobody, Reason::NoLeader, text);
    debug_assert!(!request.record.has(&condition), "noted already");
    Step::Note(Update {
        conditions: vec![condition],
        ..Update::default()
    })
}
