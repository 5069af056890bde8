//! Tables: what is refused, who comes first without a leader, what a hold goes through.

use executor_core::{
    Step,
    lsn::Lsn,
    observed::{Answer, Capability, Held, Observed, Own, Profile, Refusal, Target},
    request::{Operation, Phase, Request, Resources, VerticalMode},
    step,
};
use units::Reason;

use super::{
    explore::{offline, restart, vertical},
    world::{World, cpus},
};
use crate::fixture::{assert_fails, at, gib, other, sets};

/// The world once the executor waits, or is about to do this.
fn until(mut world: World, stop: impl Fn(&Step) -> bool) -> World {
    for _ in 0..400 {
        let step = world.decide().unwrap();
        if stop(&step) {
            return world;
        }
        let help = world.others().into_iter().next().map(|(_, next)| next);
        world = help.or_else(|| world.act()).or_else(|| world.wait()).unwrap();
    }
    panic!("never: {:?}", world.decide());
}

fn decide(world: &World, seen: &Observed) -> Step {
    step(world.request.as_ref().unwrap(), seen, at(world.now))
}

#[test]
fn resources_that_no_pod_could_have_are_refused() {
    let list = |entries: &[(&str, &str)]| {
        entries
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect()
    };
    let table: [(Option<Resources>, &str); 5] = [
        (None, "resources is missing"),
        (Some(Resources::default()), "resources is missing"),
        (
            Some(Resources {
                requests: list(&[("cpu", "much")]),
                ..Resources::default()
            }),
            "requests.cpu much",
        ),
        (
            Some(Resources {
                limits: list(&[("memory", "-1")]),
                ..Resources::default()
            }),
            "below 0",
        ),
        (
            Some(Resources {
                requests: list(&[("memory", "2Gi")]),
                limits: list(&[("memory", "1Gi")]),
            }),
            "above its limit",
        ),
    ];
    for (resources, text) in table {
        let mut request = vertical(VerticalMode::Restart);
        let Operation::VerticalScaling(Some(section)) = &mut request.operation else {
            unreachable!()
        };
        section.postgres = resources;
        let world = World::new(request, 2, 0);
        let step = world.decide().unwrap();
        assert_fails(&step, Reason::InvalidRequest);
        assert!(format!("{step:?}").contains(text), "{text}: {step:?}");
    }
}

#[test]
fn where_nobody_makes_pods_no_pod_is_stopped() {
    for request in [offline(), restart(), vertical(VerticalMode::InPlace)] {
        let mut world = World::new(request, 2, 0);
        world.petset.unmanaged = true;
        assert_fails(&world.decide().unwrap(), Reason::Unmanaged);
    }
}

#[test]
fn a_driver_that_expands_only_what_is_not_in_use_is_no_obstacle() {
    let mut world = World::new(offline(), 1, 0);
    world.nodes[0].claim.class.as_mut().unwrap().profile = Some(Profile {
        name: "slow".into(),
        expansion: Capability::Offline,
        maximum: None,
        duration: None,
        shared: false,
    });
    assert_eq!(world.decide(), Some(Step::AddFinalizer));
}

#[test]
fn a_pod_goes_only_when_its_hold_is_acknowledged() {
    let world = until(World::new(offline(), 2, 0), |step| {
        matches!(step, Step::DeletePod { .. })
    });
    let mut seen = world.observe();
    let kept = |ordinal, uid: &str| {
        Some(Held {
            ordinal,
            uid: uid.into(),
        })
    };
    for held in [None, kept(0, "uid-grow"), kept(1, "another")] {
        seen.petset.as_mut().unwrap().held = held;
        let step = decide(&world, &seen);
        assert!(
            matches!(&step, Step::Wait(wait) if wait.reason == Reason::AwaitingHold),
            "{step:?}"
        );
    }
}

#[test]
fn a_held_member_that_leads_hands_over_first() {
    let mut world = until(World::new(offline(), 2, 0), |step| {
        matches!(step, Step::DeletePod { .. })
    });
    world.leader = Some(1);
    let step = until(world, |step| matches!(step, Step::Switchover { .. })).decide();
    assert_eq!(
        step,
        Some(Step::Switchover {
            leader: "pg-1".into(),
            candidate: "pg-0".into()
        })
    );
}

#[test]
fn an_expired_hold_is_renewed_before_its_pod_goes() {
    let world = until(World::new(offline(), 2, 0), |step| {
        matches!(step, Step::DeletePod { .. })
    });
    let mut seen = world.observe();
    seen.petset.as_mut().unwrap().hold.as_mut().unwrap().expires = at(world.now);
    assert!(matches!(decide(&world, &seen), Step::Hold { ordinal: 1, .. }));
}

#[test]
fn a_claim_in_use_is_not_asked_to_grow_and_one_that_nobody_uses_is_at_once() {
    let mut world = until(World::new(offline(), 2, 0), |step| {
        matches!(step, Step::Hold { .. })
    });
    world.petset.replicas = 1;
    world.nodes[1].pod = None;
    assert_eq!(
        world.decide(),
        Some(Step::PatchClaim {
            claim: "data-pg-1".into(),
            to: gib(20)
        })
    );
}

#[test]
fn a_refused_deletion_ends_the_run_and_releases() {
    let world = until(World::new(offline(), 2, 0), |step| {
        matches!(step, Step::DeletePod { .. })
    });
    let mut seen = world.observe();
    let no = Refusal {
        reason: Reason::Refused,
        message: "no".into(),
    };
    seen.refusals.insert(Target::Pod("pg-1".into()), no);
    assert_fails(&decide(&world, &seen), Reason::Refused);
}

/// Nobody leads, three members are down: who is stopped first?
#[test]
fn without_a_leader_the_one_that_led_last_comes_first_or_nobody() {
    let start = || {
        let world = World::new(offline(), 3, 1).all_full();
        until(
            world,
            |step| matches!(step, Step::Note(update) if update.members.is_some()),
        )
    };
    let first = |world: &World, seen: &Observed| {
        let step = decide(world, seen);
        let members = step.update().and_then(|update| update.members.clone())?;
        let held = |line: &&executor_core::request::MemberRecord| line.stage.as_str() == "Held";
        members.iter().find(held).map(|line| line.ordinal)
    };
    let world = start();
    let mut seen = world.observe();
    assert_eq!(first(&world, &seen), Some(1), "the holder of the key");

    let Answer::Says(cluster) = &mut seen.cluster else {
        unreachable!()
    };
    cluster.leader = None;
    assert_eq!(first(&world, &seen), Some(1), "the one labelled primary");

    let label = |seen: &mut Observed, ordinal: usize, role: Option<&str>| {
        let pod = seen.members[ordinal].pod.as_mut().unwrap();
        pod.role = role.map(str::to_owned);
    };
    label(&mut seen, 2, Some("primary"));
    assert_eq!(first(&world, &seen), None, "two are labelled: nobody");

    for ordinal in 0..3 {
        label(&mut seen, ordinal, None);
    }
    let own = |timeline, position| {
        Answer::Says(Own {
            leads: false,
            state: "starting".into(),
            timeline: Some(timeline),
            position: Some(Lsn(position)),
        })
    };
    seen.members[0].own = own(2, 10);
    seen.members[1].own = own(1, 900);
    assert_eq!(
        first(&world, &seen),
        None,
        "one does not tell its position: nobody"
    );
    seen.members[2].own = own(2, 11);
    assert_eq!(
        first(&world, &seen),
        Some(2),
        "the furthest on the latest timeline"
    );
}

#[test]
fn a_moment_without_a_leader_stops_nobody() {
    let mut world = until(World::new(restart(), 3, 0), |step| {
        matches!(step, Step::DeletePod { .. })
    });
    world.leader = None;
    let step = world.decide().unwrap();
    assert_eq!(sets(&step, Reason::NoLeader), Some((true, "NoLeader".into())));
    let world = world.act().unwrap();
    let step = world.decide().unwrap();
    assert!(
        matches!(&step, Step::Wait(wait) if wait.reason == Reason::NoLeader),
        "{step:?}"
    );
}

#[test]
fn an_online_expansion_goes_first_between_two_members_and_not_while_one_is_held() {
    let yields = |request: Request, stop: fn(&Step) -> bool| {
        let world = until(World::new(request, 2, 0), stop);
        let mut seen = world.observe();
        seen.queue = vec![other("online", "VolumeExpansion", Phase::Pending, 5)];
        matches!(decide(&world, &seen), Step::Yield(_))
    };
    assert!(yields(offline(), |step| matches!(step, Step::Hold { .. })));
    assert!(!yields(offline(), |step| matches!(step, Step::DeletePod { .. })));
    assert!(yields(restart(), |step| matches!(step, Step::DeletePod { .. })));
}

#[test]
fn a_pod_that_cannot_run_with_the_new_resources_gets_the_old_ones_back() {
    let start = World::new(vertical(VerticalMode::Restart), 2, 0);
    let mut world = until(start, |step| matches!(step, Step::DeletePod { .. }));
    // The pod is replaced and cannot be scheduled; its time runs out.
    world.nodes[1].made += 1;
    world.nodes[1].pod = Some(world.nodes[1].made);
    world.nodes[1].running = false;
    world.nodes[1].resources = cpus(2);
    for _ in 0..400 {
        match world.act() {
            Some(next) => world = next,
            None if world.request.as_ref().unwrap().record.phase.is_final() => break,
            None => world = world.wait().unwrap(),
        }
        world.petset.present = Some(2);
    }
    assert_eq!(world.petset.resources, cpus(1));
    assert!(world.nodes[1].stopping, "it is made anew");
    let record = &world.request.as_ref().unwrap().record;
    assert_eq!(record.phase, Phase::Failed);
}
