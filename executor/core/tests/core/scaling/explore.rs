//! Every interleaving of small worlds of members: from each that can be reached, the executor alone brings the request to
//! an end, with nothing paused, nothing lost, and the Postgres saying what there is.

use std::collections::{BTreeSet, HashSet};

use executor_core::request::{Operation, Scaling, StreamingMode};
use units::Reason;

use super::{others::Rules, scaling, world::World};

/// Far more steps than a run has, a slow way out of a deletion included.
const LONG: usize = 800;

/// Tries everything; gives how many worlds there are and which ends were reached.
fn explore(start: World, rules: &Rules) -> (usize, BTreeSet<String>) {
    // Patroni's settings know no resourceVersion: what is written late there, the provisioner puts right.
    let told = rules.failures + rules.silences + rules.crashes + rules.failovers + rules.late_writes == 0;
    let mut known = HashSet::from([start.clone()]);
    let mut settled = HashSet::new();
    let mut todo = vec![start];
    let mut ends = BTreeSet::new();
    while let Some(world) = todo.pop() {
        settle(&world, rules, told, &mut settled);
        if world.is_over() && world.held.is_none() {
            world.assert_whole(told && world.leader.is_some());
            ends.insert(end(&world));
            continue;
        }
        let steps = world.executor(rules).into_iter().chain(world.others(rules));
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
fn settle(world: &World, rules: &Rules, told: bool, settled: &mut HashSet<World>) {
    let quiet = Rules {
        failures: 0,
        ..rules.clone()
    };
    let mut path = vec![world.clone()];
    loop {
        let last = path.last().unwrap();
        if settled.contains(last) {
            break;
        }
        if last.is_over() {
            last.assert_whole(told && last.leader.is_some() && last.held.is_none());
            break;
        }
        assert!(
            path.len() < LONG,
            "no end in sight: {}: {:?}",
            last.now,
            last.decide()
        );
        match last.executor(&quiet).pop() {
            Some(next) => path.push(next),
            None => panic!("stuck, and not over: {}: {:?}", last.now, last.decide()),
        }
    }
    settled.extend(path);
}

fn asks(replicas: i32, streaming: Option<StreamingMode>) -> executor_core::Request {
    let mut request = scaling(replicas);
    request.operation = Operation::HorizontalScaling(Some(Scaling {
        replicas: Some(replicas),
        streaming,
        ..Scaling::default()
    }));
    request
}

#[test]
fn one_member_more_however_things_interleave() {
    let rules = Rules {
        deletes: true,
        crashes: 1,
        ..Rules::default()
    };
    let (worlds, ends) = explore(World::new(asks(2, None), 1, 2, 0), &rules);
    assert!(ends.contains("Successful") && ends.contains("gone"), "{ends:?}");
    assert!(worlds > 300, "{worlds}");
}

#[test]
fn one_member_less_while_leadership_moves_and_commits_come() {
    let rules = Rules {
        failovers: 2,
        commits: 1,
        ..Rules::default()
    };
    let (worlds, ends) = explore(World::new(asks(1, None), 2, 2, 1), &rules);
    assert!(ends.contains("Successful"), "{ends:?}");
    assert!(worlds > 1000, "{worlds}");
}

#[test]
fn one_member_less_written_late_while_leadership_moves_or_the_request_is_deleted() {
    let moves = Rules {
        failovers: 1,
        late_writes: 1,
        ..Rules::default()
    };
    let (_, ends) = explore(World::new(asks(1, None), 2, 2, 0), &moves);
    assert!(ends.contains("Successful"), "{ends:?}");
    let deleted = Rules {
        deletes: true,
        late_writes: 1,
        ..Rules::default()
    };
    let (_, ends) = explore(World::new(asks(1, None), 2, 2, 0), &deleted);
    assert!(ends.contains("Successful") && ends.contains("gone"), "{ends:?}");
}

#[test]
fn members_that_answer_nothing_or_refuse_end_it_and_leave_no_pause() {
    let rules = Rules {
        silences: 1,
        failures: 2,
        slots_stay: true,
        deletes: true,
        ..Rules::default()
    };
    let (_, ends) = explore(World::new(asks(1, None), 2, 2, 1), &rules);
    assert!(ends.contains("Successful"), "{ends:?}");
}

#[test]
fn two_leave_one_after_the_other() {
    let rules = Rules {
        failovers: 1,
        ..Rules::default()
    };
    let (_, ends) = explore(World::new(asks(1, None), 3, 3, 2), &rules);
    assert!(ends.contains("Successful"), "{ends:?}");
}

#[test]
fn a_synchronous_database_stays_so_unless_asked() {
    let rules = Rules {
        deletes: true,
        failures: 1,
        ..Rules::default()
    };
    let (_, ends) = explore(World::new(asks(2, None), 3, 3, 0).synchronous(), &rules);
    assert!(ends.contains("Successful"), "{ends:?}");
    let asked = asks(1, Some(StreamingMode::Asynchronous));
    let (_, ends) = explore(World::new(asked, 2, 2, 0).synchronous(), &rules);
    assert!(ends.contains("Successful"), "{ends:?}");
    let asked = asks(2, Some(StreamingMode::Synchronous));
    let (_, ends) = explore(World::new(asked, 1, 2, 0), &rules);
    assert!(ends.contains("Successful"), "{ends:?}");
}

/// The explorer must be able to fail: a world in which a claim holds what nobody else has is found.
#[test]
#[should_panic(expected = "rows are only there")]
fn the_explorer_finds_rows_that_are_only_on_a_claim() {
    let mut world = World::new(asks(1, None), 2, 2, 0);
    world.nodes[1].log = (1, 9);
    world.nodes[1].pod = None;
    world.database.paused = Some(executor_core::observed::Pause {
        message: String::new(),
        since: None,
    });
    world.assert_allowed(&executor_core::Step::DeleteClaim {
        claim: "data-pg-1".into(),
        uid: "claim-1-1".into(),
    });
}
