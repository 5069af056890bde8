//! A database that the provisioner makes: nothing but a `Postgres` is applied.

use std::{net::IpAddr, time::Duration};

use anyhow::{Context, ensure};
use base64::{Engine, prelude::BASE64_STANDARD};
use kube::api::DeleteParams;
use serde_json::{Value, json};

use crate::{Objects, Volume, World, objects::kinds, wait};

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

/// One member, as the API server knows it.
#[derive(Debug, Clone)]
pub struct Member {
    /// Name of the pod.
    pub pod: String,
    /// Address of the pod.
    pub address: IpAddr,
    /// Value of the role label.
    pub role: String,
    /// Whether its pod is ready, and not on its way out.
    pub ready: bool,
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
        let mut spec = json!({
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
        if let (Some(spec), Value::Object(more)) = (spec.as_object_mut(), more) {
            spec.extend(more);
        }
        let manifest = json!({
            "apiVersion": "kubedb.com/v1", "kind": "Postgres",
            "metadata": {"name": self.name, "namespace": self.objects.namespace()},
            "spec": spec,
        });
        self.objects.apply(&manifest).await?;
        Ok(())
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

    /// Its members, by ordinal.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn members(&self) -> anyhow::Result<Vec<Member>> {
        let prefix = format!("{}-", self.name);
        let mut found = Vec::new();
        for pod in self.objects.list(&kinds::POD).await? {
            let name = pod["metadata"]["name"].as_str().unwrap_or_default();
            let Some(ordinal) = name
                .strip_prefix(&prefix)
                .and_then(|rest| rest.parse::<u32>().ok())
            else {
                continue;
            };
            let address = pod.pointer("/status/podIP").and_then(Value::as_str);
            let Some(address) = address.and_then(|address| address.parse().ok()) else {
                continue;
            };
            let member = Member {
                pod: name.to_owned(),
                address,
                role: pod["metadata"]["labels"]["kubedb.com/role"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned(),
                ready: pod["metadata"].get("deletionTimestamp").is_none()
                    && wait::condition(&pod, "Ready").is_some_and(|(status, ..)| status == "True"),
            };
            found.push((ordinal, member));
        }
        found.sort_by_key(|(ordinal, _)| *ordinal);
        Ok(found.into_iter().map(|(_, member)| member).collect())
    }

    /// Waits until exactly `count` members are ready, one of them the primary, and the database is Ready.
    ///
    /// Not Ready first, or so quickly Ready again that nobody saw it: the phase alone proves nothing, the members do.
    ///
    /// # Errors
    /// When they are not within [`MAKING`].
    pub async fn until_all_ready(&self, count: usize) -> anyhow::Result<()> {
        let all = async {
            loop {
                let members = self.members().await?;
                let primaries = members.iter().filter(|member| member.role == "primary").count();
                if members.len() == count && primaries == 1 && members.iter().all(|member| member.ready) {
                    return anyhow::Ok(());
                }
                tokio::time::sleep(Duration::from_millis(100)).await; // several objects at once can only be polled
            }
        };
        tokio::time::timeout(MAKING, all)
            .await
            .context("the members are not all ready")??;
        self.until_phase("Ready").await.map(drop)
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

    /// The member that leads.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub async fn primary(&self) -> anyhow::Result<Member> {
        let members = self.members().await?;
        let mut primaries = members.into_iter().filter(|member| member.role == "primary");
        let primary = primaries.next().context("no member is labelled primary")?;
        ensure!(primaries.next().is_none(), "two members are labelled primary");
        Ok(primary)
    }

    /// Its members' volumes, by ordinal.
    ///
    /// # Errors
    /// When a member is not there in time.
    pub async fn volumes(&self, world: &World) -> anyhow::Result<Vec<Volume>> {
        let mut found = Vec::new();
        for member in self.members().await? {
            found.push(Volume::of(world, &self.objects, &format!("data-{}", member.pod), &member.pod).await?);
        }
        Ok(found)
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
        let mut spec =
            json!({"type": kind, "databaseRef": {"name": self.name}, "apply": "IfReady", "timeout": "3m"});
        if let (Some(spec), Value::Object(section)) = (spec.as_object_mut(), section) {
            spec.extend(section);
        }
        let manifest = json!({
            "apiVersion": "ops.kubedb.com/v1alpha1", "kind": "PostgresOpsRequest",
            "metadata": {"name": name, "namespace": self.objects.namespace()},
            "spec": spec,
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
        let mut spec = json!({"trigger": "On", "expansionMode": "Online"});
        if let (Some(spec), Value::Object(more)) = (spec.as_object_mut(), storage) {
            spec.extend(more);
        }
        let manifest = json!({
            "apiVersion": "autoscaling.kubedb.com/v1alpha1", "kind": "PostgresAutoscaler",
            "metadata": {"name": format!("{}-storage", self.name), "namespace": self.objects.namespace()},
            "spec": {"databaseRef": {"name": self.name}, "storage": {"postgres": spec}},
        });
        self.objects.apply(&manifest).await?;
        Ok(())
    }

    /// Deletes a member's pod without giving it time to end, as when its node is given up.
    ///
    /// # Errors
    /// The API server's refusal.
    pub async fn kill(&self, member: &Member) -> anyhow::Result<()> {
        let at_once = DeleteParams::default().grace_period(0);
        self.objects
            .api(&kinds::POD)
            .delete(&member.pod, &at_once)
            .await?;
        Ok(())
    }

    /// Runs one statement with psql in a member's pod.
    ///
    /// # Errors
    /// What psql or kubectl wrote to stderr.
    pub async fn psql(&self, world: &World, pod: &str, statement: &str) -> anyhow::Result<String> {
        let namespace = self.objects.namespace();
        let psql = [
            "exec", "-n", namespace, pod, "-c", "postgres", "--", "psql", "-U", "postgres", "-XAtc",
            statement,
        ];
        Ok(world.kubectl(&psql).await?.trim().to_owned())
    }
}
