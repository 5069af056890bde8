//! A PostgreSQL of this machine's, for one test.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Mutex,
};

use anyhow::{Context as _, Result, bail};
use cluster::packages::{self, POSTGRESQL};
use nix::unistd::{Gid, Uid, chown};
use tempfile::TempDir;

/// The superuser's, and the receivers'.
pub(crate) const PASSWORD: &str = "a password";

/// PostgreSQL refuses to run as root: `nobody` runs it then.
const NOBODY: u32 = 65534;

/// Two tests must not install at once.
static INSTALLING: Mutex<()> = Mutex::new(());

/// A running server; dropping it stops it and removes its data.
pub(crate) struct Server {
    programs: PathBuf,
    folder: TempDir,
    port: u16,
}

impl Server {
    /// A new primary, whose archiving always fails.
    pub(crate) fn primary() -> Result<Self> {
        let server = Self::empty()?;
        let password = server.folder.path().join("password");
        fs::write(&password, PASSWORD)?;
        let password = format!("--pwfile={}", password.display());
        server.run(
            "initdb",
            &[
                "-U",
                "postgres",
                "-A",
                "scram-sha-256",
                &password,
                "--wal-segsize=1",
                "-N",
                "-D",
                &server.data(),
            ],
        )?;
        fs::write(
            server.folder.path().join("data/postgresql.auto.conf"),
            "archive_mode = on\narchive_command = 'false'\nfsync = off\ncluster_name = 'db'\n",
        )?;
        server.start()?;
        Ok(server)
    }

    /// A standby of this one that streams under `name` through `slot`.
    pub(crate) fn standby(&self, name: &str, slot: &str) -> Result<Self> {
        let server = Self::empty()?;
        let upstream = self.connection(&format!("application_name={name}"));
        server.run(
            "pg_basebackup",
            &[
                "-d",
                &upstream,
                "-D",
                &server.data(),
                "-R",
                "-C",
                "-S",
                slot,
                "-c",
                "fast",
            ],
        )?;
        server.start()?;
        Ok(server)
    }

    /// Someone who has connected under `name` to receive, and is sent nothing until it is dropped.
    pub(crate) fn waiting(&self, name: &str) -> Result<Waiting> {
        let server = self.connection(&format!(
            "dbname=postgres replication=true application_name={name}"
        ));
        let mut psql = Command::new(self.program("psql"));
        psql.arg(server).env("LC_ALL", "C");
        psql.stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Ok(Waiting(psql.spawn()?))
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Runs one statement as the superuser.
    pub(crate) fn psql(&self, statement: &str) -> Result<()> {
        let server = self.connection("dbname=postgres");
        self.run(
            "psql",
            &["-q", "-v", "ON_ERROR_STOP=1", "-d", &server, "-c", statement],
        )
    }

    fn empty() -> Result<Self> {
        {
            let _one = INSTALLING.lock().ok().context("another test failed to install")?;
            packages::ensure(&[POSTGRESQL])?;
        }
        // `PATH` may know a wrapper or a link; the others lie beside the program it stands for.
        let program = fs::canonicalize(packages::require(POSTGRESQL)?)?;
        let programs = program.parent().context("a program lies in a folder")?.to_owned();
        let folder = TempDir::new()?;
        if Uid::effective().is_root() {
            chown(
                folder.path(),
                Some(Uid::from_raw(NOBODY)),
                Some(Gid::from_raw(NOBODY)),
            )?;
        }
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        Ok(Self {
            programs,
            folder,
            port,
        })
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    fn start(&self) -> Result<()> {
        let log = self.folder.path().join("log").display().to_string();
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories={} -c shared_buffers=8MB",
            self.port,
            self.folder.path().display()
        );
        self.run(
            "pg_ctl",
            &[
                "-D",
                &self.data(),
                "-l",
                &log,
                "-o",
                &options,
                "-w",
                "-t",
                "60",
                "start",
            ],
        )
        .with_context(|| fs::read_to_string(&log).unwrap_or_default())
    }

    /// How the superuser connects, with `more` to it.
    fn connection(&self, more: &str) -> String {
        let port = self.port;
        format!("host=127.0.0.1 port={port} user=postgres password='{PASSWORD}' {more}")
    }

    fn program(&self, name: &str) -> PathBuf {
        let path = self.programs.join(name);
        if path.exists() {
            path
        } else {
            packages::find(name).unwrap_or(path)
        }
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Result<()> {
        let mut command = Command::new(self.program(program));
        command
            .args(arguments)
            .current_dir(Path::new("/"))
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        if Uid::effective().is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        // A server that stays must not keep a pipe open: what it says goes to a file.
        let said = self.folder.path().join("said");
        let status = command
            .stderr(fs::File::create(&said)?)
            .status()
            .with_context(|| format!("cannot run {program}"))?;
        if !status.success() {
            bail!("{program} failed: {}", fs::read_to_string(&said)?);
        }
        Ok(())
    }
}

/// A program that ends with its input.
pub(crate) struct Waiting(Child);

impl Drop for Waiting {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        if let Err(error) = self.0.wait() {
            eprintln!("{error:#}");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A failure shows as a folder that cannot be removed; a test that fails must show its own.
        if let Err(error) = self.run("pg_ctl", &["-D", &self.data(), "-m", "immediate", "-w", "stop"]) {
            eprintln!("{error:#}");
        }
    }
}
