//! Every interleaving of small worlds: from each world that can be reached, the executor alone brings the request to an
//! end with nothing left paused.

mod writes;

use std::collections::{BTreeSet, HashSet};

use executor_core::{
    observed::{Resize, Target},
    request::Phase,
};
use units::Reason;

use crate::{
    fixture::{claim, database, gib, request, seen},
    model::{Rules, World},
};

/// Far more steps than a run with its retries has.
const LONG: usize = 400;

/// Tries everything; gives how many worlds there are and which ends were reached.
fn explore(start: World, rules: &Rules) -> (usize, BTreeSet<String>) {
    let mut known = HashSet::from([start.clone()]);
    let mut settled = HashSet::new();
    let mut todo = vec![start];
    let mut ends = BTreeSet::new();
    while let Some(world) = todo.pop() {
        world.check();
        settle(&world, rules, &mut settled);
        if world.is_quiet() {
            ends.insert(end(&world));
        }
        let steps = world
            .executor(rules)
            .into_iter()
            .chain(world.others(rules).into_iter().map(|(_, next)| next));
        for next in steps {
            if known.insert(next.clone()) {
                todo.push(next);
            }
        }
        assert!(known.len() < 3_000_000, "too many worlds");
    }
    (known.len(), ends)
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

/// Nobody but the executor moves any more: it must come to an end by itself.
fn settle(world: &World, rules: &Rules, settled: &mut HashSet<World>) {
    let mut path = vec![world.clone()];
    loop {
        let last = path.last().unwrap();
        if settled.contains(last) || last.is_over() {
            break;
        }
        assert!(path.len() < LONG, "no end in sight: {}", last.summary());
        match last.executor(rules) {
            Some(next) => path.push(next),
            None => panic!("stuck, and not over: {}", last.summary()),
        }
    }
    settled.extend(path);
}

fn ends(list: &[&str]) -> BTreeSet<String> {
    list.iter().map(|end| (*end).to_owned()).collect()
}

fn working() -> Rules {
    Rules {
        storage_works: true,
        ..Rules::default()
    }
}

/// Trials are asked for like everything else.
fn start() -> World {
    let mut seen = seen();
    seen.trials.clear();
    World::new(request(), seen)
}

fn with_one_claim() -> World {
    let mut world = start();
    world.seen.claims.truncate(1);
    world
}

#[test]
fn two_claims_grow_however_storage_and_crashes_interleave() {
    let (worlds, reached) = explore(start(), &working());
    assert_eq!(
        reached,
        ends(&["DeadlineExceeded", "Successful"]),
        "it fails only where storage is slower than the deadline"
    );
    assert!(worlds > 500, "{worlds}");
}

#[test]
fn deleted_at_any_moment_nothing_stays_paused() {
    let (_, reached) = explore(
        start(),
        &Rules {
            deletes: true,
            ..working()
        },
    );
    assert_eq!(reached, ends(&["DeadlineExceeded", "Successful", "gone"]));
}

#[test]
fn away_for_longer_than_any_deadline_at_any_moment_it_still_ends() {
    let rules = Rules {
        sleeps: true,
        deletes: true,
        ..working()
    };
    let (_, reached) = explore(with_one_claim(), &rules);
    assert_eq!(reached, ends(&["DeadlineExceeded", "Successful", "gone"]));
}

#[test]
fn a_second_executor_with_an_old_view_at_any_moment_does_no_harm() {
    let (_, reached) = explore(
        with_one_claim(),
        &Rules {
            twin: true,
            deletes: true,
            ..working()
        },
    );
    assert_eq!(reached, ends(&["DeadlineExceeded", "Successful", "gone"]));
}

#[test]
fn a_provisioner_may_answer_at_any_moment_or_never() {
    let mut world = with_one_claim();
    database(&mut world.seen).managed = true;
    let (_, reached) = explore(
        world,
        &Rules {
            acknowledges: true,
            deletes: true,
            ..working()
        },
    );
    assert_eq!(reached, ends(&["DeadlineExceeded", "Successful", "gone"]));
}

#[test]
fn where_one_claim_is_infeasible_it_never_succeeds() {
    let rules = Rules {
        infeasible: Some(1),
        deletes: true,
        ..working()
    };
    let (_, reached) = explore(start(), &rules);
    assert_eq!(reached, ends(&["DeadlineExceeded", "Infeasible", "gone"]));
}

#[test]
fn complaints_that_pass_are_outlived_or_retried() {
    let mut world = with_one_claim();
    world.request.as_mut().unwrap().max_retries = 1;
    let (_, reached) = explore(
        world,
        &Rules {
            complains: Some(0),
            ..working()
        },
    );
    assert_eq!(reached, ends(&["DeadlineExceeded", "DriverError", "Successful"]));
}

#[test]
fn with_a_silent_storage_every_retry_ends() {
    let mut world = start();
    world.request.as_mut().unwrap().max_retries = 2;
    let (_, reached) = explore(
        world,
        &Rules {
            deletes: true,
            ..Rules::default()
        },
    );
    assert_eq!(reached, ends(&["DeadlineExceeded", "gone"]));
}

/// Each stage has the time that its storage may take, and a deletion a minute.
#[test]
fn without_a_timeout_it_ends_deleted_or_not_and_with_storage_that_is_silent() {
    for storage_works in [true, false] {
        let mut world = with_one_claim();
        world.request.as_mut().unwrap().timeout = None;
        let rules = Rules {
            storage_works,
            deletes: true,
            sleeps: true,
            ..Rules::default()
        };
        let (_, reached) = explore(world, &rules);
        let success = reached.contains("Successful");
        assert_eq!(success, storage_works, "{reached:?}");
        assert!(reached.contains("DeadlineExceeded"), "{reached:?}");
    }
}

#[test]
fn a_claim_mounted_nowhere_is_no_obstacle() {
    let mut world = start();
    world.seen.claims[1].pods.clear();
    let (_, reached) = explore(world, &working());
    assert!(reached.contains("Successful"));
}

#[test]
fn a_larger_claim_is_not_touched_whether_it_still_grows_or_not() {
    for (capacity, resize) in [
        (30, None),
        (10, Some(Resize::ControllerInProgress)),
        (30, Some(Resize::ControllerInfeasible)),
    ] {
        let mut world = start();
        let claim = &mut world.seen.claims[0];
        claim.request = gib(if resize.is_some() { 50 } else { 30 });
        claim.allocated = Some(claim.request);
        claim.capacity = gib(capacity);
        claim.volume = Some(gib(capacity));
        claim.resize = resize;
        // Storage works for the other claim; kubelet needs no nudge for what this request has not asked for.
        claim.pods.clear();
        let name = claim.name.clone();
        let (_, reached) = explore(
            world,
            &Rules {
                refused: vec![Target::Claim(name)],
                ..working()
            },
        );
        assert!(!reached.contains("Refused"), "{reached:?}");
    }
}

#[test]
fn larger_and_stuck_claims_end_up_with_one_request() {
    let mut world = start();
    world.seen.claims[0] = claim(0);
    world.seen.claims[0].request = gib(50);
    world.seen.claims[0].allocated = Some(gib(50));
    world.seen.claims[0].resize = Some(Resize::ControllerInfeasible);
    let (_, reached) = explore(world, &working());
    assert!(reached.contains("Successful"), "{reached:?}");
}

/// The explorer must be able to fail: a world in which nobody lifts a pause is found.
#[test]
#[should_panic(expected = "not over")]
fn the_explorer_finds_a_pause_that_stays() {
    let mut world = with_one_claim();
    let request = world.request.as_mut().unwrap();
    request.record.phase = Phase::Failed;
    let foreign = executor_core::observed::Pause {
        message: "paused by somebody".into(),
        since: None,
    };
    database(&mut world.seen).paused = Some(foreign);
    explore(world, &working());
}
