//! One member less: who leads next, what is noted, and when its claim may go.

use executor_core::{
    ConfigChange, Observed, Step,
    lsn::Lsn,
    observed::{Answer, Fork, Role},
    request::MemberStage,
};
use units::Reason;

use super::{
    scaling,
    tables::{going_down, gone, next, running},
    world::World,
};
use crate::fixture::{assert_fails, sets};

#[test]
fn the_synchronous_leads_next_then_the_least_lag_then_the_lowest_ordinal() {
    let mut world = World::new(scaling(3), 4, 4, 3);
    running(&mut world, &[(3, MemberStage::HandingOver)]);
    world.request.as_mut().unwrap().record.members[0].reason = Reason::HandingOver;
    let heir = |change: &dyn Fn(&mut Observed)| {
        let mut seen = world.observe();
        change(&mut seen);
        match next(&world, &seen) {
            Step::Switchover { leader, candidate } => format!("{leader} to {candidate}"),
            step => sets(&step, Reason::HorizontalScaleDown)
                .map_or_else(|| format!("{step:?}"), |(_, reason)| reason),
        }
    };
    let lag = |seen: &mut Observed, ordinal: usize, lag| {
        seen.members[ordinal].standing.as_mut().unwrap().lag = lag;
    };
    assert_eq!(heir(&|_| {}), "pg-3 to pg-0");
    assert_eq!(heir(&|seen| lag(seen, 0, Some(8))), "pg-3 to pg-1");
    let synchronous = |seen: &mut Observed| {
        lag(seen, 2, Some(9));
        seen.members[2].standing.as_mut().unwrap().role = Role::SyncStandby;
    };
    assert_eq!(heir(&synchronous), "pg-3 to pg-2");
    let behind = |seen: &mut Observed| {
        lag(seen, 0, Some(17 << 20));
        lag(seen, 1, None);
        seen.members[2].standing.as_mut().unwrap().state = "starting".into();
    };
    assert_eq!(heir(&behind), "NoneCaughtUp");
}

#[test]
fn before_a_member_is_stopped_slots_go_at_once_and_its_position_is_noted() {
    let mut world = going_down(2, 0);
    world.ttl = None;
    let slots = Step::PatchConfig(ConfigChange::DropSlotsAtOnce);
    assert_eq!(next(&world, &world.observe()), slots);
    world.ttl = Some(0);
    let note = next(&world, &world.observe());
    let line = note.update().unwrap().members.as_ref().unwrap()[0].clone();
    assert_eq!(
        (line.stage, line.position, line.timeline),
        (MemberStage::Leaving, Some(Lsn(1)), Some(1))
    );
    assert_eq!(line.claim_uid.as_deref(), Some("claim-1-1"));
    world.write(&note);
    assert_eq!(next(&world, &world.observe()), Step::SetReplicas { to: 1 });
    let mut seen = world.observe();
    seen.members[1].pod.as_mut().unwrap().uid = "another".into();
    assert!(
        matches!(next(&world, &seen), Step::Note(_)),
        "another pod is noted anew"
    );
    world.promote(0);
    world.nodes[1].log = world.nodes[0].log;
    assert!(
        matches!(next(&world, &world.observe()), Step::Note(_)),
        "another timeline is noted anew"
    );
    let mut seen = world.observe();
    seen.members[1].own = Answer::NotAsked;
    let waits = next(&world, &seen);
    assert_eq!(
        sets(&waits, Reason::HorizontalScaleDown),
        Some((false, "PatroniNotAnswering".into()))
    );
}

#[test]
fn a_slot_of_the_member_that_left_is_dropped_on_every_member() {
    let mut world = gone();
    world.nodes[0].slots.insert(1);
    let drop = Step::DropSlot {
        member: "pg-0".into(),
        slot: "pg_1".into(),
    };
    assert_eq!(next(&world, &world.observe()), drop);
    let mut seen = world.observe();
    if let Answer::Says(sql) = &mut seen.members[0].sql {
        sql.slots[0].active = true;
    }
    let waits = next(&world, &seen);
    assert_eq!(
        sets(&waits, Reason::HorizontalScaleDown),
        Some((false, "Leaving".into()))
    );
}

#[test]
fn a_claim_goes_only_when_all_that_was_on_it_is_with_a_leader_that_stays() {
    let fork = |at, leader: Option<&str>| Fork {
        timeline: 1,
        at: Lsn(at),
        leader: leader.map(str::to_owned),
    };
    let delete = Step::DeleteClaim {
        claim: "data-pg-1".into(),
        uid: "claim-1-1".into(),
    };
    assert_eq!(next(&gone(), &gone().observe()), delete);
    let after = |forks: Vec<Fork>| {
        let mut world = gone();
        world.timeline = 2;
        world.nodes[0].log = (2, 5);
        world.forks = forks;
        next(&world, &world.observe())
    };
    assert_eq!(after(vec![fork(1, Some("pg-0"))]), delete);
    assert_fails(&after(vec![fork(1, Some("pg-1"))]), Reason::PositionNotReached);
    assert_fails(&after(vec![fork(1, None)]), Reason::PositionNotReached);
    assert_fails(&after(vec![fork(0, Some("pg-0"))]), Reason::PositionNotReached);
    let waits = |step: &Step| sets(step, Reason::HorizontalScaleDown).map(|(_, reason)| reason);
    assert_eq!(waits(&after(Vec::new())).as_deref(), Some("PositionNotReached"));
    let mut behind = gone();
    behind.nodes[0].log = (1, 0);
    assert_eq!(
        waits(&next(&behind, &behind.observe())).as_deref(),
        Some("PositionNotReached")
    );
    let mut another = gone();
    another.nodes[1].claim = Some((2, 10));
    assert_fails(&next(&another, &another.observe()), Reason::ClaimChanged);
    let mut unnoted = gone();
    unnoted.request.as_mut().unwrap().record.members[0].position = None;
    assert_fails(&next(&unnoted, &unnoted.observe()), Reason::PositionNotReached);
}
