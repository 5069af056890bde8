//! A database with its objects, as provisioner, scheduler and storage would have left them, and what is asked of it.

use std::sync::atomic::{AtomicU32, Ordering};

use api::{
    conditions::{find, is_true},
    kubedb::v1::Postgres,
    ops::v1alpha1::PostgresOpsRequest,
    petset::v1::PetSet,
};
use executor::test_parts::{self, Decide, StopAfter};
use k8s_openapi::{
    NamespaceResourceScope,
    api::{
        core::v1::{PersistentVolume, PersistentVolumeClaim},
        events::v1::Event,
    },
};
use kube::{
    Api, Client, Resource,
    api::{ListParams, Patch, PatchParams},
};
use serde_json::{Value, json};
use tokio::sync::MutexGuard;

use crate::server::{turn, until};

static COUNT: AtomicU32 = AtomicU32::new(0);

/// The name of every test's database; not that of its namespace or class, so that exchanged arguments show.
pub(crate) const DATABASE: &str = "orders";

/// A namespace with one database in it.
pub(crate) struct World {
    pub(crate) client: Client,
    pub(crate) namespace: String,
    pub(crate) members: usize,
    _turn: MutexGuard<'static, ()>,
}

/// How the database of a test is.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) members: usize,
    pub(crate) expandable: bool,
    /// Whether pods mount the claims.
    pub(crate) mounted: bool,
    /// Whether a provisioner has written the status.
    pub(crate) managed: bool,
    /// Of the storage class.
    pub(crate) driver: &'static str,
}

impl Default for Plan {
    fn default() -> Self {
        Plan {
            members: 1,
            expandable: true,
            mounted: true,
            managed: false,
            driver: "test.csi.example",
        }
    }
}

impl World {
    /// A database whose claims have 1Gi.
    pub(crate) async fn new(plan: Plan) -> World {
        let (client, turn) = turn().await;
        let number = COUNT.fetch_add(1, Ordering::SeqCst);
        let namespace = format!("test-{number}");
        let world = World {
            client,
            namespace,
            members: plan.members,
            _turn: turn,
        };
        world.make(plan).await;
        world
    }

    pub(crate) fn api<K>(&self) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    pub(crate) fn volume(&self, ordinal: usize) -> String {
        format!("pv-{}-{ordinal}", self.namespace)
    }

    pub(crate) async fn claim_status(&self, ordinal: usize, status: Value) {
        let patch = Patch::Merge(json!({"status": status}));
        let api = self.api::<PersistentVolumeClaim>();
        api.patch_status(&claim(ordinal), &PatchParams::default(), &patch)
            .await
            .unwrap();
    }

    pub(crate) async fn grow_volume(&self, ordinal: usize, size: &str) {
        let patch = Patch::Merge(json!({"spec": {"capacity": {"storage": size}}}));
        let api: Api<PersistentVolume> = Api::all(self.client.clone());
        api.patch(&self.volume(ordinal), &PatchParams::default(), &patch)
            .await
            .unwrap();
    }

    pub(crate) async fn postgres_status(&self, status: Value) {
        let patch = Patch::Merge(json!({"status": status}));
        self.api::<Postgres>()
            .patch_status(DATABASE, &PatchParams::default(), &patch)
            .await
            .unwrap();
    }

    /// An Online expansion with `apply: Always`, changed by `merge`.
    pub(crate) async fn request(&self, name: &str, size: &str, merge: Value) -> PostgresOpsRequest {
        let mut spec = json!({
            "type": "VolumeExpansion", "databaseRef": {"name": DATABASE}, "apply": "Always",
            "volumeExpansion": {"mode": "Online", "postgres": size}
        });
        for (key, value) in merge.as_object().into_iter().flatten() {
            spec[key] = value.clone();
        }
        self.create(json!({"metadata": {"name": name}, "spec": spec}))
            .await
    }

    pub(crate) async fn find_request(&self, name: &str) -> Option<PostgresOpsRequest> {
        self.api::<PostgresOpsRequest>().get_opt(name).await.unwrap()
    }

    /// The request once its phase is this one, and it holds nothing any more if that is final.
    pub(crate) async fn phase(&self, name: &str, phase: &str) -> PostgresOpsRequest {
        until(&format!("{name} {phase}"), || async {
            let request = self.find_request(name).await?;
            let status = request.status.clone()?;
            let now = status.phase.as_ref()?;
            let over = !now.is_final() || request.metadata.finalizers.is_none();
            assert!(
                !now.is_final() || now.as_str() == phase,
                "{name} is {now}: {:?}",
                status.conditions
            );
            (now.as_str() == phase && over).then_some(request)
        })
        .await
    }

    pub(crate) async fn postgres(&self) -> Postgres {
        self.api::<Postgres>().get(DATABASE).await.unwrap()
    }

    pub(crate) async fn claim(&self, ordinal: usize) -> PersistentVolumeClaim {
        self.api::<PersistentVolumeClaim>()
            .get(&claim(ordinal))
            .await
            .unwrap()
    }

    /// Requested sizes of the claims, then the sizes in PetSet template and Postgres.
    pub(crate) async fn sizes(&self) -> Vec<String> {
        let mut sizes = Vec::new();
        for ordinal in 0..self.members {
            let spec = self.claim(ordinal).await.spec.unwrap();
            sizes.push(spec.resources.unwrap().requests.unwrap()["storage"].0.clone());
        }
        let petset = self.api::<PetSet>().get(DATABASE).await.unwrap();
        let template = petset.spec.claim_template("data").unwrap().1.spec.clone();
        sizes.push(template.resources.unwrap().requests["storage"].0.clone());
        let storage = self.postgres().await.spec.storage.unwrap();
        sizes.push(storage.resources.unwrap().requests["storage"].0.clone());
        sizes
    }

    pub(crate) async fn is_paused(&self) -> bool {
        is_true(
            &self.postgres().await.status.unwrap_or_default().conditions,
            "Paused",
        )
    }

    /// Reasons and notes of the Events about a request, oldest first.
    pub(crate) async fn events(&self, name: &str) -> Vec<(String, String)> {
        let mut events = self
            .api::<Event>()
            .list(&ListParams::default())
            .await
            .unwrap()
            .items;
        events.retain(|event| {
            event
                .regarding
                .as_ref()
                .is_some_and(|about| about.name.as_deref() == Some(name))
        });
        events.sort_by_key(|event| event.event_time.clone().map(|time| time.0));
        events
            .into_iter()
            .map(|event| (event.reason.unwrap(), event.note.unwrap()))
            .collect()
    }

    /// Runs executors one after the other, each stopped after one write, until `end` is there; gives their number.
    pub(crate) async fn crash_after_each_write<F>(&self, end: impl Fn() -> F) -> u32
    where
        F: Future<Output = bool>,
    {
        for runs in 1..200 {
            let stopped = tokio_util::sync::CancellationToken::new();
            let stop = StopAfter::new(1, stopped.clone());
            tokio::select! {
                ended = test_parts::run(self.client.clone(), executor_core::step, Some(stop)) => panic!("{ended:?}"),
                () = stopped.cancelled() => {}
                () = until("the end", || async { end().await.then_some(()) }) => return runs,
            }
        }
        panic!("it does not come to an end");
    }

    /// An executor that runs until `test` is done.
    pub(crate) async fn with_executor<T>(&self, test: impl Future<Output = T>) -> T {
        self.with_decide(executor_core::step, test).await
    }

    pub(crate) async fn with_decide<T>(&self, decide: Decide, test: impl Future<Output = T>) -> T {
        tokio::select! {
            ended = test_parts::run(self.client.clone(), decide, None) => panic!("the executor ended: {ended:?}"),
            done = test => done,
        }
    }
}

pub(crate) fn claim(ordinal: usize) -> String {
    format!("data-{DATABASE}-{ordinal}")
}

pub(crate) fn pod(ordinal: usize) -> String {
    format!("{DATABASE}-{ordinal}")
}

/// Reason and message of a condition.
pub(crate) fn condition(request: &PostgresOpsRequest, kind: &str) -> (String, String) {
    let conditions = &request.status.as_ref().expect("a status").conditions;
    let condition = find(conditions, kind).unwrap_or_else(|| panic!("no {kind} in {conditions:?}"));
    (
        condition.reason.clone().unwrap_or_default(),
        condition.message.clone().unwrap_or_default(),
    )
}
