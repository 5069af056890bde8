//! The running cluster, and a namespace per test.

use std::{
    panic::AssertUnwindSafe,
    path::{Path, PathBuf},
};

use anyhow::Context;
use futures::FutureExt;
use kube::{Client, Config, config::Kubeconfig};
use serde_json::json;

use crate::{Objects, objects::kinds};

/// A handle on the development cluster that `make cluster` left running.
#[derive(Clone)]
pub struct World {
    /// Talks to the API server as its administrator.
    pub client: Client,
    state: PathBuf,
}

impl World {
    /// Connects to the cluster whose state is in `target/cluster` of this checkout.
    ///
    /// # Errors
    /// When the cluster is not up: the message says how to start it.
    pub async fn connect() -> anyhow::Result<World> {
        let state = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/cluster");
        let state = state
            .canonicalize()
            .with_context(|| format!("no cluster at {}: run `make cluster`", state.display()))?;
        let kubeconfig = Kubeconfig::read_from(state.join("admin.kubeconfig"))
            .context("read the cluster's kubeconfig: run `make cluster`")?;
        let mut config = Config::from_custom_kubeconfig(kubeconfig, &Default::default()).await?;
        config.read_timeout = None;
        Ok(World {
            client: Client::try_from(config)?,
            state,
        })
    }

    /// The cluster's state directory.
    #[must_use]
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// The kubelet's root directory on this machine.
    #[must_use]
    pub fn kubelet_root(&self) -> PathBuf {
        self.state.join("kubelet")
    }

    /// Runs `test` in a namespace of its own, named after it; the namespace goes away afterwards, also when
    /// the test panics, and a failing test first prints what is in it.
    ///
    /// # Errors
    /// The test's.
    ///
    /// # Panics
    /// With the test's own panic, after the clean-up.
    pub async fn in_namespace<T>(
        &self,
        name: &str,
        test: impl AsyncFnOnce(World, Objects) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let namespace = format!("{name}-{:05x}", std::process::id() & 0xf_ffff);
        let objects = Objects::new(self.client.clone(), &namespace);
        let manifest = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
        objects.apply(&manifest).await?;
        let outcome = AssertUnwindSafe(test(self.clone(), objects.clone()))
            .catch_unwind()
            .await;
        if !matches!(outcome, Ok(Ok(_))) {
            objects.dump().await;
        }
        let gone = objects.delete(&kinds::NAMESPACE, &namespace).await;
        match outcome {
            Err(panic) => std::panic::resume_unwind(panic),
            Ok(result) => result.and_then(|found| gone.map(|()| found)),
        }
    }
}

/// A test: runs `test` in a namespace of its own on the running cluster.
///
/// # Panics
/// When the test fails, or the cluster is not up.
#[allow(clippy::panic, reason = "this is how a test fails")]
pub async fn scenario(name: &str, test: impl AsyncFnOnce(World, Objects) -> anyhow::Result<()>) {
    let ran = async { World::connect().await?.in_namespace(name, test).await };
    if let Err(error) = ran.await {
        panic!("{name}: {error:#}");
    }
}
