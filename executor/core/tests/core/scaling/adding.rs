//! One member more: its claim, when it counts, how long it may take, and when it gives way.

use executor_core::{
    Observed, Request, Step,
    observed::{Answer, Trouble},
    request::{MemberStage, Phase},
    step,
};
use units::Reason;

use super::{
    scaling,
    tables::{gone, next, running},
    world::World,
};
use crate::fixture::{assert_fails, assert_waits, at, gib, message, other, sets};

#[test]
fn the_template_is_as_large_as_the_largest_sibling_before_a_member_is_added() {
    let mut world = World::new(scaling(3), 2, 3, 0);
    running(&mut world, &[(2, MemberStage::Pending)]);
    world.nodes[1].claim = Some((1, 17));
    assert_eq!(
        next(&world, &world.observe()),
        Step::PatchTemplate { to: gib(17) }
    );
    world.petset.template = Some(gib(17));
    let note = next(&world, &world.observe());
    assert_eq!(
        sets(&note, Reason::HorizontalScaleUp),
        Some((false, "Joining".into()))
    );
    world.write(&note);
    assert_eq!(next(&world, &world.observe()), Step::SetReplicas { to: 3 });
}

#[test]
fn a_claim_that_is_there_already_must_have_the_size_too() {
    let mut world = World::new(scaling(3), 2, 3, 0);
    running(&mut world, &[(2, MemberStage::Pending)]);
    world.nodes[2].claim = Some((1, 5));
    let mut seen = world.observe();
    let grow = Step::PatchClaim {
        claim: "data-pg-2".into(),
        to: gib(10),
    };
    assert_eq!(next(&world, &seen), grow);
    seen.claims[2].request = gib(10);
    let waits = next(&world, &seen);
    assert_eq!(
        sets(&waits, Reason::HorizontalScaleUp),
        Some((false, "ClaimNotBound".into()))
    );
    seen.claims[2].request = gib(5);
    seen.claims[2].bound = false;
    let stop = next(&world, &seen);
    assert_fails(&stop, Reason::ClaimChanged);
    seen.claims[2].deleting = true;
    let waits = next(&world, &seen);
    assert_eq!(
        sets(&waits, Reason::HorizontalScaleUp),
        Some((false, "ClaimNotBound".into()))
    );
}

#[test]
fn a_member_counts_only_once_patroni_and_the_leader_list_it() {
    let mut world = World::new(scaling(3), 3, 3, 0);
    running(&mut world, &[(2, MemberStage::Joining)]);
    let says =
        |seen: &Observed| sets(&next(&world, seen), Reason::HorizontalScaleUp).map(|(_, reason)| reason);
    let ready = says(&world.observe());
    assert_eq!(ready.as_deref(), Some("HorizontalScaleUp"));
    let mut seen = world.observe();
    seen.members[2].pod = None;
    seen.members[2].standing = None;
    assert_eq!(says(&seen).as_deref(), Some("Joining"));
    let mut seen = world.observe();
    seen.members[2].standing.as_mut().unwrap().state = "starting".into();
    assert_eq!(says(&seen).as_deref(), Some("NotStreaming"));
    let mut seen = world.observe();
    if let Answer::Says(own) = &mut seen.members[2].own {
        own.timeline = Some(7);
    }
    assert_eq!(says(&seen).as_deref(), Some("NotStreaming"), "another timeline");
    let mut seen = world.observe();
    if let Answer::Says(sql) = &mut seen.members[0].sql {
        sql.streaming.clear();
    }
    assert_eq!(
        says(&seen).as_deref(),
        Some("NotStreaming"),
        "not in pg_stat_replication"
    );
    let mut seen = world.observe();
    seen.members[0].sql = Answer::Silent(Trouble {
        reason: Reason::DatabaseNotAnswering,
        message: "no".into(),
    });
    assert_eq!(says(&seen).as_deref(), Some("DatabaseNotAnswering"));
}

#[test]
fn it_gives_way_to_an_expansion_while_a_member_does_not_stream_but_not_while_one_stops() {
    let urgent = || other("urgent", "VolumeExpansion", Phase::Pending, 5);
    let mut world = World::new(scaling(3), 3, 3, 0);
    running(&mut world, &[(2, MemberStage::Joining)]);
    world.nodes[2].running = false;
    let mut seen = world.observe();
    seen.queue = vec![urgent()];
    assert!(matches!(next(&world, &seen), Step::Yield(_)));
    let mut world = gone();
    world.nodes[1].pod = Some(1);
    world.nodes[1].stopping = true;
    let mut seen = world.observe();
    seen.queue = vec![urgent()];
    assert!(!matches!(next(&world, &seen), Step::Yield(_)));
}

#[test]
fn each_member_has_a_steps_time_and_the_end_names_the_cause() {
    let mut world = World::new(scaling(3), 3, 3, 0);
    running(&mut world, &[(2, MemberStage::Joining)]);
    world.nodes[2].running = false;
    let request: &mut Request = world.request.as_mut().unwrap();
    request.record.members[0].since = Some(at(50));
    request.record.members[0].reason = Reason::Joining;
    let wait = step(world.request.as_ref().unwrap(), &world.observe(), at(149));
    assert_waits(&wait, Reason::Joining, Some(150));
    let late = step(world.request.as_ref().unwrap(), &world.observe(), at(150));
    assert_fails(&late, Reason::DeadlineExceeded);
    assert!(message(&late, Reason::Failed).contains("pod pg-2 does not run yet"));
}
