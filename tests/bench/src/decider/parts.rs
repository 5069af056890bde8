//! The processes of a round; they end with what started them.

use std::{
    env, fs,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, ensure};
use serde::de::DeserializeOwned;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::{Instant, sleep},
};

use super::{agents, http::ask};

/// Until a process must have come up: a decider that reads the whole fleet included.
const PATIENCE: Duration = Duration::from_secs(300);
/// Between two looks at something that cannot be waited for otherwise.
const LOOK: Duration = Duration::from_millis(50);

/// A process of ours that speaks in lines.
pub struct Spoken {
    child: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

/// The decider under measurement.
pub struct Decider {
    child: Child,
    /// Where it tells of itself.
    pub admin: SocketAddr,
    /// Where agents go.
    pub usage: SocketAddr,
    /// Its kubeconfig and its log.
    files: TempDir,
}

impl Spoken {
    /// Starts a part of this program.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(args: &[&str]) -> anyhow::Result<Self> {
        let mut child = Command::new(env::current_exe()?)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let input = child.stdin.take().context("no input")?;
        let output = child.stdout.take().context("no output")?;
        let lines = BufReader::new(output).lines();
        Ok(Self { child, input, lines })
    }

    /// The next line it says.
    ///
    /// # Errors
    /// When it has ended.
    pub async fn line(&mut self) -> anyhow::Result<String> {
        self.lines
            .next_line()
            .await?
            .context("a part of the benchmark has ended")
    }

    /// Orders something; answers what it says when it is done.
    ///
    /// # Errors
    /// When it fails.
    pub async fn order<T: DeserializeOwned>(&mut self, order: &str) -> anyhow::Result<T> {
        self.input.write_all(format!("{order}\n").as_bytes()).await?;
        let line = self.line().await?;
        agents::read(&line)
    }

    /// Its process.
    ///
    /// # Errors
    /// When it has ended.
    pub fn pid(&self) -> anyhow::Result<u32> {
        self.child.id().context("a part of the benchmark has ended")
    }
}

impl Decider {
    /// Starts the decider, and waits until it has read all objects; answers how long that took.
    ///
    /// # Errors
    /// When it cannot be started or does not get ready.
    pub async fn start(binary: &Path, api: SocketAddr) -> anyhow::Result<(Self, Duration)> {
        let files = TempDir::new()?;
        let kubeconfig = files.path().join("kubeconfig");
        fs::write(&kubeconfig, kubeconfig_for(api))?;
        let log = fs::File::create(files.path().join("log"))?;
        let (usage, view, admin) = (free()?, free()?, free()?);
        let started = Instant::now();
        let child = Command::new(binary)
            .args(["--namespace", "highwater", "--pod-name", "highwater-decider-0"])
            .arg(format!("--usage-listen={usage}"))
            .arg(format!("--view-listen={view}"))
            .arg(format!("--admin={admin}"))
            .arg("--kubeconfig")
            .arg(&kubeconfig)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", binary.display()))?;
        let mut decider = Self {
            child,
            admin,
            usage,
            files,
        };
        while !matches!(ask(admin, "GET", "/ready").await, Ok((200, _))) {
            ensure!(
                decider.child.try_wait()?.is_none(),
                "the decider ended:\n{}",
                decider.log()?
            );
            ensure!(
                started.elapsed() < PATIENCE,
                "the decider is not ready:\n{}",
                decider.log()?
            );
            sleep(LOOK).await;
        }
        Ok((decider, started.elapsed()))
    }

    /// Its process.
    ///
    /// # Errors
    /// When it has ended.
    pub fn pid(&self) -> anyhow::Result<u32> {
        self.child.id().context("the decider has ended")
    }

    /// The last lines of its log.
    fn log(&self) -> anyhow::Result<String> {
        let text = fs::read_to_string(self.files.path().join("log"))?;
        let lines: Vec<&str> = text.lines().collect();
        Ok(lines
            .get(lines.len().saturating_sub(10)..)
            .unwrap_or_default()
            .join("\n"))
    }
}

/// An address that nobody listens on now.
fn free() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

fn kubeconfig_for(api: SocketAddr) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: bench\n\
         clusters: [{{name: bench, cluster: {{server: 'http://{api}'}}}}]\n\
         users: [{{name: bench, user: {{}}}}]\n\
         contexts: [{{name: bench, context: {{cluster: bench, user: bench}}}}]\n"
    )
}
