//! Writes that are refused, or come to nothing.

use executor_core::observed::Target;

use super::{ends, explore, start, with_one_claim, working};
use crate::{fixture::request, model::Rules};

#[test]
fn a_write_that_always_comes_to_nothing_costs_the_deadline_and_no_more() {
    for timeout in [None, request().timeout] {
        for lost in [Target::Claim("data-pg-0".into()), Target::Pod("pg-0".into())] {
            let mut world = with_one_claim();
            world.request.as_mut().unwrap().timeout = timeout;
            let rules = Rules {
                lost: Some(lost.clone()),
                deletes: true,
                ..working()
            };
            let (_, reached) = explore(world, &rules);
            assert_eq!(
                reached,
                ends(&["DeadlineExceeded", "gone"]),
                "{timeout:?}, {lost:?}"
            );
        }
    }
}

#[test]
fn whatever_the_api_server_refuses_nothing_stays_paused() {
    let targets = [
        Target::PostgresStatus,
        Target::PostgresSpec,
        Target::PetSet,
        Target::Claim("data-pg-1".into()),
    ];
    for target in targets {
        let (_, reached) = explore(
            start(),
            &Rules {
                refused: vec![target.clone()],
                deletes: true,
                ..working()
            },
        );
        assert!(
            !reached.contains("Successful"),
            "{target:?} is refused and it is Successful"
        );
        assert!(reached.contains("Refused"), "{target:?}: {reached:?}");
    }
}

/// In this world kubelet never looks by itself.
#[test]
fn a_pod_that_may_not_be_nudged_costs_the_deadline_and_no_more() {
    let rules = Rules {
        refused: vec![Target::Pod("pg-0".into())],
        deletes: true,
        ..working()
    };
    let (_, reached) = explore(with_one_claim(), &rules);
    assert_eq!(reached, ends(&["DeadlineExceeded", "gone"]));
}
