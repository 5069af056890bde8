//! What is asked for, and what the members look like on the way there.

use units::{Bytes, Reason};

use crate::{
    observed::{Claim, Database, Member, Observed, PetSet, Resize, Role},
    request::{Operation, Request, Scaling, StreamingMode},
};

/// How far a standby may be behind to take over: one segment of the write-ahead log. Whoever hands over first sends
/// everything it has; the bound keeps that short.
pub(super) const CAUGHT_UP: u64 = 16 << 20;

/// What a running request works with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Goal<'a> {
    pub(super) scaling: &'a Scaling,
    /// The number of members asked for; that of the PetSet when none is.
    pub(super) members: u32,
    pub(super) database: &'a Database,
    pub(super) petset: &'a PetSet,
}

impl<'a> Goal<'a> {
    /// Or the reason why there is none any more.
    pub(super) fn of(request: &'a Request, seen: &'a Observed) -> Result<Goal<'a>, (Reason, &'static str)> {
        let Some(scaling) = asked(request) else {
            return Err((Reason::InvalidRequest, "spec.horizontalScaling is not there"));
        };
        let Some(database) = &seen.database else {
            return Err((Reason::DatabaseNotFound, "the Postgres is gone"));
        };
        let Some(petset) = &seen.petset else {
            return Err((Reason::Unmanaged, "the PetSet is gone"));
        };
        let members = scaling.replicas.and_then(|replicas| replicas.try_into().ok());
        Ok(Goal {
            scaling,
            members: members.unwrap_or(petset.replicas),
            database,
            petset,
        })
    }

    /// Whether a commit is to wait for a standby once all is done. A Synchronous database stays so unless asked.
    pub(super) fn synchronous(&self) -> bool {
        let mode = self
            .scaling
            .streaming
            .as_ref()
            .or(self.database.streaming.as_ref());
        mode == Some(&StreamingMode::Synchronous)
    }

    /// Whether a member stays.
    pub(super) fn keeps(&self, ordinal: u32) -> bool {
        ordinal < self.members
    }
}

/// The section of the spec.
pub(super) fn asked(request: &Request) -> Option<&Scaling> {
    match &request.operation {
        Operation::HorizontalScaling(scaling) => scaling.as_ref(),
        _ => None,
    }
}

/// The timeline a member is on: its own word before the list's.
pub(super) fn timeline(member: &Member) -> Option<u64> {
    let own = member.own.says().and_then(|own| own.timeline);
    own.or_else(|| member.standing.as_ref()?.timeline)
}

/// Whether a member follows the leader in all that can be seen: Patroni lists it as running, on the leader's timeline,
/// and the leader's PostgreSQL lists it as streaming.
pub(super) fn streams(seen: &Observed, member: &Member) -> bool {
    let leaders = seen.leader().and_then(timeline);
    member.is_running() && leaders.is_some() && timeline(member) == leaders && seen.is_streaming(member)
}

/// Who of the staying members leads next: synchronous first, then the least lag, then the lowest ordinal; only one
/// that has caught up.
pub(super) fn heir<'a>(goal: &Goal<'_>, seen: &'a Observed) -> Option<&'a Member> {
    let lag = |member: &Member| member.standing.as_ref()?.lag.filter(|lag| *lag <= CAUGHT_UP);
    let is_synchronous = |member: &Member| {
        let role = member.standing.as_ref().map(|standing| standing.role);
        role == Some(Role::SyncStandby)
    };
    seen.members
        .iter()
        .filter(|member| goal.keeps(member.ordinal) && streams(seen, member) && lag(member).is_some())
        .min_by_key(|member| (!is_synchronous(member), lag(member), member.ordinal))
}

/// The size that a new member's claim must have: the largest that a sibling has or is getting.
pub(super) fn largest(seen: &Observed, below: u32) -> Option<Bytes> {
    let siblings = seen
        .claims
        .iter()
        .filter(|claim| claim.ordinal < below && !claim.deleting);
    siblings.map(wanted).max()
}

fn wanted(claim: &Claim) -> Bytes {
    let stuck = matches!(
        claim.resize,
        Some(Resize::ControllerInfeasible | Resize::NodeInfeasible)
    );
    let asked = if stuck { Bytes::ZERO } else { claim.request };
    claim.size().max(asked)
}
