//! The node of this test: a kubelet directory with mounts in it, the server behind some of them, and the agent.

use std::{
    fs::{self, OpenOptions},
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use nix::{
    mount::{MntFlags, MsFlags, mount, umount2},
    sched::{CloneFlags, unshare},
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;

use crate::fuse;

/// Of each tmpfs; the agent tells of a change of a thousandth, which is one page.
const CAPACITY: &str = "size=4m";
/// Two pages twice a second: every measurement differs from the one before.
const GROWTH: &[u8] = &[7; 8 << 10];
const GROWTH_EVERY: Duration = Duration::from_millis(500);

/// Mounts made from here on are seen by this process and its children alone, and vanish with them.
pub(crate) fn enter_own_namespace() -> anyhow::Result<()> {
    ensure!(
        Path::new("/dev/fuse").exists(),
        "there is no /dev/fuse here: load the kernel module fuse"
    );
    unshare(CloneFlags::CLONE_NEWNS).context("cannot make a mount namespace: run as root")?;
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(None::<&str>, "/", None::<&str>, private, None::<&str>).context("cannot make the mounts private")
}

/// Kubelet's directory; unmounted and removed when dropped.
pub(crate) struct Node {
    root: TempDir,
    tmpfs: Vec<PathBuf>,
}

/// Fills the volumes until it is dropped.
pub(crate) struct Filling(Arc<AtomicBool>);

impl Node {
    /// With `tmpfs` volumes of pods mounted.
    pub(crate) fn new(tmpfs: usize) -> anyhow::Result<Self> {
        let mut node = Self {
            root: tempfile::tempdir()?,
            tmpfs: Vec::new(),
        };
        for n in 0..tmpfs {
            let point = node.mount(&format!("tmpfs-{n}"))?;
            node.tmpfs.push(point);
        }
        Ok(node)
    }

    fn mount(&self, pv: &str) -> anyhow::Result<PathBuf> {
        let point = self.mount_point(pv)?;
        mount(
            Some("tmpfs"),
            &point,
            Some("tmpfs"),
            MsFlags::empty(),
            Some(CAPACITY),
        )
        .context("cannot mount")?;
        Ok(point)
    }

    /// Mounts one more volume, lets `look` look, and unmounts it.
    pub(crate) fn with_another(&self, look: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
        let point = self.mount("tmpfs-late")?;
        let looked = look();
        umount2(&point, MntFlags::MNT_DETACH).context("cannot unmount")?;
        looked
    }

    /// Where kubelet would mount the CSI volume `pv`.
    fn mount_point(&self, pv: &str) -> anyhow::Result<PathBuf> {
        let volumes = self
            .root
            .path()
            .join(format!("pods/pod-of-{pv}/volumes/kubernetes.io~csi"));
        let point = volumes.join(pv).join("mount");
        fs::create_dir_all(&point)?;
        Ok(point)
    }

    /// Lets every tmpfs grow.
    pub(crate) fn fill(&self) -> Filling {
        let stop = Arc::new(AtomicBool::new(false));
        let (volumes, stopped) = (self.tmpfs.clone(), Arc::clone(&stop));
        thread::spawn(move || {
            while !stopped.load(Ordering::Acquire) {
                for volume in &volumes {
                    let file = OpenOptions::new()
                        .create(true)
                        .append(true)
                        .open(volume.join("data"));
                    if let Err(error) = file.and_then(|mut file| file.write_all(GROWTH)) {
                        eprintln!("cannot fill {}: {error}", volume.display());
                    }
                }
                thread::sleep(GROWTH_EVERY);
            }
        });
        Filling(stop)
    }

    /// Starts the agent's program against `decider`. It is killed with this process, however that ends.
    pub(crate) fn start_agent(&self, decider: SocketAddr) -> anyhow::Result<Agent> {
        let program = agent_program()?;
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL"])
            .arg(program)
            .args([
                "--node-name",
                "node-1",
                "--admin",
                "127.0.0.1:0",
                "--log",
                "warn,agent::collector=error",
            ])
            .arg("--kubelet-root")
            .arg(self.root.path())
            .args(["--decider", &decider.to_string()])
            .spawn()
            .context("cannot start the agent with setpriv")?;
        Ok(Agent(Some(child)))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        for point in &self.tmpfs {
            if let Err(error) = umount2(point, MntFlags::MNT_DETACH) {
                eprintln!("cannot unmount {}: {error}", point.display());
            }
        }
    }
}

impl Drop for Filling {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

fn agent_program() -> anyhow::Result<PathBuf> {
    let given = std::env::var_os("HIGHWATER_AGENT").map(PathBuf::from);
    let own = std::env::current_exe()?;
    let built = own
        .ancestors()
        .nth(2)
        .map(|profile| profile.join("highwater-agent"));
    let program = given.or(built).context("no target directory")?;
    ensure!(
        program.exists(),
        "{} is missing: cargo build -p agent",
        program.display()
    );
    Ok(program)
}

/// The FUSE server's process.
pub(crate) struct Server {
    child: Child,
    commands: ChildStdin,
    said: mpsc::Receiver<String>,
    points: Vec<PathBuf>,
}

impl Server {
    /// With `count` filesystems mounted as volumes of `node`.
    pub(crate) fn start(node: &Node, count: usize) -> anyhow::Result<Self> {
        let points: Vec<_> = (0..count)
            .map(|n| node.mount_point(&format!("fuse-{n}")))
            .collect::<Result<_, _>>()?;
        let mut child = Command::new(std::env::current_exe()?)
            .arg(fuse::ARGUMENT)
            .args(&points)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (Some(commands), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            bail!("the server has no pipes");
        };
        let (say, said) = mpsc::channel();
        thread::spawn(move || {
            BufReader::new(output)
                .lines()
                .map_while(Result::ok)
                .try_for_each(|line| say.send(line))
        });
        let server = Self {
            child,
            commands,
            said,
            points,
        };
        server.wait_for(fuse::MOUNTED)?;
        Ok(server)
    }

    /// Stops it with SIGSTOP while it has read `requests` for a statfs and not answered them.
    pub(crate) fn stop_in_statfs(&mut self, requests: usize) -> anyhow::Result<()> {
        while self.said.try_recv().is_ok() {}
        writeln!(self.commands, "hold")?;
        for _ in 0..requests {
            self.wait_for(fuse::HOLDING)?;
        }
        self.signal(Signal::SIGSTOP)
    }

    /// Lets it go on.
    pub(crate) fn resume(&mut self) -> anyhow::Result<()> {
        self.signal(Signal::SIGCONT)?;
        Ok(writeln!(self.commands, "go")?)
    }

    fn wait_for(&self, word: &str) -> anyhow::Result<()> {
        let patience = Duration::from_secs(10);
        let said = self
            .said
            .recv_timeout(patience)
            .with_context(|| format!("the server is not {word}"))?;
        ensure!(said == word, "the server says {said}, not {word}");
        Ok(())
    }

    fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        Ok(kill(pid(&self.child)?, signal)?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its end aborts every call that still waits for it; then nothing holds the mounts.
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait().map(drop)) {
            eprintln!("cannot end the server: {error}");
        }
        for point in &self.points {
            if let Err(error) = umount2(point, MntFlags::MNT_DETACH) {
                eprintln!("cannot unmount {}: {error}", point.display());
            }
        }
    }
}

/// The agent's process; killed when dropped.
pub(crate) struct Agent(Option<Child>);

impl Agent {
    /// The number of its children that wait in the kernel beyond the reach of signals.
    pub(crate) fn unkillable_children(&self) -> anyhow::Result<usize> {
        let child = self.0.as_ref().context("the agent has ended")?;
        let mut count = 0;
        for entry in fs::read_dir("/proc")? {
            // Processes come and go while they are listed.
            let Ok(stat) = fs::read_to_string(entry?.path().join("stat")) else {
                continue;
            };
            let mut fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
            let (state, parent) = (fields.next(), fields.next());
            count += usize::from(state == Some("D") && parent == Some(child.id().to_string().as_str()));
        }
        Ok(count)
    }

    /// Sends SIGTERM and waits for its end, at most `limit`.
    pub(crate) fn terminate(&mut self, limit: Duration) -> anyhow::Result<Duration> {
        let mut child = self.0.take().context("the agent has ended")?;
        let process = pid(&child)?;
        let (tell, told) = mpsc::channel::<std::io::Result<ExitStatus>>();
        thread::spawn(move || tell.send(child.wait()));
        let began = Instant::now();
        kill(process, Signal::SIGTERM)?;
        let Ok(status) = told.recv_timeout(limit) else {
            kill(process, Signal::SIGKILL)?;
            bail!("the agent goes on {limit:?} after SIGTERM");
        };
        let status = status?;
        ensure!(status.success(), "the agent ended with {status}");
        Ok(began.elapsed())
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0
            && let Err(error) = child.kill()
        {
            eprintln!("cannot kill the agent: {error}");
        }
    }
}

fn pid(child: &Child) -> anyhow::Result<Pid> {
    Ok(Pid::from_raw(i32::try_from(child.id())?))
}
