//! An unmanaged database: a Postgres, a PetSet, and as plain objects the claim and the pod that a provisioner would make.

use anyhow::Context;
use serde_json::{Value, json};

use crate::{Objects, Volume, World, agree, audit, objects::kinds, shared::merged, wait};

/// What a scenario may choose about its database; the rest is the same for all.
#[derive(Debug, Clone)]
pub struct Shape {
    /// Storage asked for.
    pub size: &'static str,
    /// StorageClass of the claim.
    pub class: &'static str,
    /// Whether the pod runs PostgreSQL; otherwise a container that only keeps the volume mounted.
    pub postgres: bool,
}

impl Default for Shape {
    fn default() -> Shape {
        Shape {
            size: "400Mi",
            class: "loop-xfs",
            postgres: false,
        }
    }
}

/// A database in a test's namespace.
#[derive(Clone)]
pub struct Database {
    /// The namespace it lives in.
    pub objects: Objects,
    /// Name of the Postgres, and of the PetSet.
    pub name: String,
    /// How it was made.
    pub shape: Shape,
}

impl Database {
    /// Creates all its objects and waits until the pod runs on its volume.
    ///
    /// # Errors
    /// When something is refused or does not come up in time.
    pub async fn create(
        world: &World,
        objects: &Objects,
        name: &str,
        shape: Shape,
    ) -> anyhow::Result<Database> {
        let db = Database {
            objects: objects.clone(),
            name: name.to_owned(),
            shape,
        };
        for manifest in db.manifests() {
            objects.apply(&manifest).await?;
        }
        db.volume(world).await?;
        Ok(db)
    }

    /// Name of member 0's claim.
    #[must_use]
    pub fn claim(&self) -> String {
        format!("data-{}-0", self.name)
    }

    /// Name of member 0's pod.
    #[must_use]
    pub fn pod(&self) -> String {
        format!("{}-0", self.name)
    }

    /// Name of its autoscaler.
    #[must_use]
    pub fn autoscaler(&self) -> String {
        format!("{}-storage", self.name)
    }

    /// Member 0's volume, once it is mounted.
    ///
    /// # Errors
    /// When it is not mounted in time.
    pub async fn volume(&self, world: &World) -> anyhow::Result<Volume> {
        Volume::of(world, &self.objects, &self.claim(), &self.pod()).await
    }

    /// The manifests as a user keeps them in Git: with the sizes of the beginning.
    #[must_use]
    pub fn manifests(&self) -> Vec<Value> {
        let mut all = vec![self.postgres(), self.pet_set(), self.data_claim()];
        all.push(if self.shape.postgres {
            self.server_pod()
        } else {
            self.idle_pod()
        });
        all
    }

    fn labels(&self) -> Value {
        json!({
            "app.kubernetes.io/name": "postgreses.kubedb.com",
            "app.kubernetes.io/instance": self.name,
            "app.kubernetes.io/managed-by": "kubedb.com",
            "app.kubernetes.io/component": "database",
        })
    }

    fn storage(&self) -> Value {
        json!({
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": self.shape.class,
            "resources": {"requests": {"storage": self.shape.size}},
        })
    }

    /// The Postgres.
    #[must_use]
    pub fn postgres(&self) -> Value {
        json!({
            "apiVersion": "kubedb.com/v1", "kind": "Postgres",
            "metadata": {"name": self.name, "namespace": self.objects.namespace(), "annotations": unmanaged()},
            "spec": {"version": "15", "replicas": 1, "storageType": "Durable", "storage": self.storage()},
        })
    }

    fn pet_set(&self) -> Value {
        json!({
            "apiVersion": "apps.k8s.appscode.com/v1", "kind": "PetSet",
            "metadata": {
                "name": self.name, "namespace": self.objects.namespace(), "labels": self.labels(), "annotations": unmanaged(),
            },
            "spec": {
                "serviceName": format!("{}-pods", self.name), "replicas": 1,
                "selector": {"matchLabels": self.labels()},
                "template": {"metadata": {"labels": self.labels()}, "spec": {"containers": [{"name": "postgres", "image": "localhost/postgres:dev"}]}},
                "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": self.storage()}],
            },
        })
    }

    fn data_claim(&self) -> Value {
        json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": {"name": self.claim(), "namespace": self.objects.namespace(), "labels": self.labels()},
            "spec": self.storage(),
        })
    }

    fn idle_pod(&self) -> Value {
        let container = json!({
            "name": "postgres", "image": "localhost/pause:dev", "imagePullPolicy": "Never",
            "volumeMounts": [{"name": "data", "mountPath": "/var/pv"}],
        });
        self.pod_of(&container, &json!({}))
    }

    fn server_pod(&self) -> Value {
        let script = "set -eu
export PGDATA=/var/pv/data
if [ ! -s $PGDATA/PG_VERSION ]; then
  /usr/lib/postgresql/15/bin/initdb -D $PGDATA -U postgres -A trust -k >/dev/null
fi
exec /usr/lib/postgresql/15/bin/postgres -D $PGDATA -c unix_socket_directories=/tmp -c listen_addresses=* \
 -c shared_buffers=32MB -c wal_keep_size=0 -c min_wal_size=32MB -c max_wal_size=64MB -c dynamic_shared_memory_type=posix";
        let container = json!({
            "name": "postgres", "image": "localhost/postgres:dev", "imagePullPolicy": "Never",
            "command": ["/bin/sh", "-c", script],
            "env": [{"name": "PGHOST", "value": "/tmp"}, {"name": "PGUSER", "value": "postgres"}],
            "readinessProbe": {"exec": {"command": ["/usr/lib/postgresql/15/bin/pg_isready", "-h", "/tmp"]}, "periodSeconds": 1},
            "volumeMounts": [{"name": "data", "mountPath": "/var/pv"}],
        });
        self.pod_of(
            &container,
            &json!({"runAsUser": 999, "runAsGroup": 999, "fsGroup": 999}),
        )
    }

    fn pod_of(&self, container: &Value, security: &Value) -> Value {
        json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": self.pod(), "namespace": self.objects.namespace(), "labels": self.labels()},
            "spec": {
                "terminationGracePeriodSeconds": 1, "containers": [container], "securityContext": security,
                "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": self.claim()}}],
            },
        })
    }

    /// Creates its autoscaler; `storage` is merged over `{trigger: On, expansionMode: Online}`.
    ///
    /// # Errors
    /// The API server's refusal.
    pub async fn autoscale(&self, storage: Value) -> anyhow::Result<()> {
        let defaults =
            json!({"trigger": "On", "expansionMode": "Online", "usageThreshold": 80, "upperBound": "100Gi"});
        self.objects.autoscale(&self.name, defaults, storage).await
    }

    /// Creates a request for this size of its volumes; `more` is merged over its spec.
    ///
    /// # Errors
    /// The API server's refusal.
    pub async fn expand(&self, request: &str, size: &str, more: Value) -> anyhow::Result<()> {
        let spec = json!({
            "type": "VolumeExpansion", "databaseRef": {"name": self.name}, "apply": "Always", "timeout": "3m",
            "volumeExpansion": {"mode": "Online", "postgres": size},
        });
        let manifest = json!({
            "apiVersion": "ops.kubedb.com/v1alpha1", "kind": "PostgresOpsRequest",
            "metadata": {"name": request, "namespace": self.objects.namespace()},
            "spec": merged(spec, more),
        });
        self.objects.apply(&manifest).await.map(drop)
    }

    /// The requests of this namespace that name this database, as they are now.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn requests(&self) -> anyhow::Result<Vec<Value>> {
        let all = self.objects.list(&kinds::REQUEST).await?;
        Ok(all
            .into_iter()
            .filter(|r| r["spec"]["databaseRef"]["name"] == self.name)
            .collect())
    }

    /// How many requests were ever created in its namespace, counted from the audit log.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn requests_ever(&self, world: &World) -> anyhow::Result<Vec<String>> {
        audit::created_requests(world, self.objects.namespace())
    }

    /// Waits until no request of this database is unfinished, none having failed; then all sizes must agree.
    ///
    /// # Errors
    /// When one failed, does not end, or sizes disagree.
    pub async fn settled(&self, world: &World) -> anyhow::Result<agree::Sizes> {
        for request in self.requests().await? {
            let name = request["metadata"]["name"]
                .as_str()
                .context("a request has a name")?;
            let finished = |r: &Value| matches!(wait::phase(r), "Successful" | "Failed" | "Skipped");
            // An old one may be pruned meanwhile: gone is finished too.
            let ended = self
                .objects
                .until(&kinds::REQUEST, name, "finished", |r| r.is_none_or(finished))
                .await?;
            let failed = ended.filter(|r| wait::phase(r) != "Successful");
            anyhow::ensure!(
                failed.is_none(),
                "{name} ended as {}",
                failed.unwrap_or_default()["status"]
            );
        }
        agree::check(world, self).await
    }

    /// Waits until the autoscaler says this reason; returns its message.
    ///
    /// # Errors
    /// When it does not within the patience of a test.
    pub async fn until_reason(&self, reason: units::Reason) -> anyhow::Result<String> {
        let said = |a: &Value| {
            wait::condition(a, "Decision")
                .filter(|c| c.1 == reason.as_str())
                .map(|c| c.2.to_owned())
        };
        let name = self.autoscaler();
        let told = self
            .objects
            .until_some(&kinds::AUTOSCALER, &name, reason.as_str(), |a| said(a).is_some())
            .await?;
        said(&told).context("it was just said")
    }
}

/// Keeps the provisioner and the PetSet controller off: the tests make the pods themselves.
fn unmanaged() -> Value {
    json!({"highwater.dev/unmanaged": "true"})
}
