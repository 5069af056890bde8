//! A managed database at rest, with all of Highwater's controllers but the decider around it: nobody writes anything. The decider
//! at rest has a test of its own.

use std::time::Duration;

use api::{autoscaling::v1alpha1::PostgresAutoscaler, ops::v1alpha1::PostgresOpsRequest};
use k8s_openapi::api::{
    apps::v1::ControllerRevision,
    core::v1::{PersistentVolumeClaim, Pod},
    events::v1::Event,
};
use kube::{ResourceExt, api::DeleteParams};
use serde_json::json;
use tokio::time::{sleep, timeout};

use crate::{
    hands::{claim, pod},
    server::until,
    world::{DATABASE, World},
};

const MEMBERS: i32 = 3;
/// Longer than the minute after which they look again where anything is left to wait for; health is checked each second.
const IDLE: Duration = Duration::from_secs(70);
/// Longer than an Event or a retry is under way.
const CALM: Duration = Duration::from_secs(6);
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_writes_while_a_managed_database_is_at_rest() {
    let world = World::new().await;
    let client = || world.client.clone();
    let sets = provisioner_petset::test_parts::run(client(), false, None);
    let executor = executor::test_parts::run(client(), executor_core::step, None);
    tokio::select! {
        ended = sets => panic!("the PetSet controller ended: {ended:?}"),
        ended = executor => panic!("the executor ended: {ended:?}"),
        () = world.with_controller(at_rest(&world)) => {}
    }
}

async fn at_rest(world: &World) {
    world.postgres(json!({})).await;
    world.pods_run().await;
    world.phase("Ready").await;
    world.request_fails("before").await;
    world.phase("Ready").await;

    let before = world.calm().await;
    for kind in [
        "Postgres",
        "PetSet",
        "ControllerRevision",
        "Pod",
        "PersistentVolumeClaim",
        "Service",
    ] {
        assert!(
            before.iter().any(|(name, _)| name.starts_with(kind)),
            "{kind}: {before:?}"
        );
    }
    let asked = world.database.asked();
    sleep(IDLE).await;
    assert_eq!(world.written().await, before, "written by somebody");

    // All were there to write.
    let checks = u64::from(world.database.asked() - asked);
    assert!(checks >= IDLE.as_secs() / 2, "{checks} checks");
    world.request_fails("after").await;
    let params = DeleteParams::default().grace_period(0);
    let gone = world.there::<Pod>(&pod(1)).await.uid();
    world.api::<Pod>().delete(&pod(1), &params).await.unwrap();
    until("another pod", || async {
        let pod: Pod = world.find(&pod(1)).await?;
        (pod.uid() != gone).then_some(())
    })
    .await;
}

impl World {
    /// What kubelet, storage and Patroni do with the pods and claims that the PetSet controller makes; the first leads.
    async fn pods_run(&self) {
        for ordinal in 0..MEMBERS {
            self.there::<PersistentVolumeClaim>(&claim(ordinal)).await;
            let bound = json!({"phase": "Bound", "capacity": {"storage": "1Gi"}});
            self.claim_status(ordinal, bound).await;
            self.there::<Pod>(&pod(ordinal)).await;
            self.ready(ordinal, true).await;
        }
        self.leads(0).await;
        for ordinal in 0..MEMBERS {
            let role = if ordinal == 0 { "primary" } else { "standby" };
            self.role(ordinal, json!(role)).await;
        }
        self.database.works(&["orders-1", "orders-2"]);
    }

    /// A request that the executor cannot carry out, once it is over: the claims have that size.
    async fn request_fails(&self, name: &str) {
        self.create::<PostgresOpsRequest>(json!({"metadata": {"name": name}, "spec": {
            "type": "VolumeExpansion", "databaseRef": {"name": DATABASE}, "apply": "Always",
            "volumeExpansion": {"mode": "Online", "postgres": "1Gi"}
        }}))
        .await;
        until(name, || async {
            let request: PostgresOpsRequest = self.find(name).await?;
            let phase = request.status?.phase?;
            (phase.as_str() == "Failed" && request.metadata.finalizers.is_none()).then_some(())
        })
        .await;
    }

    /// Everything that any of them could have written, with its version.
    async fn written(&self) -> Vec<(String, String)> {
        let mut all = self.versions().await;
        self.versions_of::<PostgresOpsRequest>(&mut all).await;
        self.versions_of::<PostgresAutoscaler>(&mut all).await;
        self.versions_of::<ControllerRevision>(&mut all).await;
        self.versions_of::<Event>(&mut all).await;
        all
    }

    /// The same, once nobody has written for a while.
    async fn calm(&self) -> Vec<(String, String)> {
        let settles = async {
            loop {
                let before = self.written().await;
                sleep(CALM).await;
                if self.written().await == before {
                    return before;
                }
            }
        };
        timeout(PATIENCE, settles).await.expect("they come to rest")
    }
}
