//! Storage drivers that a test starts beside the cluster's own: one of its own name and class, or only a csi-resizer.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::Context;
use cluster::{
    binaries::Binaries,
    components::{DRIVER, NODE},
    processes::MARK,
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};

use crate::{Database, Objects, World, objects::kinds};

/// A driver of its own: csi-loop by another name, with a csi-provisioner and without a csi-resizer.
pub struct Driver {
    world: World,
    /// Its StorageClass; the driver is `<class>.csi.highwater.dev`.
    pub class: &'static str,
    // In the order in which they are to end.
    processes: Vec<Process>,
}

/// A program that ends with this.
pub struct Process(Child);

impl Driver {
    /// Starts it, and waits until kubelet knows it.
    ///
    /// # Errors
    /// When a part of it does not come up.
    pub async fn start(world: &World, class: &'static str) -> anyhow::Result<Driver> {
        let mut driver = Driver {
            world: world.clone(),
            class,
            processes: Vec::new(),
        };
        let socket = driver.socket();
        let kubelet = world.kubelet_root();
        let registration = kubelet.join(format!("plugins_registry/{class}@reg.sock"));
        let serve = [
            "serve".to_owned(),
            format!("--name={}", driver.name()),
            format!("--endpoint={}", socket.display()),
            format!("--registration={}", registration.display()),
            format!("--state={}", world.state().join(class).display()),
            format!("--node={NODE}"),
        ];
        let program = world.state().join("bin/csi-loop");
        let served = Process::start(world, &format!("csi-loop-{class}"), &program, &serve)?;
        let provisioner = Binaries::ensure()?.csi_provisioner();
        let flags = sidecar(world, &socket, &["--extra-create-metadata"]);
        let made = Process::start(world, &format!("csi-provisioner-{class}"), &provisioner, &flags)?;
        driver.processes = vec![made, served];
        let objects = Objects::new(world.client.clone(), "default");
        for manifest in driver.manifests() {
            objects.apply(&manifest).await?;
        }
        let name = driver.name();
        let registered = |node: &Value| {
            let drivers = node.pointer("/spec/drivers").and_then(Value::as_array);
            drivers.into_iter().flatten().any(|known| known["name"] == name)
        };
        objects
            .until_some(&kinds::CSI_NODE, NODE, "registered", registered)
            .await?;
        Ok(driver)
    }

    /// Its name, as claims and Leases bear it.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}.csi.highwater.dev", self.class)
    }

    /// Starts its csi-resizer.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn resizer(&self) -> anyhow::Result<Process> {
        resizer(
            &self.world,
            &format!("csi-resizer-{}", self.class),
            &self.socket(),
            &[],
        )
    }

    /// Removes what uses its volumes, and then the driver.
    ///
    /// # Errors
    /// When something stays.
    pub async fn stop(mut self, db: &Database) -> anyhow::Result<()> {
        let objects = &db.objects;
        let volume = db.volume(&self.world).await?.name;
        objects.remove(&kinds::POD, &db.pod()).await?;
        objects.remove(&kinds::CLAIM, &db.claim()).await?;
        objects.remove(&kinds::VOLUME, &volume).await?;
        for process in self.processes.drain(..) {
            process.stop()?;
        }
        objects.delete(&kinds::CLASS, self.class).await?;
        objects.delete(&kinds::CSI_DRIVER, &self.name()).await
    }

    // See cluster's components: the sign in the name, and its length.
    fn socket(&self) -> PathBuf {
        let folder = self.world.kubelet_root().join("plugins");
        folder.join(self.class).join("csi@loop.sock")
    }

    fn manifests(&self) -> [Value; 2] {
        let driver = json!({
            "apiVersion": "storage.k8s.io/v1", "kind": "CSIDriver", "metadata": {"name": self.name()},
            "spec": {
                "attachRequired": false, "podInfoOnMount": false, "fsGroupPolicy": "File",
                "volumeLifecycleModes": ["Persistent"],
            },
        });
        let class = json!({
            "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": self.class},
            "provisioner": self.name(), "parameters": {"csi.storage.k8s.io/fstype": "xfs"},
            "volumeBindingMode": "WaitForFirstConsumer", "allowVolumeExpansion": true,
        });
        [driver, class]
    }
}

/// A csi-resizer of the cluster's own driver beside the one that runs, with leader election in Highwater's namespace.
///
/// # Errors
/// When it cannot be started.
pub fn elected_resizer(world: &World) -> anyhow::Result<Process> {
    let socket = world
        .kubelet_root()
        .join(format!("plugins/{DRIVER}/csi@loop.sock"));
    let flags = ["--leader-election", "--leader-election-namespace=highwater"];
    resizer(world, "csi-resizer-elected", &socket, &flags)
}

fn resizer(world: &World, name: &str, socket: &Path, more: &[&str]) -> anyhow::Result<Process> {
    let flags = [&["--retry-interval-max=5s"], more].concat();
    let program = Binaries::ensure()?.csi_resizer();
    Process::start(world, name, &program, &sidecar(world, socket, &flags))
}

fn sidecar(world: &World, socket: &Path, more: &[&str]) -> Vec<String> {
    let kubeconfig = world.state().join("admin.kubeconfig");
    let common = [
        format!("--kubeconfig={}", kubeconfig.display()),
        format!("--csi-address={}", socket.display()),
    ];
    common
        .into_iter()
        .chain(more.iter().map(|flag| (*flag).to_owned()))
        .collect()
}

impl Process {
    fn start(world: &World, name: &str, program: &Path, flags: &[String]) -> anyhow::Result<Process> {
        let logs = world.state().join("logs");
        fs::create_dir_all(&logs)?;
        let log = File::create(logs.join(format!("{name}.log")))?;
        let child = Command::new(program)
            .args(flags)
            .env(MARK, world.state())
            .env_remove("KUBECONFIG")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("start {}", program.display()))?;
        Ok(Process(child))
    }

    /// Ends it as an operator would.
    fn stop(mut self) -> anyhow::Result<()> {
        kill(Pid::from_raw(self.0.id().try_into()?), Signal::SIGTERM)?;
        self.0.wait()?;
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ended_already = self.0.kill();
        let _ended = self.0.wait();
    }
}
