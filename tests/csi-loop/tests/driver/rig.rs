//! One driver process in a temporary directory, and everything it made taken away at the end, also of a failing test.

use std::{
    fs::{self, File},
    io::{self, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use csi_loop::{
    faults::{self, Fault, Injected, Operation, Rule},
    loops, mounts,
    proto::csi::v1::{
        CapacityRange, ControllerExpandVolumeRequest, CreateVolumeRequest, DeleteVolumeRequest,
        NodeExpandVolumeRequest, NodeGetVolumeStatsRequest, NodePublishVolumeRequest, NodeStageVolumeRequest,
        NodeUnpublishVolumeRequest, NodeUnstageVolumeRequest, VolumeCapability, VolumeUsage,
        controller_client::ControllerClient,
        node_client::NodeClient,
        volume_capability::{AccessMode, AccessType, MountVolume, access_mode::Mode},
    },
    sweep::sweep,
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;
use tonic::{
    Code, Status,
    transport::{Channel, Endpoint},
};

pub(crate) const MIB: u64 = 1 << 20;

/// What [`Rig::left`] answers at the end.
pub(crate) const NOTHING: [PathBuf; 0] = [];

/// A driver and its directory.
pub(crate) struct Rig {
    driver: Option<Child>,
    dir: TempDir,
}

/// The callers' side of one driver process.
pub(crate) struct Calls {
    pub(crate) controller: ControllerClient<Channel>,
    pub(crate) node: NodeClient<Channel>,
    dir: PathBuf,
}

// === impl Rig

impl Rig {
    pub(crate) fn start() -> Self {
        assert!(
            nix::unistd::geteuid().is_root(),
            "NOT RUN: these tests attach loop devices and mount, which needs root"
        );
        let dir = tempfile::Builder::new().prefix("csi-loop-").tempdir().unwrap();
        let mut rig = Self { driver: None, dir };
        rig.restart();
        rig
    }

    /// Starts the driver, after killing the present one, and waits until it can be called.
    pub(crate) fn restart(&mut self) {
        self.kill();
        let driver = Command::new(env!("CARGO_BIN_EXE_csi-loop"))
            .arg("serve")
            .args([Path::new("--endpoint"), &self.endpoint()])
            .args([Path::new("--registration"), &self.registration()])
            .args([Path::new("--state"), &self.state()])
            .args([
                "--node",
                "node-1",
                "--max-volume-gib",
                "2",
                "--log",
                "debug,h2=info",
            ])
            .stdin(Stdio::null())
            .stderr(
                File::options()
                    .create(true)
                    .append(true)
                    .open(self.log())
                    .unwrap(),
            )
            .spawn()
            .unwrap();
        self.driver = Some(driver);
        // The registration comes last.
        let ready = || UnixStream::connect(self.registration()).is_ok();
        assert!(
            within(Duration::from_secs(20), ready),
            "the driver does not come up:\n{}",
            self.log_text()
        );
    }

    /// Ends the driver as a crash would.
    pub(crate) fn kill(&mut self) {
        if let Some(mut driver) = self.driver.take() {
            driver.kill().unwrap();
            driver.wait().unwrap();
        }
    }

    /// Ends the driver as an operator would; how long it took.
    pub(crate) fn terminate(&mut self) -> Duration {
        let mut driver = self.driver.take().unwrap();
        let start = Instant::now();
        kill(Pid::from_raw(driver.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
        assert!(driver.wait().unwrap().success());
        start.elapsed()
    }

    pub(crate) fn calls(&self) -> Calls {
        let endpoint = Endpoint::from_shared(format!("unix:{}", self.endpoint().display())).unwrap();
        let channel = endpoint.connect_lazy();
        Calls {
            controller: ControllerClient::new(channel.clone()),
            node: NodeClient::new(channel),
            dir: self.dir.path().to_owned(),
        }
    }

    pub(crate) fn endpoint(&self) -> PathBuf {
        self.dir.path().join("plugins/csi.sock")
    }

    pub(crate) fn registration(&self) -> PathBuf {
        self.dir.path().join("plugins_registry/reg.sock")
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    pub(crate) fn image(&self, id: &str) -> PathBuf {
        self.state().join("volumes").join(id).join("disk.img")
    }

    pub(crate) fn inject(&self, volume: &str, op: Option<Operation>, fault: Fault) -> Injected {
        let rule = Rule {
            name: format!("{volume}-{op:?}"),
            volume: volume.parse().unwrap(),
            op,
            fault,
        };
        faults::inject(&self.state(), rule).unwrap()
    }

    /// What of ours is in the kernel: mounts and loop devices.
    pub(crate) fn left(&self) -> Vec<PathBuf> {
        let dir = fs::canonicalize(self.dir.path()).unwrap();
        let mounts = mounts::all()
            .unwrap()
            .into_iter()
            .map(|it| it.target)
            .filter(|it| it.starts_with(&dir));
        let loops = loops::all()
            .unwrap()
            .into_iter()
            .map(|it| it.image)
            .filter(|it| it.starts_with(&dir));
        mounts.chain(loops).collect()
    }

    fn log(&self) -> PathBuf {
        self.dir.path().join("driver.log")
    }

    fn log_text(&self) -> String {
        fs::read_to_string(self.log()).unwrap_or_default()
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            eprintln!("--- the driver's log\n{}", self.log_text());
        }
        if let Err(error) = sweep(self.dir.path()) {
            eprintln!("not swept: {error:#}");
        }
    }
}

// === impl Calls

impl Calls {
    pub(crate) fn staged(&self, id: &str) -> PathBuf {
        self.dir.join("kubelet/plugins").join(id).join("globalmount")
    }

    pub(crate) fn published(&self, id: &str) -> PathBuf {
        self.dir.join("kubelet/pods/uid/volumes").join(id).join("mount")
    }

    pub(crate) async fn create(&mut self, id: &str, mib: u64) -> Result<u64, Status> {
        let request = CreateVolumeRequest {
            name: id.to_owned(),
            capacity_range: Some(at_least(mib)),
            volume_capabilities: vec![capability()],
            parameters: Default::default(),
        };
        let volume = self
            .controller
            .create_volume(request)
            .await?
            .into_inner()
            .volume
            .unwrap();
        assert_eq!(volume.volume_id, id);
        Ok(volume.capacity_bytes.try_into().unwrap())
    }

    pub(crate) async fn delete(&mut self, id: &str) -> Result<(), Status> {
        self.controller
            .delete_volume(DeleteVolumeRequest {
                volume_id: id.to_owned(),
            })
            .await
            .map(drop)
    }

    pub(crate) async fn stage(&mut self, id: &str) -> Result<(), Status> {
        let request = NodeStageVolumeRequest {
            volume_id: id.to_owned(),
            staging_target_path: text(&self.staged(id)),
            volume_capability: Some(capability()),
        };
        self.node.node_stage_volume(request).await.map(drop)
    }

    pub(crate) async fn unstage(&mut self, id: &str) -> Result<(), Status> {
        let staging_target_path = text(&self.staged(id));
        let request = NodeUnstageVolumeRequest {
            volume_id: id.to_owned(),
            staging_target_path,
        };
        self.node.node_unstage_volume(request).await.map(drop)
    }

    pub(crate) async fn publish(&mut self, id: &str, target: &Path, readonly: bool) -> Result<(), Status> {
        let request = NodePublishVolumeRequest {
            volume_id: id.to_owned(),
            staging_target_path: text(&self.staged(id)),
            target_path: text(target),
            volume_capability: Some(capability()),
            readonly,
        };
        self.node.node_publish_volume(request).await.map(drop)
    }

    pub(crate) async fn unpublish(&mut self, id: &str, target: &Path) -> Result<(), Status> {
        let request = NodeUnpublishVolumeRequest {
            volume_id: id.to_owned(),
            target_path: text(target),
        };
        self.node.node_unpublish_volume(request).await.map(drop)
    }

    /// Creates, stages and publishes; the pod's path.
    pub(crate) async fn mount(&mut self, id: &str, mib: u64) -> PathBuf {
        let target = self.published(id);
        self.create(id, mib).await.unwrap();
        self.stage(id).await.unwrap();
        self.publish(id, &target, false).await.unwrap();
        target
    }

    /// Takes all of that away.
    pub(crate) async fn unmount(&mut self, id: &str) {
        let target = self.published(id);
        self.unpublish(id, &target).await.unwrap();
        self.unstage(id).await.unwrap();
        self.delete(id).await.unwrap();
    }

    pub(crate) async fn controller_expand(&mut self, id: &str, range: CapacityRange) -> Result<u64, Status> {
        let request = ControllerExpandVolumeRequest {
            volume_id: id.to_owned(),
            capacity_range: Some(range),
            volume_capability: Some(capability()),
        };
        let answer = self
            .controller
            .controller_expand_volume(request)
            .await?
            .into_inner();
        assert!(answer.node_expansion_required);
        Ok(answer.capacity_bytes.try_into().unwrap())
    }

    pub(crate) async fn node_expand(&mut self, id: &str, mib: u64) -> Result<u64, Status> {
        let request = NodeExpandVolumeRequest {
            volume_id: id.to_owned(),
            volume_path: text(&self.published(id)),
            capacity_range: Some(at_least(mib)),
            staging_target_path: text(&self.staged(id)),
            volume_capability: Some(capability()),
        };
        let answer = self.node.node_expand_volume(request).await?.into_inner();
        Ok(answer.capacity_bytes.try_into().unwrap())
    }

    pub(crate) async fn stats(&mut self, id: &str, path: &Path) -> Result<Vec<VolumeUsage>, Status> {
        let request = NodeGetVolumeStatsRequest {
            volume_id: id.to_owned(),
            volume_path: text(path),
            staging_target_path: text(&self.staged(id)),
        };
        self.node
            .node_get_volume_stats(request)
            .await
            .map(|answer| answer.into_inner().usage)
    }
}

/// A range without a limit.
pub(crate) fn at_least(mib: u64) -> CapacityRange {
    CapacityRange {
        required_bytes: (mib * MIB).try_into().unwrap(),
        limit_bytes: 0,
    }
}

pub(crate) fn capability() -> VolumeCapability {
    let mount = MountVolume {
        fs_type: "xfs".to_owned(),
        mount_flags: vec!["noatime".to_owned()],
    };
    VolumeCapability {
        access_mode: Some(AccessMode {
            mode: Mode::SingleNodeWriter.into(),
        }),
        access_type: Some(AccessType::Mount(mount)),
    }
}

/// The code and the text of a call that must fail.
pub(crate) fn refused<T: std::fmt::Debug>(outcome: Result<T, Status>) -> (Code, String) {
    let status = outcome.unwrap_err();
    (status.code(), status.message().to_owned())
}

/// Writes until the filesystem is full; the bytes written.
pub(crate) fn fill(file: &Path) -> u64 {
    let mut file = File::options().create(true).append(true).open(file).unwrap();
    let block = vec![0x5a; MIB as usize];
    let before = file.metadata().unwrap().len();
    loop {
        match file.write_all(&block) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::StorageFull => break,
            Err(error) => panic!("{error}"),
        }
    }
    file.metadata().unwrap().len() - before
}

/// The filesystem's size at a path, by our own statfs.
pub(crate) fn filesystem_size(path: &Path) -> u64 {
    let found = nix::sys::statvfs::statvfs(path).unwrap();
    found.blocks() * found.fragment_size()
}

/// Waits for a condition.
pub(crate) fn within(time: Duration, condition: impl Fn() -> bool) -> bool {
    let end = Instant::now() + time;
    while Instant::now() < end {
        if condition() {
            return true;
        }
        thread::sleep(Duration::from_millis(5));
    }
    condition()
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}
