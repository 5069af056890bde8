//! What stops a scaling, and what is left when it fails.

use executor_core::{
    Observed, Step,
    lsn::Lsn,
    observed::{Pause, Quota},
    pause,
    request::{MemberRecord, MemberStage, Operation, Scaling, StreamingMode},
    step,
};
use units::Reason;

use super::{scaling, world::World};
use crate::fixture::{assert_fails, assert_waits, at, begun, gib, message, sets};

/// Running, paused and acknowledged, with a line for each of these ordinals.
pub(super) fn running(world: &mut World, lines: &[(u32, MemberStage)]) {
    let request = world.request.as_mut().unwrap();
    let template = begun();
    request.finalizer = true;
    request.record = template.record;
    request.record.volumes.clear();
    request.timeout = Some(std::time::Duration::from_secs(100));
    let line = |(ordinal, stage): &(u32, MemberStage)| MemberRecord {
        ordinal: *ordinal,
        stage: *stage,
        pod_uid: Some(format!("pod-{ordinal}-1")),
        claim_uid: Some(format!("claim-{ordinal}-1")),
        position: (*stage == MemberStage::Leaving).then_some(Lsn(1)),
        timeline: (*stage == MemberStage::Leaving).then_some(1),
        reason: Reason::Running,
        message: String::new(),
        since: Some(at(1)),
    };
    request.record.members = lines.iter().map(line).collect();
    world.database.paused = Some(Pause {
        message: pause::message(request),
        since: Some(at(2)),
    });
    world.database.acknowledged = Some(request.uid.clone());
}

pub(super) fn next(world: &World, seen: &Observed) -> Step {
    step(world.request.as_ref().unwrap(), seen, at(10))
}

/// Down from `members` to one, the highest about to be removed.
pub(super) fn going_down(members: usize, leader: usize) -> World {
    let mut world = World::new(scaling(1), members, members, leader);
    let lines: Vec<_> = (1..u32::try_from(members).unwrap())
        .rev()
        .map(|ordinal| (ordinal, MemberStage::Pending))
        .collect();
    running(&mut world, &lines);
    world.ttl = Some(0);
    world
}

/// Down from two to one: pod, member and slot of the leaver are gone, its claim is not.
pub(super) fn gone() -> World {
    let mut world = World::new(scaling(1), 2, 2, 0);
    running(&mut world, &[(1, MemberStage::Leaving)]);
    world.ttl = Some(0);
    world.petset.replicas = 1;
    world.nodes[1].pod = None;
    world.nodes[1].running = false;
    world.nodes[0].slots.clear();
    world
}

#[test]
fn nonsense_is_refused_with_its_reason() {
    type Change = fn(&mut Scaling, &mut World);
    let table: [(Change, Reason, &str); 11] = [
        (
            |s, _| s.replicas = Some(0),
            Reason::InvalidRequest,
            "can't be less than or equal 0",
        ),
        (
            |s, _| s.replicas = Some(-1),
            Reason::InvalidRequest,
            "can't be less than or equal 0",
        ),
        (
            |s, _| s.replicas = None,
            Reason::InvalidRequest,
            "has to be mentioned",
        ),
        (
            |s, _| s.replicas = Some(65),
            Reason::InvalidRequest,
            "more than 64",
        ),
        (
            |s, _| s.read_replicas = true,
            Reason::NotSupported,
            "readReplicas",
        ),
        (
            |s, _| s.streaming = Some(StreamingMode::Other("Sometimes".into())),
            Reason::InvalidRequest,
            "\"Sometimes\"",
        ),
        (
            |s, _| s.replicas = Some(2),
            Reason::NotDifferent,
            "has 2 members already",
        ),
        (
            |_, w| w.database.streaming = Some(StreamingMode::Synchronous),
            Reason::InvalidRequest,
            "needs more than 1 member",
        ),
        (
            |_, w| w.database.managed = false,
            Reason::Unmanaged,
            "no provisioner",
        ),
        (
            |_, w| w.petset.unmanaged = true,
            Reason::Unmanaged,
            "is unmanaged",
        ),
        (|_, w| w.database.halted = true, Reason::InvalidRequest, "halted"),
    ];
    for (change, reason, words) in table {
        let mut world = World::new(scaling(1), 2, 2, 0);
        let mut section = Scaling {
            replicas: Some(1),
            ..Scaling::default()
        };
        change(&mut section, &mut world);
        world.request.as_mut().unwrap().operation = Operation::HorizontalScaling(Some(section));
        let step = next(&world, &world.observe());
        assert_fails(&step, reason);
        assert!(
            message(&step, Reason::Failed).contains(words),
            "{words}: {step:?}"
        );
    }
    let mut world = World::new(scaling(1), 2, 2, 0);
    world.request.as_mut().unwrap().operation = Operation::HorizontalScaling(None);
    assert_fails(&next(&world, &world.observe()), Reason::InvalidRequest);
}

#[test]
fn new_claims_must_fit_the_quota_together() {
    let world = World::new(scaling(4), 2, 4, 0);
    let mut seen = world.observe();
    let mut quota = |hard| {
        seen.quotas = vec![Quota {
            name: "disk".into(),
            class: None,
            hard: gib(hard),
            used: gib(20),
        }];
        next(&world, &seen)
    };
    assert_fails(&quota(39), Reason::QuotaExceeded);
    assert_eq!(quota(40), Step::AddFinalizer);
}

#[test]
fn what_was_made_a_moment_ago_is_waited_for() {
    let mut world = World::new(scaling(3), 2, 3, 0);
    world.database.managed = false;
    let hold = step(world.request.as_ref().unwrap(), &world.observe(), at(3));
    assert_eq!(sets(&hold, Reason::Running), Some((false, "Unmanaged".into())));
}

#[test]
fn beside_kubedb_members_are_not_touched() {
    let world = World::new(scaling(3), 2, 3, 0);
    let mut seen = world.observe();
    seen.beside_kubedb = true;
    assert_fails(&next(&world, &seen), Reason::NotSupported);
    let mut world = World::new(scaling(3), 2, 3, 0);
    running(&mut world, &[(2, MemberStage::Pending)]);
    let mut seen = world.observe();
    seen.beside_kubedb = true;
    assert_fails(&next(&world, &seen), Reason::NotSupported);
}

#[test]
fn without_an_acknowledgement_no_member_is_touched_and_the_deadline_says_so() {
    let mut world = World::new(scaling(3), 2, 3, 0);
    running(&mut world, &[(2, MemberStage::Pending)]);
    world.database.acknowledged = None;
    assert_waits(&next(&world, &world.observe()), Reason::AwaitingPause, Some(102));
    let late = step(world.request.as_ref().unwrap(), &world.observe(), at(102));
    assert_fails(&late, Reason::ProvisionerNotAnswering);
}

#[test]
fn a_failed_run_leaves_the_postgres_and_patroni_as_they_were_told() {
    let mut world = going_down(3, 0);
    world.petset.replicas = 2;
    let request = world.request.as_mut().unwrap();
    request.record.conditions.push(crate::fixture::condition(
        Reason::Failed,
        true,
        Reason::NotStreaming,
        9,
    ));
    let mut steps = Vec::new();
    loop {
        let step = next(&world, &world.observe());
        if matches!(step, Step::Resume) {
            break;
        }
        world.write(&step);
        steps.push(step.name());
    }
    assert_eq!(steps, ["Seal", "PatchSpec", "PatchConfig"]);
    world.assert_whole(true);
}
