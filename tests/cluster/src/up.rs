//! From nothing to a node that is ready for pods and volumes.

use std::{
    fs,
    net::TcpStream,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use nix::unistd::Uid;

use crate::{
    binaries::{self, Binaries},
    certificates::Authority,
    components::{self, DRIVER, NODE, port},
    configs, control_groups, down,
    images::{self, Images},
    kubeconfig,
    ledger::Ledger,
    lock::MachineLock,
    mounts, network, packages, places, processes,
    state::State,
};

/// A warm start takes some 15 s on two idle cores; a machine that compiles beside it needs several times that.
const START_DEADLINE: Duration = Duration::from_secs(300);

const AUDIT_POLICY: &str = include_str!("../manifests/audit-policy.yaml");

/// A running cluster.
#[derive(Clone, Debug)]
pub struct Cluster {
    state: State,
    kubernetes: PathBuf,
}

/// Makes everything that a start needs and that lasts: packages, programs, images.
pub fn set_up() -> Result<(Binaries, Images)> {
    packages::ensure(packages::ALL)?;
    let binaries = Binaries::ensure()?;
    binaries::helm()?;
    Ok((binaries, images::ensure()?))
}

/// Starts a cluster in the folder; whatever ran there or anywhere else on this machine before is removed first. `csi_loop` is
/// the driver's program; `kubelet_sync` is the time between two looks of kubelet at its pods, as its configuration has it.
pub fn up(folder: &Path, csi_loop: &Path, kubelet_sync: &str) -> Result<Cluster> {
    if !Uid::effective().is_root() {
        bail!("a cluster mounts filesystems and makes network interfaces: run as root");
    }
    let (binaries, images) = set_up()?;
    let _lock = MachineLock::take()?;
    let state = State::at(folder)?;
    down::clear_for(&state)?;
    let csi_loop = prepare(&state, &binaries, csi_loop, kubelet_sync)?;

    let foundation = components::foundation(&state, &binaries)?;
    for launch in &foundation {
        processes::start(&state, launch)?;
    }
    let cluster = Cluster {
        kubernetes: binaries.kubernetes(),
        state,
    };
    cluster.start_upon(&binaries, &images, &csi_loop)?;
    cluster.write_environment(&binaries::helm()?)?;
    Ok(cluster)
}

/// Folders, files, addresses: all but processes. Gives the driver's program as it is started: a copy, so that building it
/// again does not touch what runs.
fn prepare(state: &State, binaries: &Binaries, csi_loop: &Path, kubelet_sync: &str) -> Result<PathBuf> {
    Ledger::open(state)?;
    state.create()?;
    sign(state)?;
    configs::write(state, kubelet_sync)?;
    let policy = state.path("audit-policy.yaml");
    fs::write(&policy, AUDIT_POLICY).with_context(|| format!("cannot write {}", policy.display()))?;
    let driver = state.path("bin/csi-loop");
    fs::copy(csi_loop, &driver).with_context(|| {
        format!(
            "cannot copy {}: build it with cargo build -p csi-loop",
            csi_loop.display()
        )
    })?;
    link(&binaries.kubernetes(), &state.path("bin/kubectl"))?;
    control_groups::create(&state.control_group())?;
    mounts::share(&state.kubelet())?;
    network::create(state)?;
    components::require_ports()?;
    Ok(driver)
}

fn sign(state: &State) -> Result<()> {
    let pki = state.path("pki");
    let authority = Authority::create(&pki)?;
    let hosts = components::api_server_hosts();
    authority.sign(
        "apiserver",
        "kube-apiserver",
        None,
        &hosts.each_ref().map(String::as_str),
    )?;
    authority.sign("admin", "admin", Some("system:masters"), &[])?;
    let address = network::NODE_ADDRESS.to_string();
    authority.sign(
        "node",
        &format!("system:node:{NODE}"),
        Some("system:nodes"),
        &[NODE, &address],
    )?;
    authority.token_key("tokens")?;
    let server = format!("https://{}:{}", network::NODE_ADDRESS, port::API);
    kubeconfig::write(&state.kubeconfig(), &server, &pki, "admin")?;
    kubeconfig::write(&state.path("node.kubeconfig"), &server, &pki, "node")
}

fn link(target: &Path, name: &Path) -> Result<()> {
    symlink(target, name).with_context(|| format!("cannot make {}", name.display()))
}

impl Cluster {
    /// The cluster in this folder, if one runs there.
    pub fn attach(folder: &Path) -> Result<Self> {
        let state = State::at(folder)?;
        if Ledger::of(&state).is_none() {
            bail!(
                "no cluster in {}: make cluster starts one",
                state.folder().display()
            );
        }
        let cluster = Self {
            kubernetes: Binaries::ensure()?.kubernetes(),
            state,
        };
        cluster.require_running()?;
        Ok(cluster)
    }

    /// Its files.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Fails if a component has died, with its name and what it said last.
    pub fn require_running(&self) -> Result<()> {
        processes::require_running(&self.state, components::ALL)
    }

    /// Runs kubectl and gives what it printed.
    pub fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        let output = Command::new(&self.kubernetes)
            .arg("kubectl")
            .args(arguments)
            .env("KUBECONFIG", self.state.kubeconfig())
            .output()
            .context("cannot run kubectl")?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("kubectl {}: {}", arguments.join(" "), said.trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Everything that needs the API server; images are brought in meanwhile.
    fn start_upon(&self, binaries: &Binaries, images: &Images, csi_loop: &Path) -> Result<()> {
        let state = &self.state;
        thread::scope(|scope| {
            let imported = scope.spawn(|| {
                self.wait_for("containerd", || Ok(state.containerd_socket().exists()))?;
                images
                    .all()
                    .into_iter()
                    .try_for_each(|image| images::import(state, image))
            });
            self.wait_for("the API server", || self.api_is_ready())?;
            for launch in components::upon_it(state, binaries, csi_loop) {
                processes::start(state, &launch)?;
            }
            let manifests = places::repository().join("tests/csi-loop/manifests");
            self.kubectl(&["apply", "--server-side", "-f", &manifests.display().to_string()])?;
            self.wait_for("the node to be ready", || self.node_is_ready())?;
            self.wait_for("DNS", || {
                Ok(TcpStream::connect((network::NODE_ADDRESS, port::DNS)).is_ok())
            })?;
            imported
                .join()
                .map_err(|_| anyhow::anyhow!("the import of images panicked"))?
        })
    }

    fn api_is_ready(&self) -> Result<bool> {
        // The cheap question first: the program that asks the real one costs a tenth of a second of a processor.
        let listens = TcpStream::connect((network::NODE_ADDRESS, port::API)).is_ok();
        Ok(listens
            && self
                .kubectl(&["get", "--raw=/readyz", "--request-timeout=5s"])
                .is_ok())
    }

    /// Ready for a pod with a volume: the node itself, the driver registered on it, and the account that pods run as.
    fn node_is_ready(&self) -> Result<bool> {
        let ready = r#"jsonpath={range .items[*]}{.kind} {.status.conditions[?(@.type=="Ready")].status}{.spec.drivers[*].name};{end}"#;
        let Ok(nodes) = self.kubectl(&["get", "nodes,csinodes", "-o", ready]) else {
            return Ok(false);
        };
        let account = self.kubectl(&["get", "serviceaccount", "default"]).is_ok();
        Ok(account && nodes.contains("Node True;") && nodes.contains(&format!("CSINode {DRIVER};")))
    }

    /// Asks again and again until the answer is yes, a component has died or the deadline has passed.
    fn wait_for(&self, what: &str, done: impl Fn() -> Result<bool>) -> Result<()> {
        let deadline = Instant::now() + START_DEADLINE;
        while !done()? {
            let started = components::ALL
                .iter()
                .copied()
                .filter(|name| self.state.path("records").join(name).exists());
            processes::require_running(&self.state, &started.collect::<Vec<_>>())?;
            if Instant::now() > deadline {
                let logs = self.state.path("logs");
                bail!(
                    "waited {} s for {what}; the logs are in {}",
                    START_DEADLINE.as_secs(),
                    logs.display()
                );
            }
            thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    fn write_environment(&self, helm: &Path) -> Result<()> {
        let state = &self.state;
        link(helm, &state.path("bin/helm"))?;
        let quoted = |path: &Path| format!("'{}'", path.display().to_string().replace('\'', r"'\''"));
        let text = format!(
            "# . this file: kubectl (also kubectl highwater) and helm then mean this cluster.\nexport KUBECONFIG={}\nexport PATH={}:\"$PATH\"\n",
            quoted(&state.kubeconfig()),
            quoted(&state.path("bin")),
        );
        fs::write(state.environment(), text)
            .with_context(|| format!("cannot write {}", state.environment().display()))
    }
}
