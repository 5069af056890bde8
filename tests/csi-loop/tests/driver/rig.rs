//! One driver process in a temporary directory, and everything it made taken away at the end, also of a failing test.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use csi_loop::{
    faults::{self, Fault, Injected, Operation, Rule},
    loops, mounts,
    sweep::sweep,
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;
use tonic::transport::Endpoint;

use crate::calls::Calls;

pub(crate) const MIB: u64 = 1 << 20;

/// A driver and its directory.
pub(crate) struct Rig {
    driver: Option<Child>,
    name: Option<&'static str>,
    dir: TempDir,
}

// === impl Rig

impl Rig {
    pub(crate) fn start() -> Self {
        assert!(
            nix::unistd::geteuid().is_root(),
            "NOT RUN: these tests attach loop devices and mount, which needs root"
        );
        let dir = tempfile::Builder::new().prefix("csi-loop-").tempdir().unwrap();
        let mut rig = Self {
            driver: None,
            name: None,
            dir,
        };
        rig.restart();
        rig
    }

    /// The command of a driver with this rig's sockets and state.
    pub(crate) fn serve(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_csi-loop"));
        command
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
            .args(self.name.map(|name| format!("--name={name}")));
        command
    }

    /// Starts the driver by another name.
    pub(crate) fn named(&mut self, name: &'static str) {
        self.name = Some(name);
        self.restart();
    }

    /// Starts the driver, after killing the present one, and waits until it can be called.
    pub(crate) fn restart(&mut self) {
        self.kill();
        let started = self.starts();
        let driver = self
            .serve()
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
        // Not by calling it: a tool of the killed driver may have its socket until exec.
        let ready = || self.starts() > started;
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
        Calls::new(channel, self.dir.path())
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

    /// Waits for the kernel, which frees a loop device when its last opener closes it: another test's losetup, or ours
    /// that outlived a killed driver.
    pub(crate) fn assert_nothing_left(&self) {
        let free = within(Duration::from_secs(5), || self.left().is_empty());
        assert!(free, "left: {:?}", self.left());
    }

    /// How often a driver has said that it serves.
    fn starts(&self) -> usize {
        self.log_text().matches("serves; TEST-ONLY").count()
    }

    fn log(&self) -> PathBuf {
        self.dir.path().join("driver.log")
    }

    pub(crate) fn log_text(&self) -> String {
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
