//! Container images without Docker and without a registry: one layer packed as a docker-archive, which `ctr images import`,
//! `docker load` and others read.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::tar::{self, Kind};

/// What an image is run as.
#[derive(Clone, Debug, Default)]
pub struct Image {
    /// Names that the image is given, as in `localhost/pause:dev`; at least one.
    pub names: Vec<String>,
    /// The program and its first arguments; none if whoever runs the image names them.
    pub entrypoint: Vec<String>,
    /// Numeric `uid:gid`, as `runAsNonRoot` demands; empty for root.
    pub user: String,
    /// `NAME=value`.
    pub environment: Vec<String>,
}

/// A file of this machine and its absolute path in the image, where everyone may read and run it.
#[derive(Clone, Debug)]
pub struct Packed {
    /// Here.
    pub source: PathBuf,
    /// There.
    pub destination: PathBuf,
}

impl Image {
    /// Packs an image of nothing but these files (a static binary needs no more) and a `/tmp`.
    pub fn pack(&self, files: &[Packed], archive: &Path) -> Result<()> {
        let layer = archive.with_extension("layer");
        write_layer(files, &layer).with_context(|| format!("cannot write {}", layer.display()))?;
        self.pack_layer(&layer, archive)?;
        fs::remove_file(&layer).with_context(|| format!("cannot remove {}", layer.display()))
    }

    /// Packs an image whose filesystem is the tar file `layer`.
    pub fn pack_layer(&self, layer: &Path, archive: &Path) -> Result<()> {
        let digest = digest(layer).with_context(|| format!("cannot read {}", layer.display()))?;
        let config = self.config(&digest).to_string();
        let config_name = format!("{}.json", hex(Sha256::digest(&config)));
        let layer_name = format!("{digest}/layer.tar");
        let manifest =
            json!([{"Config": config_name, "RepoTags": self.names, "Layers": [layer_name]}]).to_string();
        let unfinished = archive.with_extension("unfinished");
        let write = || -> io::Result<()> {
            let (mut layer, size) = (File::open(layer)?, fs::metadata(layer)?.len());
            let mut archive = BufWriter::new(File::create(&unfinished)?);
            text(&mut archive, &config_name, &config)?;
            tar::append(&mut archive, &layer_name, Kind::File, 0o644, size, &mut layer)?;
            text(&mut archive, "manifest.json", &manifest)?;
            tar::finish(&mut archive)?;
            archive.flush()
        };
        write()
            .and_then(|()| fs::rename(&unfinished, archive))
            .with_context(|| format!("cannot write {}", archive.display()))
    }

    fn config(&self, layer: &str) -> Value {
        json!({
            "architecture": architecture(),
            "os": "linux",
            "config": {"User": self.user, "Entrypoint": self.entrypoint, "Env": self.environment},
            "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{layer}")]},
        })
    }
}

/// Go's names, which image configurations use.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn write_layer(files: &[Packed], layer: &Path) -> io::Result<()> {
    let mut archive = BufWriter::new(File::create(layer)?);
    let folders: BTreeSet<_> = files
        .iter()
        .flat_map(|file| file.destination.ancestors().skip(1))
        .collect();
    for folder in folders.into_iter().filter(|folder| folder.parent().is_some()) {
        tar::append(
            &mut archive,
            &inside(folder),
            Kind::Folder,
            0o755,
            0,
            &mut io::empty(),
        )?;
    }
    tar::append(&mut archive, "tmp", Kind::Folder, 0o1777, 0, &mut io::empty())?;
    for Packed { source, destination } in files {
        let mut content = File::open(source)?;
        let size = content.metadata()?.len();
        tar::append(
            &mut archive,
            &inside(destination),
            Kind::File,
            0o755,
            size,
            &mut content,
        )?;
    }
    tar::finish(&mut archive)?;
    archive.flush()
}

/// Archives have paths without the leading slash.
fn inside(path: &Path) -> String {
    path.to_string_lossy().trim_start_matches('/').to_owned()
}

fn text(archive: &mut dyn Write, name: &str, text: &str) -> io::Result<()> {
    tar::append(
        archive,
        name,
        Kind::File,
        0o644,
        text.len() as u64,
        &mut text.as_bytes(),
    )
}

fn digest(path: &Path) -> io::Result<String> {
    let (mut file, mut hash, mut buffer) = (File::open(path)?, Sha256::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(hash.finalize())),
            length => hash.update(&buffer[..length]),
        }
    }
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
