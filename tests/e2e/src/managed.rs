//! A database that the provisioner makes: nothing but a `Postgres` is applied.

use std::{net::IpAddr, time::Duration};

use anyhow::{Context, ensure};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use crate::{Objects, objects::kinds, shared::merged, wait};

/// How long a database of three members may take from nothing to Ready on a loaded machine of two cores.
pub const MAKING: Duration = Duration::from_secs(180);

/// A `Postgres` in a test's namespace, and what the provisioner makes of it.
#[derive(Clone)]
pub struct Managed {
    /// The namespace it lives in.
    pub objects: Objects,
    /// Its name.
    pub name: String,
}

impl Managed {
    /// Applies a Postgres of `replicas` members with volumes of `size`; `more` is merged into its spec.
    ///
    /// # Errors
    /// The API server's refusal.
    pub async fn create(
        objects: &Objects,
        name: &str,
        replicas: u32,
        size: &str,
        more: Value,
    ) -> anyhow::Result<Managed> {
        let db = Managed {
            objects: objects.clone(),
            name: name.to_owned(),
        };
        db.apply(replicas, size, more).await?;
        Ok(db)
    }

    /// Applies its manifest again, as a user would from Git.
    ///
    /// # Errors
    /// The API server's refusal.
    pub async fn apply(&self, replicas: u32, size: &str, more: Value) -> anyhow::Result<()> {
        let spec = json!({
            "version": "15", "replicas": replicas, "storageType": "Durable", "deletionPolicy": "WipeOut",
            "storage": {
                "storageClassName": "loop-xfs", "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": size}},
            },
            "healthChecker": {"periodSeconds": 1, "timeoutSeconds": 5, "failureThreshold": 1},
            "podTemplate": {"spec": {"containers": [
                {"name": "postgres", "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}}},
            ]}},
        });
        let manifest = json!({
            "apiVersion": "kubedb.com/v1", "kind": "Postgres",
            "metadata": {"name": self.name, "namespace": self.objects.namespace()},
            "spec": merged(spec, more),
        });
        self.objects.apply(&manifest).await.map(drop)
    }

    /// Waits until its phase is this one.
    ///
    /// # Errors
    /// When it is not within [`MAKING`].
    pub async fn until_phase(&self, phase: &str) -> anyhow::Result<Value> {
        let is = |postgres: Option<&Value>| postgres.is_some_and(|postgres| wait::phase(postgres) == phase);
        let seen = self
            .objects
            .until_within(MAKING, &kinds::POSTGRES, &self.name, phase, is)
            .await?;
        seen.context("the Postgres exists")
    }

    /// Waits for a condition of the Postgres with this status and these words; returns its message.
    ///
    /// # Errors
    /// When it does not come in time.
    pub async fn until_said(&self, kind: &str, status: &str, words: &str) -> anyhow::Result<String> {
        let said = |postgres: &Value| {
            wait::condition(postgres, kind)
                .filter(|found| found.0 == status && (found.1 == words || found.2.contains(words)))
                .map(|found| found.2.to_owned())
        };
        let what = format!("{kind} {status} with {words}");
        let found = self
            .objects
            .until_some(&kinds::POSTGRES, &self.name, &what, |postgres| {
                said(postgres).is_some()
            })
            .await?;
        said(&found).with_context(|| what.clone())
    }

    /// The address of its Service for writes.
    ///
    /// # Errors
    /// When there is none.
    pub async fn service(&self) -> anyhow::Result<IpAddr> {
        let service = self.objects.get(&kinds::SERVICE, &self.name).await?;
        let address = service.pointer("/spec/clusterIP").and_then(Value::as_str);
        address
            .context("the Service has an address")?
            .parse()
            .context("the Service's address")
    }

    /// The superuser's password.
    ///
    /// # Errors
    /// When the Secret is not there.
    pub async fn password(&self) -> anyhow::Result<String> {
        let secret = self
            .objects
            .get(&kinds::SECRET, &format!("{}-auth", self.name))
            .await?;
        let encoded = secret["data"]["password"]
            .as_str()
            .context("the Secret has a password")?;
        Ok(String::from_utf8(BASE64_STANDARD.decode(encoded)?)?)
    }

    /// Creates a request of this type and waits for its end.
    ///
    /// # Errors
    /// When it is refused, or does not end as Successful within `patience`.
    pub async fn request(
        &self,
        name: &str,
        kind: &str,
        section: Value,
        patience: Duration,
    ) -> anyhow::Result<Value> {
        let spec =
            json!({"type": kind, "databaseRef": {"name": self.name}, "apply": "IfReady", "timeout": "3m"});
        let manifest = json!({
            "apiVersion": "ops.kubedb.com/v1alpha1", "kind": "PostgresOpsRequest",
            "metadata": {"name": name, "namespace": self.objects.namespace()},
            "spec": merged(spec, section),
        });
        self.objects.apply(&manifest).await?;
        self.finished(name, patience).await
    }

    /// Waits until a request has ended.
    ///
    /// # Errors
    /// When it does not end as Successful within `patience`.
    pub async fn finished(&self, request: &str, patience: Duration) -> anyhow::Result<Value> {
        let over = |r: Option<&Value>| {
            r.is_some_and(|r| matches!(wait::phase(r), "Successful" | "Failed" | "Skipped"))
        };
        let ended = self
            .objects
            .until_within(patience, &kinds::REQUEST, request, "finished", over)
            .await?
            .context("the request exists")?;
        ensure!(
            wait::phase(&ended) == "Successful",
            "{request} ended as {}",
            ended["status"]
        );
        Ok(ended)
    }

    /// Creates its autoscaler; `storage` is merged over `{trigger: On, expansionMode: Online}`.
    ///
    /// # Errors
    /// The API server's refusal.
    pub async fn autoscale(&self, storage: Value) -> anyhow::Result<()> {
        let defaults = json!({"trigger": "On", "expansionMode": "Online"});
        self.objects.autoscale(&self.name, defaults, storage).await
    }
}
