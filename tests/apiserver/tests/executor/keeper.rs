//! The hands of a PetSet controller that keeps holds, of kubelet, and of a driver that expands only what is not in use.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use api::petset::v1::{Hold, PetSet};
use executor::test_parts::{self, StopAfter};
use k8s_openapi::api::core::v1::Pod;
use kube::{
    ResourceExt,
    api::{DeleteParams, Patch, PatchParams},
};
use serde_json::{Value, json};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::{
    patroni::Patroni,
    provisioner::{acknowledge, make_pod, reach},
    server::until,
    world::{DATABASE, World, pod},
};

/// What the hands have seen.
pub(crate) struct Keeper<'a> {
    pub(crate) world: &'a World,
    pub(crate) patroni: Arc<Patroni>,
    /// Acknowledges nothing and makes no pod.
    pub(crate) idle: bool,
    /// Ordinals whose pods went, in order, and whether they were held.
    gone: Mutex<Vec<(usize, bool)>>,
}

impl<'a> Keeper<'a> {
    pub(crate) fn new(world: &'a World, leader: &str) -> Self {
        Self {
            world,
            patroni: Arc::new(Patroni::led_by(leader, false)),
            idle: false,
            gone: Mutex::default(),
        }
    }

    /// Ordinals whose pods went, in order, and whether they were held.
    pub(crate) fn gone(&self) -> Vec<(usize, bool)> {
        self.gone.lock().unwrap().clone()
    }

    /// Uids of the pods, by name.
    pub(crate) async fn pods(&self) -> BTreeMap<String, String> {
        let pods = self.world.api::<Pod>();
        let all = pods.list(&Default::default()).await.unwrap().items;
        all.iter()
            .map(|pod| (pod.name_any(), pod.uid().unwrap()))
            .collect()
    }

    /// Makes every pod, before anything is asked.
    pub(crate) async fn populate(&self, resources: Value) {
        for ordinal in 0..self.world.members {
            make_pod(self.world, ordinal, resources.clone()).await;
            self.patroni.join(&pod(ordinal));
        }
    }

    /// Runs an executor and these hands until `test` is done.
    pub(crate) async fn with_executor<T>(&self, test: impl Future<Output = T>) -> T {
        let client = self.world.client.clone();
        tokio::select! {
            ended = test_parts::run_with(client, executor_core::step, None, reach(&self.patroni)) => panic!("{ended:?}"),
            () = self.play() => unreachable!("they play for ever"),
            done = test => done,
        }
    }

    /// Runs executors one after the other, each stopped after one write, until the request is over; gives their number.
    pub(crate) async fn crash_after_each_write(&self, request: &str) -> u32 {
        let over = || async {
            let request = self.world.find_request(request).await?;
            let phase = request.status.unwrap_or_default().phase;
            let over = phase.is_some_and(|phase| phase.is_final()) && request.metadata.finalizers.is_none();
            over.then_some(())
        };
        let runs = async {
            for runs in 1..300 {
                let stopped = CancellationToken::new();
                let stop = StopAfter::new(1, stopped.clone());
                let client = self.world.client.clone();
                tokio::select! {
                    ended = test_parts::run_with(client, executor_core::step, Some(stop), reach(&self.patroni)) =>
                        panic!("{ended:?}"),
                    () = stopped.cancelled() => {}
                    () = until("the end", over) => return runs,
                }
            }
            panic!("it does not come to an end");
        };
        tokio::select! {
            () = self.play() => unreachable!("they play for ever"),
            runs = runs => runs,
        }
    }

    async fn play(&self) {
        loop {
            acknowledge(self.world).await;
            let petset = self.world.api::<PetSet>().get(DATABASE).await.unwrap();
            let held = Hold::of(&petset).unwrap().map(|hold| hold.ordinal);
            if !self.idle {
                self.answer(&petset).await;
            }
            for ordinal in 0..self.world.members {
                self.member(ordinal, held == i32::try_from(ordinal).ok(), &petset)
                    .await;
                self.storage(ordinal).await;
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// What it has seen of the set.
    async fn answer(&self, petset: &PetSet) {
        let hold = Hold::of(petset).unwrap();
        let held = hold.map(|hold| json!({"ordinal": hold.ordinal, "uid": hold.uid}));
        let status = json!({"observedGeneration": petset.metadata.generation, "replicas": self.world.members,
            "hold": held});
        let patch = Patch::Merge(json!({"status": status}));
        let api = self.world.api::<PetSet>();
        api.patch_status(DATABASE, &PatchParams::default(), &patch)
            .await
            .unwrap();
    }

    async fn member(&self, ordinal: usize, held: bool, petset: &PetSet) {
        let pods = self.world.api::<Pod>();
        match pods.get_opt(&pod(ordinal)).await.unwrap() {
            Some(object) if object.metadata.deletion_timestamp.is_some() => {
                self.patroni.leave(&pod(ordinal));
                self.gone.lock().unwrap().push((ordinal, held));
                let now = DeleteParams::default().grace_period(0);
                pods.delete(&pod(ordinal), &now).await.unwrap();
            }
            None if !held && !self.idle => {
                let resources = &petset.spec.template["spec"]["containers"][0]["resources"];
                let resources = Some(resources).filter(|it| it.is_object()).cloned();
                make_pod(self.world, ordinal, resources.unwrap_or_else(|| json!({}))).await;
                self.patroni.join(&pod(ordinal));
            }
            Some(object) => self.resize(object).await,
            None => {}
        }
    }

    /// Kubelet gives a running container what its pod asks for.
    async fn resize(&self, object: Pod) {
        let whole = json!(object);
        let wanted = &whole["spec"]["containers"][0]["resources"];
        if whole["status"]["containerStatuses"][0]["resources"] == *wanted {
            return;
        }
        let mut containers = whole["status"]["containerStatuses"].clone();
        containers[0]["resources"] = wanted.clone();
        let patch = Patch::Merge(json!({"status": {"containerStatuses": containers}}));
        let pods = self.world.api::<Pod>();
        pods.patch_status(&object.name_any(), &PatchParams::default(), &patch)
            .await
            .unwrap();
    }

    /// The driver works while nobody uses the volume, kubelet as it is mounted.
    async fn storage(&self, ordinal: usize) {
        let claim = json!(self.world.claim(ordinal).await);
        let wanted = &claim["spec"]["resources"]["requests"]["storage"];
        if *wanted == claim["status"]["capacity"]["storage"] {
            return;
        }
        let wanted = wanted.as_str().unwrap();
        let used = self
            .world
            .api::<Pod>()
            .get_opt(&pod(ordinal))
            .await
            .unwrap()
            .is_some();
        let pending = claim["status"]["allocatedResourceStatuses"]["storage"] == "NodeResizePending";
        let status = match (used, pending) {
            (true, true) => json!({"capacity": {"storage": wanted}, "allocatedResourceStatuses": null}),
            (false, false) => {
                self.world.grow_volume(ordinal, wanted).await;
                json!({"allocatedResources": {"storage": wanted},
                    "allocatedResourceStatuses": {"storage": "NodeResizePending"}})
            }
            (true, false) => panic!("claim {ordinal} is asked to grow while it is in use"),
            (false, true) => return,
        };
        self.world.claim_status(ordinal, status).await;
    }
}
