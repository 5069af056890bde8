//! Phases and conditions, from pods and from asking the primary.

use serde_json::json;

use crate::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_becomes_ready_and_says_what_it_lacks_when_it_is_not() {
    let world = World::new().await;
    let test = async {
        world.postgres(json!({})).await;
        world.phase("Provisioning").await;
        world.members_run().await;
        world.said("AcceptingConnection", "False").await;
        world.phase("Provisioning").await;
        world.database.works(&["orders-1", "orders-2"]);
        world.phase("Ready").await;
        world.said("Provisioned", "True").await;

        world.database.works(&["orders-1"]);
        world.phase("Critical").await;
        let said = world.said("ReplicaReady", "False").await;
        assert_eq!(said.reason.as_deref(), Some("MemberNotStreaming"));
        let message = said.message.unwrap();
        assert!(
            message.contains("member orders-2") && message.contains("reinit"),
            "{message}"
        );

        world.database.works(&["orders-1", "orders-2"]);
        world.phase("Ready").await;
        world.ready(1, false).await;
        world.phase("Critical").await;
        world.ready(1, true).await;
        world.database.is_full();
        world.phase("NotReady").await;
        let said = world.said("AcceptingConnection", "False").await;
        assert!(said.message.unwrap().contains("VolumeExpansion"));
        world.database.works(&["orders-1", "orders-2"]);
        world.phase("Ready").await;
    };
    world.with_controller(test).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_keeps_a_pod_from_running_is_told_and_forgotten() {
    let world = World::new().await;
    let test = async {
        world.postgres(json!({})).await;
        world.members_run().await;
        for (status, reason, words) in [
            (
                json!({"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                    "message": "0/1 nodes are available: 1 Insufficient cpu."}]}),
                "Unschedulable",
                "Insufficient cpu",
            ),
            (
                json!({"conditions": [], "containerStatuses": [{"name": "postgres", "ready": false, "restartCount": 0,
                    "image": "nowhere/x:1", "imageID": "", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}}]}),
                "ImagePullFailed",
                "nowhere/x:1",
            ),
            (
                json!({"conditions": [], "containerStatuses": [{"name": "postgres", "ready": false, "restartCount": 3,
                    "image": "x", "imageID": "", "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                    "lastState": {"terminated": {"exitCode": 2, "reason": "Error"}}}]}),
                "ContainerFailing",
                "code 2",
            ),
        ] {
            world.pod_status(1, status).await;
            let said = crate::server::until(reason, || async {
                let said = world.said("Failure", "True").await;
                (said.reason.as_deref() == Some(reason)).then_some(said)
            })
            .await;
            let message = said.message.unwrap();
            assert!(message.contains(words) && message.contains(';'), "{message}");
            assert!(message.starts_with("pod orders-1: "), "{message}");
        }
        world.pod_status(1, json!({"containerStatuses": []})).await;
        world.ready(1, true).await;
        world.unsaid("Failure").await;
    };
    world.with_controller(test).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn patronis_settings_are_put_right_with_the_credentials_and_others_keys_stay() {
    let world = World::new().await;
    let test = async {
        world.postgres(json!({})).await;
        world.members_run().await;
        world.database.works(&["orders-1", "orders-2"]);
        world
            .database
            .has_settings(json!({"ttl": 30, "member_slots_ttl": 0,
            "postgresql": {"parameters": {"max_wal_size": "1MB", "work_mem": "1GB"}}}));
        world.phase("Ready").await;
        let patches = crate::server::until("a patch", || async {
            let patches = world.database.patches();
            (!patches.is_empty()).then_some(patches)
        })
        .await;
        assert_eq!(patches[0]["ttl"], 20);
        assert_eq!(patches[0]["postgresql"]["parameters"]["max_wal_size"], "64MB");
        assert_eq!(patches[0]["postgresql"]["parameters"]["work_mem"], json!(null));
        assert!(patches[0].get("member_slots_ttl").is_none());
        assert_eq!(world.database.login().unwrap().user, "patroni");
        let asked = world.database.asked();
        crate::server::until("two more checks", || async {
            (world.database.asked() > asked + 1).then_some(())
        })
        .await;
        let again = world.database.patches().split_off(1);
        assert!(again.is_empty(), "what is right is not patched again: {again:?}");
    };
    world.with_controller(test).await;
}
