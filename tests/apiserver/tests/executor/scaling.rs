//! Horizontal scaling: up, down, in KubeDB's shape, and stopped after every single write.

use std::sync::Arc;

use api::petset::v1::PetSet;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::json;

use crate::{
    patroni::Patroni,
    provisioner::{crash_after_each_write, has_claim, managed, scale, with_members},
    server::until,
    world::{DATABASE, Plan, World, condition},
};

/// Members by PetSet and by Postgres.
async fn members(world: &World) -> (Option<i32>, Option<i32>) {
    let petset = world.api::<PetSet>().get(DATABASE).await.unwrap();
    (petset.spec.replicas, world.postgres().await.spec.replicas)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_one_to_three_with_claims_as_large_as_the_largest() {
    let world = managed(1).await;
    world
        .claim_status(0, json!({"capacity": {"storage": "2Gi"}}))
        .await;
    let patroni = Arc::new(Patroni::led_by("orders-0", false));
    let request = with_members(&world, &patroni, async {
        scale(&world, "up", 3, json!({"streamingMode": "Synchronous"})).await;
        world.phase("up", "Successful").await
    })
    .await;
    assert_eq!(members(&world).await, (Some(3), Some(3)));
    for ordinal in 1..3 {
        let spec = world.claim(ordinal).await.spec.unwrap();
        let size = spec.resources.unwrap().requests.unwrap()["storage"].0.clone();
        assert_eq!(size, "2Gi", "claim {ordinal}");
    }
    assert!(patroni.settings().1, "Synchronous, as asked");
    assert_eq!(
        world
            .postgres()
            .await
            .spec
            .streaming_mode
            .map(|mode| mode.to_string()),
        Some("Synchronous".to_owned())
    );
    assert!(!world.is_paused().await);
    for (kind, text) in [
        ("Running", "Postgres ops request is horizontally scaling database"),
        ("HorizontalScaleUp", "Successfully Horizontally Scaled Up"),
        ("Successful", "Successfully Horizontally Scaled Postgres"),
    ] {
        assert_eq!(condition(&request, kind), (kind.to_owned(), text.to_owned()));
    }
    for pod in ["orders-1", "orders-2"] {
        let text = format!("add member; ConditionStatus:True; PodName:{pod}");
        assert_eq!(
            condition(&request, &format!("AddMember--{pod}")),
            (String::new(), text)
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_three_to_one_where_the_last_leads() {
    let world = managed(3).await;
    let patroni = Arc::new(Patroni::led_by("orders-2", false));
    let request = with_members(&world, &patroni, async {
        until("all members", || async {
            (patroni.settings().2.len() == 3).then_some(())
        })
        .await;
        scale(&world, "down", 1, json!({})).await;
        world.phase("down", "Successful").await
    })
    .await;
    assert_eq!(members(&world).await, (Some(1), Some(1)));
    assert!(has_claim(&world, 0).await && !has_claim(&world, 1).await && !has_claim(&world, 2).await);
    let told = patroni.told();
    assert_eq!(
        told.first().map(String::as_str),
        Some("orders-0 leads"),
        "{told:?}"
    );
    assert_eq!(patroni.settings(), (None, false, Vec::new()), "{told:?}");
    assert_eq!(
        condition(&request, "HorizontalScaleDown").1,
        "Successfully Horizontally Scaled Down"
    );
    let stages: Vec<_> = request
        .status
        .unwrap()
        .members
        .into_iter()
        .map(|line| (line.name, line.stage.unwrap()))
        .collect();
    let gone = |name: &str| (name.to_owned(), "Gone".to_owned());
    assert_eq!(stages, [gone("orders-2"), gone("orders-1")]);
    let events = until("the last Event", || async {
        let events = world.events("down").await;
        events
            .iter()
            .any(|(reason, _)| reason == "Successful")
            .then_some(events)
    })
    .await;
    let notes: Vec<_> = events.iter().map(|(_, note)| note.as_str()).collect();
    let place = |text: &str| {
        notes
            .iter()
            .position(|note| note.contains(text))
            .unwrap_or_else(|| panic!("no {text:?} in {notes:#?}"))
    };
    let order = [
        "Pausing Postgres",
        "Successfully paused",
        "orders-2 is gone",
        "orders-1 is gone",
        "Successfully Horizontally Scaled Down",
        "says what it has become",
        "Resuming",
        "Successfully resumed",
        "Successfully Horizontally Scaled Database",
    ];
    assert!(order.map(place).is_sorted(), "{notes:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopped_after_every_single_write_it_still_scales_down_and_up() {
    let world = managed(2).await;
    let patroni = Arc::new(Patroni::led_by("orders-1", true));
    scale(&world, "down", 1, json!({"streamingMode": "Asynchronous"})).await;
    let runs = crash_after_each_write(&world, &patroni, "down").await;
    world.phase("down", "Successful").await;
    assert!(runs > 10, "only {runs} executors were needed: were they stopped?");
    assert_eq!(members(&world).await, (Some(1), Some(1)));
    assert_eq!(patroni.settings(), (None, false, Vec::new()));
    assert!(!has_claim(&world, 1).await);
    let led: Vec<_> = patroni
        .told()
        .into_iter()
        .filter(|told| told.ends_with("leads"))
        .collect();
    assert_eq!(led, ["orders-0 leads"], "one switchover");
    scale(&world, "up", 2, json!({})).await;
    crash_after_each_write(&world, &patroni, "up").await;
    world.phase("up", "Successful").await;
    assert_eq!(members(&world).await, (Some(2), Some(2)));
    assert!(!world.is_paused().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deleted_while_a_member_joins_the_postgres_says_what_there_is() {
    let world = managed(1).await;
    let patroni = Arc::new(Patroni::led_by("orders-0", false));
    with_members(&world, &patroni, async {
        scale(&world, "up", 4, json!({})).await;
        until("the second member", || async {
            (members(&world).await.0 >= Some(2)).then_some(())
        })
        .await;
        let api = world.api::<api::ops::v1alpha1::PostgresOpsRequest>();
        api.delete("up", &DeleteParams::default()).await.unwrap();
        until("gone", || async {
            world.find_request("up").await.is_none().then_some(())
        })
        .await;
    })
    .await;
    let (petset, postgres) = members(&world).await;
    assert_eq!(petset, postgres);
    assert!(!world.is_paused().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_scaled_is_refused_before_any_pause() {
    let world = managed(2).await;
    let patroni = Arc::new(Patroni::led_by("orders-0", true));
    let mode = json!({"spec": {"streamingMode": "Synchronous"}});
    let api = world.api::<api::kubedb::v1::Postgres>();
    api.patch(DATABASE, &PatchParams::default(), &Patch::Merge(mode))
        .await
        .unwrap();
    with_members(&world, &patroni, async {
        for (name, replicas, reason) in [("same", 2, "NotDifferent"), ("alone", 1, "InvalidRequest")] {
            scale(&world, name, replicas, json!({})).await;
            let request = world.phase(name, "Failed").await;
            assert_eq!(condition(&request, "Failed").0, reason, "{name}");
        }
        let secrets = world.api::<Secret>();
        secrets
            .delete("orders-patroni", &DeleteParams::default())
            .await
            .unwrap();
        scale(&world, "locked", 3, json!({})).await;
        let request = world.phase("locked", "Failed").await;
        let (reason, text) = condition(&request, "Failed");
        assert_eq!(reason, "CredentialsMissing");
        assert!(text.contains("orders-patroni"), "{text}");
    })
    .await;
    assert!(patroni.told().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_that_nobody_makes_are_not_asked_for() {
    let world = World::new(Plan::default()).await;
    let patroni = Arc::new(Patroni::led_by("orders-0", false));
    let request = with_members(&world, &patroni, async {
        scale(&world, "up", 2, json!({})).await;
        world.phase("up", "Failed").await
    })
    .await;
    assert_eq!(condition(&request, "Failed").0, "Unmanaged");
}
