//! Every interleaving of small worlds: from each that can be reached, the request comes to an end with nobody held, nothing
//! paused and every member back; and without anybody's help it ends, too.

use std::collections::{BTreeSet, HashSet};

use executor_core::request::{Expansion, Mode, Operation, Phase, Request, Size, Vertical, VerticalMode};
use units::Reason;

use super::world::{World, cpus};
use crate::fixture::{at, gib, request};

/// What may happen besides the executor's steps and everybody's work.
#[derive(Clone, Copy, Debug, Default)]
struct Rules {
    /// The user deletes the request, once.
    deletes: bool,
    /// The executor is away for longer than any deadline, once.
    sleeps: bool,
    /// The leader's container dies, once.
    dies: bool,
}

/// Tries everything; gives how many worlds there are and which ends were reached.
fn explore(start: World, rules: Rules) -> (usize, BTreeSet<String>) {
    let mut known = HashSet::from([start.clone()]);
    let mut todo = vec![start];
    let mut ends = BTreeSet::new();
    let mut settled = [HashSet::new(), HashSet::new()];
    while let Some(world) = todo.pop() {
        let [helped, alone] = &mut settled;
        settle(&world, true, helped);
        settle(&world, false, alone);
        world.assert_no_row_lost();
        if world.is_over() {
            ends.insert(end(&world));
            continue;
        }
        let acts = world.act().into_iter();
        let others = world.others().into_iter().map(|(_, next)| next);
        let mut nexts: Vec<_> = acts.chain(others).collect();
        if nexts.is_empty() {
            nexts.extend(world.wait());
        }
        for next in nexts.into_iter().chain(rare(&world, rules)) {
            if known.insert(next.clone()) {
                todo.push(next);
            }
        }
        assert!(known.len() < 1_000_000, "too many worlds");
    }
    (known.len(), ends)
}

fn rare(world: &World, rules: Rules) -> Vec<World> {
    let deletes = rules.deletes.then(|| {
        world.rarely("deletes", |next| {
            let now = at(next.now);
            let request = next.request.as_mut().unwrap();
            request.deleted = Some(now);
            if !request.finalizer {
                next.request = None;
            }
        })
    });
    let sleeps = rules
        .sleeps
        .then(|| world.rarely("sleeps", |next| next.now += 1000));
    let dies = rules.dies.then(|| {
        world.rarely("dies", |next| {
            if let Some(leader) = next.leader.filter(|leader| next.nodes[*leader].running) {
                next.nodes[leader].running = false;
            }
        })
    });
    [deletes, sleeps, dies].into_iter().flatten().flatten().collect()
}

/// How a world ended: the phase, for a failure its reason.
fn end(world: &World) -> String {
    let Some(request) = &world.request else {
        return "gone".into();
    };
    match request.record.condition(Reason::Failed) {
        Some(failed) => failed.reason.clone(),
        None => format!("{:?}", request.record.phase),
    }
}

/// The executor goes on; `helped`: everybody else does their work first, too.
fn settle(world: &World, helped: bool, settled: &mut HashSet<World>) {
    let mut path = vec![world.clone()];
    loop {
        let last = path.last().unwrap();
        if settled.contains(last) {
            break;
        }
        let help = last
            .others()
            .into_iter()
            .next()
            .map(|(_, next)| next)
            .filter(|_| helped);
        if last.is_over() && help.is_none() {
            if helped && !last.abandoned {
                assert!(
                    last.nodes.iter().all(|node| node.running),
                    "over, and somebody is away"
                );
            }
            break;
        }
        assert!(
            path.len() < 3000,
            "no end in sight: {:?} {:?}",
            last.decide(),
            last.request
        );
        match help.or_else(|| last.act()).or_else(|| last.wait()) {
            Some(next) => path.push(next),
            None => panic!("stuck, and not over: {:?}", last.decide()),
        }
    }
    settled.extend(path);
}

fn ends(list: &[&str]) -> BTreeSet<String> {
    list.iter().map(|end| (*end).to_owned()).collect()
}

pub(super) fn offline() -> Request {
    Request {
        operation: Operation::VolumeExpansion(Some(Expansion {
            postgres: Size::Of(gib(20)),
            arbiter: false,
            mode: Mode::Offline,
        })),
        ..request()
    }
}

pub(super) fn restart() -> Request {
    Request {
        operation: Operation::Restart,
        ..request()
    }
}

pub(super) fn vertical(mode: VerticalMode) -> Request {
    Request {
        operation: Operation::VerticalScaling(Some(Vertical {
            postgres: Some(cpus(2)),
            read_replicas: false,
            mode,
        })),
        ..request()
    }
}

const ALL: Rules = Rules {
    deletes: true,
    sleeps: true,
    dies: true,
};

/// For more than one member: all three at once make too many worlds.
const SOME: Rules = Rules {
    deletes: true,
    sleeps: false,
    dies: true,
};

#[test]
fn offline_with_a_leader_in_any_place_ends_well() {
    for leader in [0, 1] {
        let (worlds, reached) = explore(World::new(offline(), 2, leader), Rules::default());
        assert_eq!(reached, ends(&["Successful"]));
        assert!(worlds > 20, "{worlds}");
    }
    let (_, reached) = explore(World::new(offline(), 3, 1), Rules::default());
    assert_eq!(reached, ends(&["Successful"]));
}

#[test]
fn offline_alone() {
    let (_, reached) = explore(World::new(offline(), 1, 0), ALL);
    assert!(
        reached.contains("Successful") && reached.contains("gone"),
        "{reached:?}"
    );
}

#[test]
fn offline_whatever_happens_nobody_stays_held() {
    let (_, reached) = explore(World::new(offline(), 2, 0), SOME);
    assert!(
        reached.contains("Successful") && reached.contains("gone"),
        "{reached:?}"
    );
}

#[test]
fn offline_with_all_disks_full_no_row_is_lost() {
    for leader in [0, 1, 2] {
        let start = World::new(offline(), 3, leader).all_full();
        let mut world = start.clone();
        // Everybody's work in between, in every order.
        let (_, reached) = explore(start, Rules::default());
        assert_eq!(reached, ends(&["Successful"]));
        // Who leads when it is over has all rows.
        for _ in 0..3000 {
            let help = world.others().into_iter().next().map(|(_, next)| next);
            match help.or_else(|| world.act()).or_else(|| world.wait()) {
                Some(next) => world = next,
                None => break,
            }
        }
        assert_eq!(world.leader, Some(leader));
    }
}

#[test]
fn without_a_controller_the_hold_is_given_up_and_said() {
    let mut world = World::new(offline(), 2, 0);
    world.abandoned = true;
    let (_, reached) = explore(
        world,
        Rules {
            sleeps: true,
            ..Rules::default()
        },
    );
    assert_eq!(reached, ends(&["AwaitingHold", "DeadlineExceeded"]));
}

#[test]
fn a_restart_in_any_order_of_events() {
    let (_, reached) = explore(World::new(restart(), 2, 0), SOME);
    assert!(
        reached.contains("Successful") && reached.contains("gone"),
        "{reached:?}"
    );
    let (_, reached) = explore(World::new(restart(), 3, 2), Rules::default());
    assert_eq!(reached, ends(&["Successful"]));
}

#[test]
fn other_resources_in_any_order_of_events() {
    for mode in [VerticalMode::Restart, VerticalMode::InPlace] {
        let (_, reached) = explore(World::new(vertical(mode.clone()), 2, 0), SOME);
        assert!(
            reached.contains("Successful") && reached.contains("gone"),
            "{mode:?}: {reached:?}"
        );
    }
}

#[test]
fn the_explorer_finds_a_hold_that_stays() {
    let mut world = World::new(offline(), 1, 0);
    let request = world.request.as_mut().unwrap();
    request.record.phase = Phase::Failed;
    world.petset.hold = Some(executor_core::observed::Hold {
        ordinal: 0,
        uid: "somebody else's".into(),
        expires: at(0),
    });
    let found = std::panic::catch_unwind(|| explore(world, Rules::default()));
    assert!(found.is_err());
}
