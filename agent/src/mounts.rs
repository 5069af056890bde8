//! The text of /proc/self/mountinfo, as mounts. Pure and total: any bytes give a table, bad lines are counted.
//!
//! Which mounts are volumes is not known here but in [`crate::volumes`].
//!
//! Format (proc_pid_mountinfo(5)): `ID parent major:minor root point options [optional fields]* - type source
//! super-options`, fields separated by one space; space, tab, newline, backslash and some others inside a field
//! are written as a backslash and three octal digits.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt,
    os::unix::ffi::OsStringExt,
    path::{Path, PathBuf},
    str::FromStr,
};

/// Appended by the kernel to the path of a mount point that has been removed.
const DELETED: &[u8] = b"//deleted";

/// What the text told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MountTable {
    /// The mounts that a path leads to, in the order of their mount points; of several on one point only the
    /// last, which is the one on top.
    pub mounts: Vec<Mount>,
    /// Number of lines that could not be understood.
    pub malformed: usize,
}

/// One mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// The kernel's number of the mount; grows with time, but is used again.
    pub id: u64,
    /// The superblock's device; the same for all mounts of one filesystem.
    pub device: Device,
    /// The directory of the filesystem that forms the root of the mount.
    pub root: PathBuf,
    /// Where it is mounted.
    pub point: PathBuf,
    /// The filesystem's type, with its subtype: `xfs`, `fuse.sshfs`.
    pub fs_type: String,
    /// Either the mount or the whole filesystem refuses writes, also where ext4 has turned so after an error.
    pub read_only: bool,
}

/// Major and minor number of a block device or of an anonymous one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Device {
    /// Kind of device; 0 when anonymous (network filesystems, tmpfs, FUSE, btrfs).
    pub major: u32,
    /// Which of its kind.
    pub minor: u32,
}

impl MountTable {
    /// Reads the text of a mountinfo file.
    #[must_use]
    pub fn parse(text: &[u8]) -> Self {
        let mut malformed = 0;
        let mut top: BTreeMap<PathBuf, Mount> = BTreeMap::new();
        for line in text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            match parse_line(line) {
                Some(Line::Live(mount)) => {
                    top.insert(mount.point.clone(), mount);
                }
                Some(Line::Deleted) => {}
                None => malformed += 1,
            }
        }
        Self {
            mounts: top.into_values().collect(),
            malformed,
        }
    }

    /// The mounts below a directory, the one on the directory itself left out.
    pub fn below<'a>(&'a self, directory: &'a Path) -> impl Iterator<Item = &'a Mount> + 'a {
        self.mounts
            .iter()
            .filter(move |mount| mount.point != directory && mount.point.starts_with(directory))
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.major, self.minor)
    }
}

enum Line {
    Live(Mount),
    /// Nothing leads there any more.
    Deleted,
}

fn parse_line(line: &[u8]) -> Option<Line> {
    let mut fields = line.split(|&byte| byte == b' ');
    let id = number(fields.next()?)?;
    let _parent: u64 = number(fields.next()?)?;
    let device = parse_device(fields.next()?)?;
    let root = path(fields.next()?)?;
    let point = fields.next()?;
    let options = fields.next()?;
    // Any number of optional fields, then a lone dash.
    fields.by_ref().find(|field| *field == b"-")?;
    let fs_type = String::from_utf8(unescape(fields.next()?))
        .ok()
        .filter(|t| !t.is_empty())?;
    let _source = fields.next()?;
    let super_options = fields.next()?;
    if point.ends_with(DELETED) {
        return Some(Line::Deleted);
    }
    Some(Line::Live(Mount {
        id,
        device,
        root,
        point: path(point)?,
        fs_type,
        read_only: has(options, b"ro") || has(super_options, b"ro") || has(super_options, b"emergency_ro"),
    }))
}

fn number<N: FromStr>(field: &[u8]) -> Option<N> {
    std::str::from_utf8(field).ok()?.parse().ok()
}

fn parse_device(field: &[u8]) -> Option<Device> {
    let colon = field.iter().position(|&byte| byte == b':')?;
    Some(Device {
        major: number(&field[..colon])?,
        minor: number(&field[colon + 1..])?,
    })
}

fn path(field: &[u8]) -> Option<PathBuf> {
    let path = PathBuf::from(OsString::from_vec(unescape(field)));
    (!path.as_os_str().is_empty()).then_some(path)
}

fn has(options: &[u8], option: &[u8]) -> bool {
    options.split(|&byte| byte == b',').any(|one| one == option)
}

/// Undoes the kernel's octal escapes; a backslash without three octal digits after it stays as it is.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&first, tail)) = rest.split_first() {
        match octal(first, tail) {
            Some(byte) => {
                plain.push(byte);
                rest = &tail[3..];
            }
            None => {
                plain.push(first);
                rest = tail;
            }
        }
    }
    plain
}

fn octal(first: u8, tail: &[u8]) -> Option<u8> {
    let digits = tail.get(..3).filter(|_| first == b'\\')?;
    let value = digits.iter().try_fold(0_u32, |value, digit| match digit {
        b'0'..=b'7' => Some(value * 8 + u32::from(digit - b'0')),
        _ => None,
    })?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests;
