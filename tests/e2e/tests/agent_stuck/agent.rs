//! The agent's process: started, looked at and ended as on a node.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

/// The agent's process; killed when dropped.
pub(crate) struct Agent(Option<Child>);

impl Agent {
    /// Starts the agent's program on `kubelet_root` against `decider`. It is killed with this process, however that
    /// ends.
    pub(crate) fn start(kubelet_root: &Path, decider: SocketAddr) -> anyhow::Result<Self> {
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL"])
            .arg(program()?)
            .args([
                "--node-name",
                "node-1",
                "--admin",
                "127.0.0.1:0",
                "--log",
                "warn,agent::collector=error",
            ])
            .arg("--kubelet-root")
            .arg(kubelet_root)
            .args(["--decider", &decider.to_string()])
            .spawn()
            .context("cannot start the agent with setpriv")?;
        Ok(Self(Some(child)))
    }

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
        let process = Pid::from_raw(i32::try_from(child.id())?);
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

fn program() -> anyhow::Result<PathBuf> {
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
