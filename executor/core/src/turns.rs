//! Whose turn it is, where members are stopped one after the other: standbys first, the leader last and only after another
//! leads; nobody before the one before is back.
//!
//! **Without a running leader** there is nobody to hand over to and nothing to stream from. Which member comes up first then
//! decides which rows are there: one that starts alone promotes, and forks from what only another has. So the first to be
//! stopped, and thus the first to come back with room, is the one that led last: the holder of the leader's key, else the one
//! whose pod still carries the role `primary`, else the furthest, if every member tells its position. When nobody can be named,
//! nobody is stopped. It is back when its container runs; streaming is awaited once somebody leads.

use std::time::Duration;

use jiff::Timestamp;
use units::Reason;

use crate::{
    lines,
    observed::{Answer, Member, MemberPod, Observed, Role},
    request::{MemberStage, Request},
    texts,
};

/// How long nobody must have led before members are stopped as if nobody did. A switchover leaves a moment without a leader, a
/// failover up to Patroni's `ttl` (20 s) and a turn of its loop.
pub const LEADERLESS: Duration = Duration::from_secs(30);

/// How often members are asked while something is awaited that no watch tells.
pub const ASK_AGAIN: Duration = Duration::from_secs(1);

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Turn<'a> {
    /// All is done, and every member is back.
    Over,
    /// Somebody is awaited.
    Wait(Reason, String),
    /// Nobody leads, and that is not yet on record.
    Leaderless,
    /// Somebody leads again, and the record says that nobody does.
    LedAgain,
    /// This one leads and has to hand over to that one.
    HandOver {
        /// Who leads.
        leader: &'a Member,
        /// Who is to lead.
        candidate: &'a Member,
    },
    /// This one may be stopped now.
    Stop(&'a Member),
}

/// The members that the database is to have.
pub(crate) fn members(seen: &Observed) -> impl Iterator<Item = &Member> {
    let replicas = seen.petset.as_ref().map_or(0, |set| set.replicas);
    seen.members
        .iter()
        .filter(move |member| member.ordinal < replicas)
}

/// Its pod, if that is not on its way out.
pub(crate) fn live(member: &Member) -> Option<&MemberPod> {
    member
        .pod
        .as_ref()
        .filter(|pod| !pod.terminating && !pod.finished)
}

fn is_stopping(member: &Member) -> bool {
    member.pod.as_ref().is_some_and(|pod| pod.terminating)
}

/// Whether its container runs; PostgreSQL in it may not.
pub(crate) fn runs(member: &Member) -> bool {
    live(member).is_some_and(|pod| pod.running)
}

/// The member that leads and takes writes.
pub(crate) fn leader(seen: &Observed) -> Option<&Member> {
    seen.leader().filter(|member| {
        let standby = member.sql.says().is_some_and(|sql| sql.in_recovery);
        runs(member) && member.is_running() && !standby
    })
}

/// Whether a member does its part: it leads or streams; without a leader, its container runs.
pub(crate) fn is_well(seen: &Observed, member: &Member) -> bool {
    match leader(seen) {
        Some(leader) if leader.ordinal == member.ordinal => true,
        Some(leader) => {
            let streams = match &leader.sql {
                Answer::Says(sql) => sql.streaming.contains(&member.name),
                Answer::Silent(_) | Answer::NotAsked => {
                    let standing = member.standing.as_ref();
                    standing.is_some_and(|standing| standing.state == "streaming")
                }
            };
            streams && runs(member) && live(member).is_some_and(|pod| pod.ready)
        }
        None => runs(member),
    }
}

/// Whose turn it is among those that are `todo`. `settled`: what else a member must be before it counts as back.
pub(crate) fn next<'a>(
    request: &Request,
    seen: &'a Observed,
    now: Timestamp,
    todo: impl Fn(&Member) -> bool,
    settled: impl Fn(&Member) -> bool,
) -> Turn<'a> {
    let all: Vec<_> = members(seen).collect();
    let away = |member: &Member| !is_well(seen, member) || !settled(member);
    if let Some(trouble) = seen
        .cluster
        .trouble()
        .filter(|_| all.len() > 1 && all.iter().any(|member| runs(member)))
    {
        return Turn::Wait(trouble.reason, trouble.message.clone());
    }
    if let Some(member) = all.iter().find(|member| is_stopping(member)) {
        return Turn::Wait(Reason::Stopping, absence(seen, member));
    }
    // One whose turn was cut off goes on.
    let begun = |member: &Member| {
        lines::is_at(request, member.ordinal, MemberStage::Held)
            || lines::is_at(request, member.ordinal, MemberStage::Replacing)
    };
    if let Some(member) = all
        .iter()
        .find(|member| todo(member) && begun(member) && !runs(member))
    {
        return Turn::Stop(member);
    }
    // One that was stopped before comes back before anybody else is stopped.
    if let Some(member) = all.iter().find(|member| away(member) && !todo(member)) {
        return Turn::Wait(Reason::NotStreaming, absence(seen, member));
    }
    let noted = request.record.is_true(Reason::NoLeader);
    let Some(leader) = leader(seen) else {
        return leaderless(request, seen, now, &all, todo);
    };
    let mut standbys: Vec<_> = all.iter().copied().filter(|member| todo(member)).collect();
    standbys.retain(|member| member.ordinal != leader.ordinal);
    // One that is down already costs nothing to stop.
    standbys.sort_by_key(|member| (!away(member), member.ordinal));
    match standbys.first() {
        _ if noted => Turn::LedAgain,
        Some(standby) => Turn::Stop(standby),
        None if !todo(leader) => Turn::Over,
        None if all.len() == 1 => Turn::Stop(leader),
        None => hand_over(seen, leader),
    }
}

/// The leader's turn has come: another is to lead.
pub(crate) fn hand_over<'a>(seen: &'a Observed, leader: &'a Member) -> Turn<'a> {
    match candidate(seen, leader) {
        Some(candidate) => Turn::HandOver { leader, candidate },
        None => Turn::Wait(
            Reason::NoneCaughtUp,
            format!("{} leads, and no standby can take over from it", leader.name),
        ),
    }
}

/// Who takes over: in synchronous mode only one that every commit waited for; of several the least behind.
fn candidate<'a>(seen: &'a Observed, leader: &Member) -> Option<&'a Member> {
    let synchronous = seen.cluster.says().is_some_and(|cluster| cluster.synchronous);
    let timeline = leader.standing.as_ref().and_then(|standing| standing.timeline);
    members(seen)
        .filter(|member| member.ordinal != leader.ordinal && is_well(seen, member))
        .filter_map(|member| {
            let standing = member.standing.as_ref()?;
            let in_step = standing.role == Role::SyncStandby;
            let fits = standing.timeline == timeline && (in_step || !synchronous);
            let behind = standing.lag.filter(|_| fits)?;
            Some(((!in_step, behind, member.ordinal), member))
        })
        .min_by_key(|(rank, _)| *rank)
        .map(|(_, member)| member)
}

fn leaderless<'a>(
    request: &Request,
    seen: &'a Observed,
    now: Timestamp,
    all: &[&'a Member],
    todo: impl Fn(&Member) -> bool,
) -> Turn<'a> {
    let left: Vec<_> = all.iter().copied().filter(|member| todo(member)).collect();
    match (&left[..], request.record.true_since(Reason::NoLeader)) {
        ([], _) => Turn::Over,
        ([only], _) if all.len() == 1 => Turn::Stop(only),
        (_, None) => Turn::Leaderless,
        (_, Some(since)) if now < texts::after(since, LEADERLESS) => {
            Turn::Wait(Reason::NoLeader, "no member leads".to_owned())
        }
        (left, Some(_)) => match last_leader(seen, all, left) {
            Some(member) => Turn::Stop(member),
            None => Turn::Wait(
                Reason::NoLeader,
                "no member leads, and it cannot be told which one led last: nobody is stopped".to_owned(),
            ),
        },
    }
}

/// Who led last; once that one is done, anybody.
fn last_leader<'a>(seen: &'a Observed, all: &[&'a Member], left: &[&'a Member]) -> Option<&'a Member> {
    let holder = seen.leader();
    let labelled = || {
        let is = |member: &&&Member| live(member).and_then(|pod| pod.role.as_deref()) == Some("primary");
        let mut primaries = all.iter().filter(is);
        // Two that both believe it tell nothing.
        primaries.next().filter(|_| primaries.next().is_none()).copied()
    };
    let furthest = || {
        let position = |member: &&Member| {
            let own = member.own.says()?;
            Some((own.timeline?, own.position?))
        };
        let known = all.iter().all(|member| position(member).is_some());
        all.iter()
            .copied()
            .filter(|_| known)
            .max_by_key(|member| (position(member), std::cmp::Reverse(member.ordinal)))
    };
    match holder.or_else(labelled).or_else(furthest) {
        Some(member) if left.iter().any(|one| one.ordinal == member.ordinal) => Some(member),
        Some(_) => left.first().copied(),
        None if left.len() < all.len() => left.first().copied(),
        None => None,
    }
}

/// Why a member is not back, for people.
pub(crate) fn absence(seen: &Observed, member: &Member) -> String {
    let name = &member.name;
    let Some(pod) = &member.pod else {
        return format!("{name} has no pod yet");
    };
    if pod.terminating {
        return format!("{name} is being stopped");
    }
    if let Some(complaint) = &pod.complaint {
        return format!("{name} does not run: {complaint}");
    }
    if !pod.running {
        return format!("the container of {name} does not run");
    }
    let state = member
        .standing
        .as_ref()
        .map_or("not known to Patroni", |standing| standing.state.as_str());
    match leader(seen) {
        Some(leader) => format!("{name} does not stream from {} yet: {state}", leader.name),
        None => format!("{name} is not back yet: {state}"),
    }
}
