//! Volumes as directories: `<state>/volumes/<id>/{disk.img, volume.json, modifications, format.lock}`.
//!
//! A volume is there when its directory is: it appears by a rename and goes by a rename. Names with a dot in front are
//! leftovers of a driver that was killed in between.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::{
    error::Error,
    faults::Subject,
    loops, mounts,
    proto::csi::v1::CapacityRange,
    sizes::{self, SizeError},
};

/// All volumes of a state directory.
#[derive(Debug)]
pub struct Volumes {
    root: PathBuf,
    maximum: u64,
}

/// One volume that exists, or existed when it was looked up.
#[derive(Debug, Clone)]
pub struct Volume {
    /// Its id, which is also its name.
    pub id: String,
    dir: PathBuf,
}

/// What is kept of the request that made a volume.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Record {
    parameters: BTreeMap<String, String>,
}

// === impl Volumes

impl Volumes {
    /// Opens the state directory, makes it when absent, and removes leftovers. `maximum` is the largest size in bytes.
    pub fn open(state: &Path, maximum: u64) -> io::Result<Self> {
        fs::create_dir_all(state.join("volumes"))?;
        // Resolved, because that is how the kernel names the backing files.
        let root = fs::canonicalize(state.join("volumes"))?;
        for entry in fs::read_dir(&root)? {
            let entry = entry?;
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(Self { root, maximum })
    }

    /// The largest size, in bytes.
    pub fn maximum(&self) -> u64 {
        self.maximum
    }

    /// The volume of this id.
    pub fn get(&self, id: &str) -> Result<Volume, Error> {
        // An id that could not have been made names no volume, and must not become a path.
        let volume = self
            .named(id)
            .map_err(|_| Error::NoVolume { id: id.to_owned() })?;
        match fs::symlink_metadata(&volume.dir) {
            Ok(_) => Ok(volume),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(Error::NoVolume { id: id.to_owned() }),
            Err(error) => Err(Error::io("look at", &volume.dir)(error)),
        }
    }

    /// The handle of an id whose volume may be gone: for taking mounts away.
    pub fn named(&self, id: &str) -> Result<Volume, Error> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if id.is_empty() || id.len() > 128 || id.starts_with('.') || !id.bytes().all(plain) {
            return Err(Error::BadName { name: id.to_owned() });
        }
        Ok(Volume {
            id: id.to_owned(),
            dir: self.root.join(id),
        })
    }

    /// Makes a volume, or finds the one made before; its size in bytes.
    pub fn create(
        &self,
        name: &str,
        range: Option<&CapacityRange>,
        parameters: BTreeMap<String, String>,
    ) -> Result<u64, Error> {
        let volume = self.named(name)?;
        match self.get(name) {
            Ok(volume) => {
                let present = volume.size()?;
                return match sizes::fits(present, range).map_err(Error::Size)? {
                    true => Ok(present),
                    false => Err(Error::OtherSize {
                        id: volume.id,
                        present,
                    }),
                };
            }
            Err(Error::NoVolume { .. }) => {}
            Err(error) => return Err(error),
        }
        let size = sizes::created(range, self.maximum).map_err(Error::Size)?;
        let fresh = Volume {
            id: volume.id.clone(),
            dir: self.root.join(format!(".new-{name}")),
        };
        remove(&fresh.dir)?;
        fresh.fill(size, &Record { parameters })?;
        fs::rename(&fresh.dir, &volume.dir).map_err(Error::io("make", &volume.dir))?;
        Ok(size)
    }

    /// Deletes a volume; one that is not there is deleted already, one that is mounted stays.
    pub fn delete(&self, id: &str) -> Result<(), Error> {
        let volume = match self.get(id) {
            Ok(volume) => volume,
            Err(Error::NoVolume { .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        if let Some(mount) = volume.mounts()?.into_iter().next() {
            return Err(Error::InUse {
                id: volume.id,
                path: mount.target,
            });
        }
        volume.detach()?;
        let gone = self.root.join(format!(".deleted-{id}"));
        remove(&gone)?;
        fs::rename(&volume.dir, &gone).map_err(Error::io("delete", &volume.dir))?;
        remove(&gone)
    }
}

// === impl Volume

impl Volume {
    /// The file behind its loop device.
    pub fn image(&self) -> PathBuf {
        self.dir.join("disk.img")
    }

    /// The file of its growths: see `history`.
    pub fn modifications(&self) -> PathBuf {
        self.dir.join("modifications")
    }

    /// The file whose lock is held while it is formatted: a mkfs.xfs that outlived a killed driver must end before the
    /// next one looks at the device.
    pub fn format_lock(&self) -> PathBuf {
        self.dir.join("format.lock")
    }

    /// Its size in bytes.
    pub fn size(&self) -> Result<u64, Error> {
        let image = self.image();
        fs::metadata(&image)
            .map(|it| it.len())
            .map_err(Error::io("look at", &image))
    }

    /// Makes its image larger; never smaller.
    pub fn enlarge(&self, size: u64) -> Result<(), Error> {
        let (image, present) = (self.image(), self.size()?);
        if size < present {
            return Err(Error::Size(SizeError::Shrink { present, limit: size }));
        }
        let grow = || File::options().write(true).open(&image)?.set_len(size);
        grow().map_err(Error::io("enlarge", &image))
    }

    /// What fault rules select it by.
    pub fn subject(&self) -> Result<Subject, Error> {
        let path = self.dir.join("volume.json");
        let text = fs::read(&path).map_err(Error::io("read", &path))?;
        let record: Record =
            serde_json::from_slice(&text).map_err(|source| Error::Record { path, source })?;
        Ok(Subject {
            volume: self.id.clone(),
            parameters: record.parameters,
        })
    }

    /// Its loop devices; one when attached.
    pub fn loops(&self) -> Result<Vec<loops::Loop>, Error> {
        let image = self.image();
        loops::of(&image).map_err(Error::io("find the loop device of", &image))
    }

    /// Its mounts, staged and published.
    pub fn mounts(&self) -> Result<Vec<mounts::Mount>, Error> {
        let mut found = Vec::new();
        for attached in self.loops()? {
            found.extend(
                mounts::of(&attached.device).map_err(Error::io("find the mounts of", &attached.node))?,
            );
        }
        Ok(found)
    }

    /// Detaches its loop devices, and waits a moment for the kernel to let go: it does so when the last opener closes,
    /// which may be any losetup that looks for a free device. One that is held longer goes by itself later.
    pub fn detach(&self) -> Result<(), Error> {
        for attached in self.loops()? {
            loops::detach(&attached.node).map_err(|source| self.command(source))?;
        }
        for _ in 0..100 {
            if self.loops()?.is_empty() {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(10));
        }
        tracing::warn!(volume = self.id, "somebody still holds the loop device");
        Ok(())
    }

    /// Says for which volume a tool failed.
    pub(crate) fn command(&self, source: crate::command::CommandError) -> Error {
        Error::Command {
            id: self.id.clone(),
            source,
        }
    }

    fn fill(&self, size: u64, record: &Record) -> Result<(), Error> {
        let path = self.dir.join("volume.json");
        let fill = || -> io::Result<()> {
            fs::create_dir(&self.dir)?;
            fs::write(&path, serde_json::to_vec_pretty(record)?)?;
            File::create_new(self.image())?.set_len(size)
        };
        fill().map_err(Error::io("make", &self.dir))
    }
}

fn remove(dir: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io("remove", dir)(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
