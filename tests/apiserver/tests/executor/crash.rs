//! An executor that is stopped after every single write, and one that has a twin.

use executor::test_parts;
use serde_json::json;

use crate::{
    hands::{Storage, with_hands, with_history},
    world::{Plan, World, condition},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopped_after_every_single_write_it_still_ends_well() {
    let world = World::new(Plan {
        members: 2,
        ..Plan::default()
    })
    .await;
    world.request("grow", "2Gi", json!({})).await;
    let end = || async {
        world.find_request("grow").await.is_some_and(|request| {
            let successful = request
                .status
                .unwrap_or_default()
                .phase
                .is_some_and(|phase| phase.is_final());
            successful && request.metadata.finalizers.is_none()
        })
    };
    let run = with_hands(&world, Storage::Grows, world.crash_after_each_write(end));
    let (runs, mut history) = with_history(&world, run).await;
    history.sort();
    let once = ["data-orders-0", "data-orders-1"].map(|claim| (claim.to_owned(), "2Gi".to_owned()));
    assert_eq!(history, once, "each claim is asked for one size, once");
    let request = world.phase("grow", "Successful").await;
    assert_eq!(world.sizes().await, ["2Gi"; 4]);
    assert!(!world.is_paused().await);
    assert_eq!(condition(&request, "Successful").0, "Successful");
    assert!(runs > 10, "only {runs} executors were needed: were they stopped?");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopped_after_every_single_write_it_still_fails_well() {
    let world = World::new(Plan {
        members: 2,
        ..Plan::default()
    })
    .await;
    let storage = Storage::Refuses {
        status: "ControllerResizeInfeasible",
        message: "no room",
    };
    world.request("grow", "2Gi", json!({})).await;
    let end = || async {
        world.find_request("grow").await.is_some_and(|request| {
            let over = request
                .status
                .unwrap_or_default()
                .phase
                .is_some_and(|phase| phase.is_final());
            over && request.metadata.finalizers.is_none()
        })
    };
    with_hands(&world, storage, world.crash_after_each_write(end)).await;
    let request = world.phase("grow", "Failed").await;
    assert_eq!(condition(&request, "Failed").0, "Infeasible");
    assert!(!world.is_paused().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_executors_at_once_do_the_work_of_one() {
    let world = World::new(Plan {
        members: 2,
        ..Plan::default()
    })
    .await;
    let test = async {
        world.request("grow", "2Gi", json!({})).await;
        let request = world.phase("grow", "Successful").await;
        assert_eq!(world.sizes().await, ["2Gi"; 4]);
        assert_eq!(request.status.unwrap().attempts, Some(1));
    };
    let twin = async {
        tokio::select! {
            ended = test_parts::run(world.client.clone(), executor_core::step, None) => panic!("{ended:?}"),
            done = with_hands(&world, Storage::Grows, test) => done,
        }
    };
    let ((), mut history) = with_history(&world, world.with_executor(twin)).await;
    history.sort();
    let once = ["data-orders-0", "data-orders-1"].map(|claim| (claim.to_owned(), "2Gi".to_owned()));
    assert_eq!(history, once, "each claim is asked for one size, once");
}
