//! Programs that Debian packages: found, or installed when that is possible, or named in one line.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail};
use nix::unistd::Uid;

/// A program and the Debian package that brings it.
#[derive(Clone, Copy, Debug)]
pub struct Tool {
    /// File name, looked for in the places of [`find`].
    pub program: &'static str,
    /// Debian 12 package.
    pub package: &'static str,
}

/// The store of the API server: all that the API-server tests need from Debian.
pub const ETCD: Tool = Tool {
    program: "etcd",
    package: "etcd-server",
};

/// The container runtime.
pub const CONTAINERD: Tool = Tool {
    program: "containerd",
    package: "containerd",
};

/// The database server, for tests that need one and no cluster.
pub const POSTGRESQL: Tool = Tool {
    program: "pg_basebackup",
    package: "postgresql-15",
};

/// Programs run with another time of day.
pub const FAKETIME: Tool = Tool {
    program: "faketime",
    package: "faketime",
};

/// All that a cluster with pods and storage needs.
pub const ALL: &[Tool] = &[
    ETCD,
    Tool {
        program: "containerd",
        package: "containerd",
    },
    Tool {
        program: "runc",
        package: "runc",
    },
    Tool {
        program: "ptp",
        package: "containernetworking-plugins",
    },
    Tool {
        program: "mkfs.xfs",
        package: "xfsprogs",
    },
    Tool {
        program: "nft",
        package: "nftables",
    },
    Tool {
        program: "ip",
        package: "iproute2",
    },
    Tool {
        program: "mmdebstrap",
        package: "mmdebstrap",
    },
    Tool {
        program: "pip3",
        package: "python3-pip",
    },
    Tool {
        program: "fusermount3",
        package: "fuse3",
    },
];

/// Folders beside `PATH` in which Debian puts what root and other programs call.
const FOLDERS: &[&str] = &[
    "/usr/lib/postgresql/15/bin",
    "/usr/sbin",
    "/sbin",
    "/usr/bin",
    "/usr/lib/cni",
];

/// The program's path, if it is installed.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(FOLDERS.iter().map(PathBuf::from))
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
}

/// The program's path, or an error that names the package.
pub fn require(tool: Tool) -> Result<PathBuf> {
    let Tool { program, package } = tool;
    find(program).with_context(|| format!("{program} is missing: install the Debian package {package}"))
}

/// Installs the packages of the missing ones among `tools`; does nothing when all are there.
pub fn ensure(tools: &[Tool]) -> Result<()> {
    let missing: Vec<_> = tools.iter().filter(|tool| find(tool.program).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<_> = missing.iter().map(|tool| tool.package).collect();
    let packages = packages.join(" ");
    if !Path::new("/usr/bin/apt-get").exists() {
        bail!("missing on this machine, which has no apt: install what Debian calls {packages}");
    }
    if !Uid::effective().is_root() {
        bail!("missing Debian packages: run as root, or install them: apt-get install {packages}");
    }
    eprintln!("cluster: installing {packages}");
    apt_get("update", &[])?;
    let install: Vec<_> = ["--yes", "--no-install-recommends"]
        .into_iter()
        .chain(packages.split(' '))
        .collect();
    apt_get("install", &install)?;
    match missing.iter().find(|tool| find(tool.program).is_none()) {
        Some(tool) => bail!(
            "{} is still missing after installing {}",
            tool.program,
            tool.package
        ),
        None => Ok(()),
    }
}

fn apt_get(verb: &str, arguments: &[&str]) -> Result<()> {
    let output = Command::new("apt-get")
        .arg("-q")
        .arg(verb)
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .output()
        .context("cannot run apt-get")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!(
            "apt-get {verb} failed: {}",
            said.lines().last().unwrap_or("it said nothing")
        );
    }
    Ok(())
}
