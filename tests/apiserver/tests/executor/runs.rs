//! Whole runs that end well.

use serde_json::json;

use crate::{
    hands::{Storage, with_hands},
    server::until,
    world::{DATABASE, Plan, World, condition},
};

/// Reasons and beginnings of notes, in the order of KubeDB's documented run.
fn expected_events(world: &World, name: &str) -> Vec<(&'static str, String)> {
    let (ns, db) = (&world.namespace, DATABASE);
    vec![
        (
            "Running",
            "Postgres ops request is expanding volume of database".to_owned(),
        ),
        ("PauseDatabase", format!("Pausing Postgres {ns}/{db}")),
        ("PauseDatabase", format!("Successfully paused Postgres {ns}/{db}")),
        (
            "VolumeExpansion",
            format!(
                "Online Volume Expansion performed successfully in Postgres pods for PostgresDBOpsRequest: {ns}/{name}"
            ),
        ),
        (
            "UpdatePetSets",
            "PetSet's claim template data asks for 2Gi".to_owned(),
        ),
        (
            "ReadyPetSets",
            format!("PetSet is updated in place: claim template data of {db} asks for 2Gi"),
        ),
        (
            "UpdateDatabase",
            format!("Postgres {ns}/{db} asks for 2Gi of storage"),
        ),
        ("ResumeDatabase", format!("Resuming PostgreSQL {ns}/{db}")),
        (
            "ResumeDatabase",
            format!("Successfully resumed PostgreSQL {ns}/{db}"),
        ),
        ("Successful", "Successfully Expanded Volume".to_owned()),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_members_grow_with_kubedbs_conditions_and_events_in_order() {
    let world = World::new(Plan {
        members: 3,
        ..Plan::default()
    })
    .await;
    let test = async {
        world.request("grow", "2Gi", json!({})).await;
        let request = world.phase("grow", "Successful").await;
        assert_eq!(world.sizes().await, ["2Gi"; 5]);
        assert!(!world.is_paused().await);
        let status = request.status.clone().unwrap();
        let order: Vec<_> = status
            .conditions
            .iter()
            .map(|condition| condition.type_.as_str())
            .collect();
        assert_eq!(
            order,
            [
                "Running",
                "PauseDatabase",
                "VolumeExpansion",
                "UpdatePetSets",
                "ReadyPetSets",
                "Successful"
            ]
        );
        assert!(
            status.conditions.iter().all(|condition| condition.is_true()),
            "{:?}",
            status.conditions
        );
        assert_eq!(condition(&request, "PauseDatabase").0, "NoProvisioner");
        assert_eq!(
            condition(&request, "Successful").1,
            "Successfully Expanded Volume."
        );
        assert_eq!((status.attempts, status.observed_generation), (Some(1), Some(1)));
        assert!(status.started_at.is_some());
        for (ordinal, line) in status.volumes.iter().enumerate() {
            assert_eq!(line.claim, format!("data-{DATABASE}-{ordinal}"));
            assert_eq!(line.volume, Some(world.volume(ordinal)));
            let text = |part: &Option<String>| part.clone().unwrap_or_default();
            let line = [
                text(&line.from),
                text(&line.to),
                text(&line.capacity),
                text(&line.stage),
            ];
            assert_eq!(line, ["1Gi", "2Gi", "2Gi", "Grown"]);
        }
        let events = until("all events", || async {
            let events = world.events("grow").await;
            events
                .iter()
                .any(|(reason, _)| reason == "Successful")
                .then_some(events)
        })
        .await;
        let told: Vec<_> = events
            .iter()
            .map(|(reason, note)| (reason.as_str(), note.clone()))
            .collect();
        assert_eq!(told, expected_events(&world, "grow"));
    };
    world
        .with_executor(with_hands(&world, Storage::Grows, test))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_templates_and_others_conditions_stay_as_they_are() {
    let world = World::new(Plan {
        managed: true,
        ..Plan::default()
    })
    .await;
    let test = async {
        world.request("grow", "2Gi", json!({})).await;
        let request = world.phase("grow", "Successful").await;
        assert_eq!(condition(&request, "PauseDatabase").0, "ProvisionerNotAnswering");
        let petset = world
            .api::<api::petset::v1::PetSet>()
            .get(DATABASE)
            .await
            .unwrap();
        assert_eq!(
            petset.spec.claim_size("logs").unwrap().unwrap().to_string(),
            "3Gi"
        );
        let conditions = world.postgres().await.status.unwrap().conditions;
        let kept: Vec<_> = conditions
            .iter()
            .map(|c| (c.type_.as_str(), c.message.as_deref()))
            .collect();
        assert_eq!(kept, [("Ready", Some("of the provisioner"))]);
    };
    world
        .with_executor(with_hands(&world, Storage::Grows, test))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provisioner_that_answers_is_waited_for_and_one_that_takes_its_time_is_not_overrun() {
    let world = World::new(Plan {
        managed: true,
        ..Plan::default()
    })
    .await;
    let test = async {
        let request = world.request("grow", "2Gi", json!({})).await;
        until("the pause", || async { world.is_paused().await.then_some(()) }).await;
        let before = world.sizes().await;
        let mut conditions = serde_json::to_value(world.postgres().await.status.unwrap().conditions).unwrap();
        conditions.as_array_mut().unwrap().push(json!({
            "type": "PauseAcknowledged", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z",
            "reason": "Paused", "message": request.metadata.uid
        }));
        world.postgres_status(json!({"conditions": conditions})).await;
        let request = world.phase("grow", "Successful").await;
        assert_eq!(
            before, ["1Gi"; 3],
            "nothing was patched before the acknowledgement"
        );
        assert_eq!(condition(&request, "PauseDatabase").0, "PauseDatabase");
    };
    world
        .with_executor(with_hands(&world, Storage::Grows, test))
        .await;
}
