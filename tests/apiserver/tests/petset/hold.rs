//! The hold, as the executor asks for it.

use api::{
    ops::v1alpha1::PostgresOpsRequest,
    petset::v1::{Held, Hold, condition::HELD},
};
use jiff::{SignedDuration, Timestamp};
use kube::{
    ResourceExt,
    api::{Patch, PatchParams},
};
use runtime::clock::{Clock as _, SystemClock};
use serde_json::{Value, json};

use crate::{
    server::until,
    world::{World, set},
};

impl World {
    /// A request that a hold can name; gives its uid.
    async fn request(&self, name: &str) -> String {
        let request: PostgresOpsRequest = self
            .create(json!({"metadata": {"name": name}, "spec": {
                "type": "VolumeExpansion", "databaseRef": {"name": "orders"},
                "volumeExpansion": {"mode": "Offline", "postgres": "2Gi"}
            }}))
            .await;
        request.uid().unwrap()
    }

    async fn finish(&self, request: &str) {
        let patch = Patch::Merge(json!({"status": {"phase": "Failed"}}));
        let api = self.api::<PostgresOpsRequest>();
        api.patch_status(request, &PatchParams::default(), &patch)
            .await
            .unwrap();
    }

    async fn hold(&self, value: Value) {
        self.patch(json!({"metadata": {"annotations": {"highwater.dev/hold": value}}}))
            .await;
    }

    async fn held(&self) -> Option<Held> {
        self.set().await.status?.hold
    }

    /// Waits until the hold of this ordinal is acknowledged.
    async fn acknowledged(&self, ordinal: i32, uid: &str) {
        let wanted = Held {
            ordinal,
            uid: uid.to_owned(),
        };
        until("the acknowledgement", || async {
            (self.held().await? == wanted).then_some(())
        })
        .await;
    }

    async fn no_longer_held(&self) {
        until("the end of the hold", || async {
            self.held().await.is_none().then_some(())
        })
        .await;
    }

    async fn only(&self, pods: &[&str]) {
        until(&format!("only {pods:?}"), || async {
            (self.pods().await == *pods).then_some(())
        })
        .await;
    }
}

fn soon(seconds: i64) -> Timestamp {
    SystemClock.now() + SignedDuration::from_secs(seconds)
}

fn hold(ordinal: i32, uid: &str, expires: Timestamp) -> Value {
    let hold = Hold {
        ordinal,
        request: "grow".to_owned(),
        uid: uid.to_owned(),
        expires,
    };
    json!(hold.text())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_held_pod_stays_away_until_the_hold_is_lifted_and_the_others_come_back() {
    let world = World::new().await;
    world
        .with_controller(async {
            world
                .make(set(3, json!({"podManagementPolicy": "Parallel"})))
                .await;
            world.settled(3).await;
            let uid = world.request("grow").await;
            world.hold(hold(1, &uid, soon(600))).await;
            world.acknowledged(1, &uid).await;
            let (reason, message) = world.condition(HELD, "True").await;
            assert_eq!(reason, "Held");
            assert!(
                message.starts_with("ordinal 1 is held for grow until "),
                "{message}"
            );

            world.delete_pod(1).await;
            world.only(&["orders-0", "orders-2"]).await;
            let before = world.pod(2).await.unwrap().uid();
            world.delete_pod(2).await;
            until("pod 2 anew", || async {
                let pod = world.pod(2).await?;
                (pod.uid() != before).then_some(())
            })
            .await;
            // Pod 2 is back; pod 1, deleted before it, would be, too.
            world.settled(2).await;
            assert_eq!(world.pods().await, ["orders-0", "orders-2"]);

            world.hold(Value::Null).await;
            world.settled(3).await;
            world.no_longer_held().await;
            world.no_condition(HELD).await;
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_ends_with_its_request_and_with_its_time() {
    let world = World::new().await;
    world
        .with_controller(async {
            world.make(set(1, json!({}))).await;
            world.settled(1).await;
            let uid = world.request("grow").await;
            world.hold(hold(0, &uid, soon(600))).await;
            world.acknowledged(0, &uid).await;
            world.delete_pod(0).await;
            world.only(&[]).await;
            world.finish("grow").await;
            world.settled(1).await;
            world.no_longer_held().await;
            let (reason, message) = world.condition(HELD, "False").await;
            assert_eq!(reason, "HoldOver");
            assert!(message.contains("its request is finished"), "{message}");

            // Of the right name, but another request.
            world.hold(hold(0, "another", soon(600))).await;
            until("it is said", || async {
                let (_, message) = world.condition(HELD, "False").await;
                message.contains("its request is gone").then_some(())
            })
            .await;

            let uid = world.request("grow-again").await;
            let mut short: Value = serde_json::from_str(hold(0, &uid, soon(3)).as_str().unwrap()).unwrap();
            short["request"] = json!("grow-again");
            world.hold(json!(short.to_string())).await;
            world.acknowledged(0, &uid).await;
            world.delete_pod(0).await;
            world.settled(1).await;
            world.no_longer_held().await;
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_annotation_that_is_no_hold_is_told_and_holds_nothing() {
    let world = World::new().await;
    world
        .with_controller(async {
            world.make(set(1, json!({}))).await;
            world.hold(json!("please")).await;
            world.settled(1).await;
            let (reason, message) = world.condition(HELD, "False").await;
            assert_eq!(reason, "InvalidAnnotation");
            assert!(message.contains("highwater.dev/hold"), "{message}");
            until("an Event", || async {
                let events = world.events().await;
                events
                    .iter()
                    .any(|(reason, _)| reason == "InvalidAnnotation")
                    .then_some(())
            })
            .await;
        })
        .await;
}
