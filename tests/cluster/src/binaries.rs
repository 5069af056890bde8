//! The programs built from Go modules: Kubernetes with its CSI sidecars, and Helm. Built once per content of the module's files and
//! kept in the user's cache, so that an unchanged module costs nothing and another clone finds them.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Context as _, Result, bail};
use sha2::{Digest as _, Sha256};

use crate::places;

/// A Go module of this package.
struct Module {
    /// Its folder beside `src`.
    folder: &'static str,
    /// The files that decide what is built.
    files: &'static [&'static str],
    /// What is given to `go build`: `tool` stands for the programs that go.mod names as tools.
    packages: &'static [&'static str],
    /// For the one line that is printed before a long wait; minutes on two cores, nothing cached.
    minutes: &'static str,
}

const KUBERNETES: Module = Module {
    folder: "kubernetes",
    files: &["go.mod", "go.sum", "main.go"],
    packages: &[".", "tool"],
    minutes: "7 to 8",
};
const HELM: Module = Module {
    folder: "helm",
    files: &["go.mod", "go.sum"],
    packages: &["tool"],
    minutes: "2 to 4",
};

/// Where the built programs are.
#[derive(Clone, Debug)]
pub struct Binaries {
    kubernetes: PathBuf,
}

impl Binaries {
    /// Builds what is not in the cache yet.
    pub fn ensure() -> Result<Self> {
        Ok(Self {
            kubernetes: KUBERNETES.ensure()?,
        })
    }

    /// The Kubernetes programs in one file: the first argument chooses.
    pub fn kubernetes(&self) -> PathBuf {
        self.kubernetes.join("kubernetes")
    }

    /// The sidecar that makes volumes for claims.
    pub fn csi_provisioner(&self) -> PathBuf {
        self.kubernetes.join("csi-provisioner")
    }

    /// The sidecar that grows volumes whose claims ask for more.
    pub fn csi_resizer(&self) -> PathBuf {
        self.kubernetes.join("csi-resizer")
    }
}

/// Helm; built if it is not in the cache yet.
pub fn helm() -> Result<PathBuf> {
    Ok(HELM.ensure()?.join("helm"))
}

impl Module {
    fn source(&self) -> PathBuf {
        places::repository().join("tests/cluster").join(self.folder)
    }

    /// The folder in the cache that holds this module's programs.
    fn ensure(&self) -> Result<PathBuf> {
        let (flags, cache) = (self.linker_flags()?, places::cache().join("bin"));
        let built = cache.join(format!("{}-{}", self.folder, self.key(&flags)?));
        if built.is_dir() {
            return Ok(built);
        }
        fs::create_dir_all(&cache).with_context(|| format!("cannot make {}", cache.display()))?;
        let lock = cache.join(format!(".{}.lock", self.folder));
        let lock = File::create(&lock).with_context(|| format!("cannot make {}", lock.display()))?;
        lock.lock().context("cannot wait for another build")?;
        if !built.is_dir() {
            self.build(&flags, &built)?; // unless the build that was waited for was this one
        }
        Ok(built)
    }

    fn build(&self, flags: &str, built: &Path) -> Result<()> {
        let started = Instant::now();
        eprintln!(
            "cluster: building {} with go (first time: {} minutes)",
            self.folder, self.minutes
        );
        let unfinished = built.with_extension("unfinished");
        fs::create_dir_all(&unfinished).with_context(|| format!("cannot make {}", unfinished.display()))?;
        let output = Command::new("go")
            .args(["build", "-trimpath", "-buildvcs=false", "-ldflags", flags])
            .args(["-gcflags", "all=-dwarf=false", "-o"]) // the linker strips it anyway
            .arg(format!("{}/", unfinished.display())) // the slash says that it is a folder
            .args(self.packages)
            .current_dir(self.source())
            .env("GOGC", "400") // many short processes: collecting less often is a tenth of their time
            .env("CGO_ENABLED", "0") // runs on any Linux, in a container too
            .env("GOTOOLCHAIN", "local") // an older Go says so; none is downloaded
            .output()
            .context("cannot run go: install Go 1.26 or newer, with go in PATH")?;
        if !output.status.success() {
            fs::remove_dir_all(&unfinished)
                .with_context(|| format!("cannot remove {}", unfinished.display()))?;
            bail!(
                "go build of {} failed:\n{}",
                self.folder,
                String::from_utf8_lossy(&output.stderr).trim_end()
            );
        }
        fs::rename(&unfinished, built).with_context(|| format!("cannot make {}", built.display()))?;
        eprintln!(
            "cluster: built {} in {} s",
            self.folder,
            started.elapsed().as_secs()
        );
        Ok(())
    }

    /// Strips the programs and, where Kubernetes is in them, tells them their version: without it they believe to be v0.0.0 and
    /// refuse each other for the distance between their versions.
    fn linker_flags(&self) -> Result<String> {
        let path = self.source().join("go.mod");
        let module = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let version = module
            .lines()
            .find_map(|line| line.trim().strip_prefix("k8s.io/kubernetes "));
        Ok(match version {
            Some(version) => format!("-s -w -X k8s.io/component-base/version.gitVersion={version}"),
            None => "-s -w".to_owned(),
        })
    }

    fn key(&self, flags: &str) -> Result<String> {
        let mut hash = Sha256::new();
        hash.update(flags);
        for file in self.files {
            let path = self.source().join(file);
            hash.update(fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?);
        }
        Ok(short_hex(hash))
    }
}

/// The first 12 hexadecimal digits: enough to tell a handful of versions apart.
pub(crate) fn short_hex(hash: Sha256) -> String {
    hash.finalize()
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
