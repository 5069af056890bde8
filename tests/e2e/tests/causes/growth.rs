//! A growth that does not get on, and what is told of it.

use std::collections::HashMap;

use anyhow::ensure;
use e2e::{
    Database, Objects, Shape, World, history,
    objects::kinds,
    volume::Space,
    wait::{condition, phase},
};
use serde_json::Value;
use units::{Bytes, Reason};

const REQUEST: &str = "PostgresOpsRequest";

/// A database with a volume of 400Mi, and what is asked of it.
pub(crate) struct Growth<'a> {
    world: &'a World,
    objects: &'a Objects,
    pub(crate) db: Database,
    /// Requests that had ended for what these tests are about.
    before: HashMap<Reason, f64>,
}

/// The reasons by which requests end here.
const ENDS: [Reason; 4] = [
    Reason::Infeasible,
    Reason::InUse,
    Reason::NobodyResizes,
    Reason::QuotaExceeded,
];

impl<'a> Growth<'a> {
    pub(crate) async fn of(world: &'a World, objects: &'a Objects) -> anyhow::Result<Growth<'a>> {
        Self::shaped(world, objects, Shape::default()).await
    }

    pub(crate) async fn shaped(
        world: &'a World,
        objects: &'a Objects,
        shape: Shape,
    ) -> anyhow::Result<Growth<'a>> {
        let db = Database::create(world, objects, "pg", shape).await?;
        let mut before = HashMap::new();
        for reason in ENDS {
            let ended = metric("requests_ended_total", reason);
            before.insert(reason, world.metric_of_all("executor", &ended).await?);
        }
        Ok(Growth {
            world,
            objects,
            db,
            before,
        })
    }

    pub(crate) async fn space(&self) -> anyhow::Result<Space> {
        self.db.volume(self.world).await?.space()
    }

    /// Waits until the request says that it waits for this, in these words; then the Event and the metric must, too.
    pub(crate) async fn waits_for(&self, request: &str, reason: Reason, words: &str) -> anyhow::Result<()> {
        let name = reason.as_str();
        let said = |seen: &Value| {
            condition(seen, "VolumeExpansion")
                .is_some_and(|(status, why, text)| status == "False" && why == name && text.contains(words))
        };
        self.objects
            .until_some(&kinds::REQUEST, request, name, said)
            .await?;
        self.metric_says("requests_waiting", reason, 1.0).await?;
        history::told(self.objects, REQUEST, request, name, words).await?;
        self.show(request).await
    }

    /// Waits until the request has failed for this reason, in these words; then the Event and the metric must say so, too.
    pub(crate) async fn fails_for(&self, request: &str, reason: Reason, words: &str) -> anyhow::Result<()> {
        let name = reason.as_str();
        let ended = self.ends(request).await?;
        let (_, why, text) = condition(&ended, "Failed").unwrap_or_default();
        ensure!(
            phase(&ended) == "Failed" && why == name && text.contains(words),
            "{request} is not Failed for {name} with {words:?}: {}",
            ended["status"]
        );
        ensure!(text.contains(reason.remedy()), "no remedy in {text}");
        let counted = self.before.get(&reason).copied().unwrap_or_default();
        self.metric_says("requests_ended_total", reason, counted + 1.0)
            .await?;
        history::told(self.objects, REQUEST, request, name, words).await?;
        self.show(request).await
    }

    pub(crate) async fn metric_says(&self, name: &str, reason: Reason, least: f64) -> anyhow::Result<()> {
        self.world
            .until_metric("executor", &metric(name, reason), least)
            .await
    }

    /// A request that succeeds, and every place says the same size afterwards.
    pub(crate) async fn succeeds(&self, request: &str, size: &str) -> anyhow::Result<()> {
        let ended = self.ends(request).await?;
        ensure!(
            phase(&ended) == "Successful",
            "{request} ended as {}",
            ended["status"]
        );
        let sizes = e2e::agree::check(self.world, &self.db).await?;
        ensure!(sizes.requested == Bytes::parse_quantity(size)?, "{sizes:?}");
        Ok(())
    }

    pub(crate) async fn ends(&self, request: &str) -> anyhow::Result<Value> {
        let over = |seen: &Value| matches!(phase(seen), "Successful" | "Failed" | "Skipped");
        self.objects
            .until_some(&kinds::REQUEST, request, "finished", over)
            .await
    }

    pub(crate) async fn asks(&self, request: &str, size: &str, more: Value) -> anyhow::Result<()> {
        self.db.expand(request, size, more).await
    }

    /// What the claim says of it, for whoever reads the output.
    pub(crate) async fn show(&self, request: &str) -> anyhow::Result<()> {
        let claim = self.objects.get(&kinds::CLAIM, &self.db.claim()).await?;
        let request = self.objects.get(&kinds::REQUEST, request).await?;
        println!("claim: {}\nrequest: {}", claim["status"], request["status"]);
        Ok(())
    }

    /// What the claim says of its resize, as csi-resizer and kubelet write it.
    pub(crate) async fn resize(&self) -> anyhow::Result<String> {
        let claim = self.objects.get(&kinds::CLAIM, &self.db.claim()).await?;
        let state = &claim["status"]["allocatedResourceStatuses"]["storage"];
        Ok(state.as_str().unwrap_or_default().to_owned())
    }
}

fn metric(name: &str, reason: Reason) -> String {
    format!("highwater_executor_{name}{{reason=\"{reason}\"}}")
}
