//! The FUSE server's process, as the test commands it: mount, stop in the middle of a request, go on.

use std::{
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use nix::{
    mount::{MntFlags, umount2},
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{fuse, node::Node};

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
        let process = Pid::from_raw(i32::try_from(self.child.id())?);
        Ok(kill(process, signal)?)
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
