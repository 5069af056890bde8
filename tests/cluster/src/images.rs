//! The images that every cluster needs, made on this machine and kept in the user's cache, and their way into containerd.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context as _, Result, bail};
use sha2::{Digest as _, Sha256};

use crate::{
    binaries::short_hex,
    image::{Image, Packed},
    packages, places,
    state::State,
};

/// The database's image, as the chart names it in the cluster.
pub const POSTGRES: &str = "localhost/highwater-postgres:dev";
/// Its other names: for pods that run PostgreSQL alone, and the one that the examples of those use.
const POSTGRES_ALONE: [&str; 2] = ["localhost/postgres:dev", "docker.io/library/postgres:15"];
const PAUSE: &str = "localhost/pause:dev";

/// Everything that the database's image is made by, so that a change of any makes it anew.
const POSTGRES_RECIPE: &str = concat!(
    include_str!("../../../deploy/postgres/root.sh"),
    include_str!("../../../deploy/postgres/patroni.sh"),
    include_str!("../../../deploy/postgres/requirements.txt"),
);
const PAUSE_SOURCE: &str = include_str!("../images/pause.rs");

/// The archives.
#[derive(Clone, Debug)]
pub struct Images {
    pause: PathBuf,
    postgres: PathBuf,
}

impl Images {
    pub(crate) fn all(&self) -> [&Path; 2] {
        [&self.pause, &self.postgres]
    }
}

/// Makes what is not in the cache yet.
pub fn ensure() -> Result<Images> {
    Ok(Images {
        pause: cached("pause", PAUSE_SOURCE, pack_pause)?,
        postgres: cached("postgres", POSTGRES_RECIPE, pack_postgres)?,
    })
}

/// Brings an archive into the cluster's containerd.
pub fn import(state: &State, archive: &Path) -> Result<()> {
    let output =
        Command::new(packages::find("ctr").context("ctr is missing: install the Debian package containerd")?)
            .arg("--address")
            .arg(state.containerd_socket())
            .args(["--namespace", "k8s.io", "images", "import"])
            .arg(archive)
            .output()
            .context("cannot run ctr")?;
    if !output.status.success() {
        bail!(
            "cannot import {}: {}",
            archive.display(),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}

/// `make(folder, archive)` is called, with a folder for its own use, if the recipe has changed or was never followed.
fn cached(name: &str, recipe: &str, make: fn(&Path, &Path) -> Result<()>) -> Result<PathBuf> {
    let cache = places::cache().join("images");
    fs::create_dir_all(&cache).with_context(|| format!("cannot make {}", cache.display()))?;
    let mut hash = Sha256::new();
    hash.update(recipe);
    let archive = cache.join(format!("{name}-{}.tar", short_hex(hash)));
    if archive.exists() {
        return Ok(archive);
    }
    let lock = cache.join(format!(".{name}.lock"));
    let lock = File::create(&lock).with_context(|| format!("cannot make {}", lock.display()))?;
    lock.lock().context("cannot wait for another build")?;
    if !archive.exists() {
        let started = Instant::now();
        eprintln!("cluster: making the image of {name}");
        let folder = tempfile::tempdir().context("cannot make a folder")?;
        make(folder.path(), &archive).with_context(|| format!("cannot make the image of {name}"))?;
        eprintln!(
            "cluster: made the image of {name} in {} s",
            started.elapsed().as_secs()
        );
    }
    Ok(archive)
}

fn pack_pause(folder: &Path, archive: &Path) -> Result<()> {
    let (source, program) = (folder.join("pause.rs"), folder.join("pause"));
    fs::write(&source, PAUSE_SOURCE).context("cannot write its source")?;
    let mut compiler = Command::new("rustc");
    compiler.args([
        "--edition=2024",
        "-O",
        "-Cstrip=symbols",
        "-Cpanic=abort",
        "-Ctarget-feature=+crt-static",
        "-o",
    ]);
    run(compiler.arg(&program).arg(&source))?;
    let image = Image {
        names: vec![PAUSE.into()],
        entrypoint: vec!["/pause".into()],
        user: "65535:65535".into(),
        ..Image::default()
    };
    image.pack(
        &[Packed {
            source: program,
            destination: "/pause".into(),
        }],
        archive,
    )
}

fn pack_postgres(folder: &Path, archive: &Path) -> Result<()> {
    let root = folder.join("root.tar");
    let recipe = places::repository().join("deploy/postgres/root.sh");
    run(Command::new("sh").arg(&recipe).arg(&root))?;
    let image = Image {
        names: [POSTGRES]
            .into_iter()
            .chain(POSTGRES_ALONE)
            .map(str::to_owned)
            .collect(),
        entrypoint: Vec::new(),
        user: "999:999".into(),
        environment: vec![
            "PATH=/usr/lib/postgresql/15/bin:/usr/bin:/bin".into(),
            "LANG=C.UTF-8".into(),
        ],
    };
    image.pack_layer(&root, archive)
}

fn run(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {program}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last: Vec<_> = said.lines().rev().take(8).collect();
        bail!(
            "{program} failed:\n{}",
            last.into_iter().rev().collect::<Vec<_>>().join("\n")
        );
    }
    Ok(())
}
