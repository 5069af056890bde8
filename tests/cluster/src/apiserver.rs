//! etcd and an API server alone, for tests that need the real admission, validation, defaulting and watches but no node. There are no
//! controllers, unless a test asks for some of Kubernetes' own: no pod is made, no claim is bound, no quota is counted; a test plays
//! them by writing status.

use std::{
    fs::{self, File},
    net::TcpStream,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use tempfile::TempDir;

use crate::{
    binaries::Binaries,
    certificates::Authority,
    control_plane::{self, Launch, Ports},
    kubeconfig, logs, packages, ports,
    watcher::Watcher,
};

/// An idle machine with two cores needs 5 s; one that compiles beside it many times that.
const START_DEADLINE: Duration = Duration::from_secs(180);

/// Between free ports being found and taken, another process may take one; three times in a row it is something else.
const ATTEMPTS: usize = 3;

/// A running API server with its own empty store. Both end, and their files go, when it is dropped and also when the process
/// dies without dropping it.
pub struct ApiServer {
    kubeconfig: PathBuf,
    group: Pid,
    children: Vec<(&'static str, Child)>,
    watcher: Watcher,
    folder: TempDir,
}

/// Starts one and waits until it is ready. Blocks for about five seconds.
pub fn start() -> Result<ApiServer> {
    let binaries = Binaries::ensure()?;
    packages::ensure(&[packages::ETCD])?;
    let mut attempt = 1;
    loop {
        match start_once(&binaries) {
            Err(error) if attempt < ATTEMPTS && format!("{error:#}").contains("address already in use") => {
                attempt += 1
            }
            result => return result,
        }
    }
}

fn start_once(binaries: &Binaries) -> Result<ApiServer> {
    let folder = tempfile::Builder::new()
        .prefix("highwater-apiserver-")
        .tempdir()
        .context("cannot make a folder")?;
    let mut watcher = Watcher::start(folder.path())?;
    let (here, pki) = (folder.path(), folder.path().join("pki"));
    let ports = Ports {
        etcd: ports::free()?,
        etcd_peer: ports::free()?,
        api: ports::free()?,
    };
    let authority = Authority::create(&pki)?;
    authority.sign("apiserver", "kube-apiserver", None, &["localhost", "127.0.0.1"])?;
    authority.sign("admin", "admin", Some("system:masters"), &[])?;
    authority.token_key("tokens")?;
    let kubeconfig = here.join("kubeconfig");
    kubeconfig::write(
        &kubeconfig,
        &format!("https://127.0.0.1:{}", ports.api),
        &pki,
        "admin",
    )?;

    let etcd = control_plane::etcd(packages::require(packages::ETCD)?, here, ports);
    let etcd = spawn(&etcd, here, 0)?;
    let group = Pid::from_raw(etcd.id().try_into().context("a process id that is no number")?);
    watcher.guard(Some(etcd.id()))?;
    let mut server = ApiServer {
        kubeconfig,
        group,
        children: vec![("etcd", etcd)],
        watcher,
        folder,
    };
    let launch = Launch::kubernetes(binaries, "kube-apiserver", &flags(server.folder.path(), ports));
    let child = spawn(&launch, server.folder.path(), group.as_raw())?;
    server.children.push((launch.name, child));
    server.wait_until_ready(binaries, ports)?;
    Ok(server)
}

/// Beyond the common flags: loopback only, no endpoints of its own (there may be no other address), and no default service accounts,
/// because nobody makes them here.
fn flags(folder: &Path, ports: Ports) -> Vec<String> {
    let more = [
        "--bind-address=127.0.0.1",
        "--advertise-address=192.0.2.1",
        "--endpoint-reconciler-type=none",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--disable-admission-plugins=ServiceAccount",
        "--authorization-mode=RBAC",
    ];
    control_plane::api_server_flags(folder, ports)
        .into_iter()
        .chain(more.map(str::to_owned))
        .collect()
}

/// Starts a program in process group `group` (0: a new one of its own), its output in `<name>.log`.
fn spawn(launch: &Launch, folder: &Path, group: i32) -> Result<Child> {
    let log = log_file(folder, launch.name);
    let log = File::create(&log).with_context(|| format!("cannot make {}", log.display()))?;
    let errors = log.try_clone().context("cannot share a log")?;
    Command::new(&launch.program)
        .args(&launch.arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        .process_group(group)
        .spawn()
        .with_context(|| format!("cannot start {}", launch.program.display()))
}

fn log_file(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.log"))
}

impl ApiServer {
    /// A kubeconfig of a cluster administrator. It and the certificates that it names exist as long as the server.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// What the API server has logged so far, for a test that failed.
    pub fn log(&self) -> String {
        fs::read_to_string(log_file(self.folder.path(), "kube-apiserver")).unwrap_or_default()
    }

    /// Starts Kubernetes' controller manager with these controllers alone.
    pub fn start_controllers(&mut self, controllers: &[&str]) -> Result<()> {
        let kubeconfig = self.kubeconfig.display();
        let arguments = [
            format!("--kubeconfig={kubeconfig}"),
            format!("--controllers={}", controllers.join(",")),
            "--leader-elect=false".to_owned(),
            "--secure-port=0".to_owned(),
            // The usual limits are for a controller beside others; a test waits for it.
            "--kube-api-qps=500".to_owned(),
            "--kube-api-burst=1000".to_owned(),
            "--concurrent-statefulset-syncs=20".to_owned(),
        ];
        let launch = Launch::kubernetes(&Binaries::ensure()?, "kube-controller-manager", &arguments);
        let child = spawn(&launch, self.folder.path(), self.group.as_raw())?;
        self.children.push((launch.name, child));
        Ok(())
    }

    fn wait_until_ready(&mut self, binaries: &Binaries, ports: Ports) -> Result<()> {
        let deadline = Instant::now() + START_DEADLINE;
        loop {
            self.fail_if_dead()?;
            // The cheap question first: the program that asks the real one costs a tenth of a second of a processor.
            let listens = TcpStream::connect(("127.0.0.1", ports.api)).is_ok();
            if listens && self.answers_ready(binaries)? {
                return Ok(());
            }
            if Instant::now() > deadline {
                let log = logs::tail(&log_file(self.folder.path(), "kube-apiserver"));
                bail!(
                    "the API server was not ready after {} s:\n{log}",
                    START_DEADLINE.as_secs()
                );
            }
            thread::sleep(Duration::from_millis(100));
        }
    }

    fn answers_ready(&self, binaries: &Binaries) -> Result<bool> {
        let output = Command::new(binaries.kubernetes())
            .args(["kubectl", "get", "--raw=/readyz", "--request-timeout=5s"])
            .env("KUBECONFIG", &self.kubeconfig)
            .output()
            .context("cannot run kubectl")?;
        Ok(output.status.success())
    }

    fn fail_if_dead(&mut self) -> Result<()> {
        for (name, child) in &mut self.children {
            if let Some(status) = child
                .try_wait()
                .with_context(|| format!("cannot ask for {name}"))?
            {
                bail!(
                    "{name} ended ({status}):\n{}",
                    logs::tail(&log_file(self.folder.path(), name))
                );
            }
        }
        Ok(())
    }

    fn stop(&mut self) -> Result<()> {
        // A child that is not waited for keeps the group's number from being given to another.
        killpg(self.group, Signal::SIGKILL).context("cannot end the process group")?;
        for (name, child) in &mut self.children {
            child.wait().with_context(|| format!("cannot wait for {name}"))?;
        }
        self.watcher.guard(None)
    }
}

impl Drop for ApiServer {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!("cluster: {error:#}"); // the watcher ends what is left
        }
    }
}
