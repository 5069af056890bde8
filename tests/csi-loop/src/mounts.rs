//! Mounts: what mountinfo says, and how to add and remove one. Links in the paths asked for are resolved.

use std::{
    ffi::OsString,
    fs,
    io::{self, ErrorKind},
    os::unix::ffi::OsStringExt,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use nix::{
    errno::Errno,
    mount::{MntFlags, MsFlags},
};

/// A block device's number, `major:minor`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device(String);

/// One line of mountinfo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// The device of its filesystem.
    pub device: Device,
    /// Where it is mounted.
    pub target: PathBuf,
    /// Whether this mount, not the filesystem, is read-only.
    pub readonly: bool,
}

// === impl Device

impl Device {
    /// Takes the text of sysfs or mountinfo.
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// All mounts of our namespace, in the kernel's order.
pub fn all() -> io::Result<Vec<Mount>> {
    Ok(parse(&fs::read("/proc/self/mountinfo")?))
}

/// The mount that is seen at a path: the last one there. None for a path that does not exist.
pub fn at(path: &Path) -> io::Result<Option<Mount>> {
    let path = match fs::canonicalize(path) {
        Ok(path) => path,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(all()?.into_iter().rfind(|mount| mount.target == path))
}

/// The mounts of a device.
pub fn of(device: &Device) -> io::Result<Vec<Mount>> {
    Ok(all()?
        .into_iter()
        .filter(|mount| mount.device == *device)
        .collect())
}

/// Mounts an XFS device. `options` are those of `mount -o`.
pub fn mount(node: &Path, target: &Path, options: &[String]) -> io::Result<()> {
    let (flags, data) = flags(options);
    let data = (!data.is_empty()).then_some(data.as_str());
    nix::mount::mount(Some(node), target, Some("xfs"), flags, data).map_err(io::Error::from)
}

/// Makes a mount visible at a second place.
pub fn bind(source: &Path, target: &Path) -> io::Result<()> {
    nix::mount::mount(Some(source), target, None::<&str>, MsFlags::MS_BIND, None::<&str>)
        .map_err(io::Error::from)
}

/// Makes one place of a mount read-only, the others stay as they are.
pub fn make_readonly(target: &Path) -> io::Result<()> {
    let flags = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
    nix::mount::mount(None::<&str>, target, None::<&str>, flags, None::<&str>).map_err(io::Error::from)
}

/// Takes the top mount at a path away; fails while it is in use. One that is in use for an instant, by a statfs of
/// somebody who watches all mounts, is tried again for half a second. Blocks.
pub fn unmount(target: &Path) -> io::Result<()> {
    let mut tries = 50;
    loop {
        match nix::mount::umount2(target, MntFlags::UMOUNT_NOFOLLOW) {
            Err(Errno::EBUSY) if tries > 1 => thread::sleep(Duration::from_millis(10)),
            outcome => return outcome.map_err(io::Error::from),
        }
        tries -= 1;
    }
}

/// The lines that can be understood; the kernel writes no others.
fn parse(text: &[u8]) -> Vec<Mount> {
    text.split(|byte| *byte == b'\n').filter_map(parse_line).collect()
}

/// `ID parent major:minor root mountpoint options ...`: proc(5).
fn parse_line(line: &[u8]) -> Option<Mount> {
    let mut fields = line.split(|byte| *byte == b' ').skip(2);
    let device = Device::new(std::str::from_utf8(fields.next()?).ok()?);
    let target = PathBuf::from(OsString::from_vec(unescape(fields.nth(1)?)));
    let readonly = fields
        .next()?
        .split(|byte| *byte == b',')
        .any(|option| option == b"ro");
    Some(Mount {
        device,
        target,
        readonly,
    })
}

/// Undoes the octal escapes of space, tab, newline and backslash.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, tail)) = rest.split_first() {
        let octal = |digits: &[u8]| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok();
        match (first, tail.get(..3).and_then(octal)) {
            (b'\\', Some(byte)) => {
                plain.push(byte);
                rest = &tail[3..];
            }
            (byte, _) => {
                plain.push(*byte);
                rest = tail;
            }
        }
    }
    plain
}

/// Splits the options of a StorageClass into those of the mount and those of XFS.
fn flags(options: &[String]) -> (MsFlags, String) {
    let mut flags = MsFlags::empty();
    let mut data = Vec::new();
    for option in options.iter().flat_map(|options| options.split(',')) {
        match option {
            "" | "rw" | "defaults" => {}
            "ro" => flags |= MsFlags::MS_RDONLY,
            "noatime" => flags |= MsFlags::MS_NOATIME,
            "nodiratime" => flags |= MsFlags::MS_NODIRATIME,
            "relatime" => flags |= MsFlags::MS_RELATIME,
            "nosuid" => flags |= MsFlags::MS_NOSUID,
            "nodev" => flags |= MsFlags::MS_NODEV,
            "noexec" => flags |= MsFlags::MS_NOEXEC,
            "sync" => flags |= MsFlags::MS_SYNCHRONOUS,
            other => data.push(other),
        }
    }
    (flags, data.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_kernel_s_lines() {
        let text = b"44 27 7:0 / /var/lib/kubelet/pods/u/mount rw,relatime shared:22 - xfs /dev/loop0 rw\n\
            45 27 7:1 /sub /with\\040space\\134 ro,noatime - xfs /dev/loop1 rw\n\
            \n\
            cut short\n";
        let found = parse(text);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].device, Device::new("7:0"));
        assert_eq!(found[0].target, Path::new("/var/lib/kubelet/pods/u/mount"));
        assert!(!found[0].readonly);
        assert_eq!(found[1].target, Path::new("/with space\\"));
        assert!(found[1].readonly);
    }

    #[test]
    fn unescapes_only_whole_escapes() {
        for (field, plain) in [
            ("a\\040b", "a b"),
            ("\\04", "\\04"),
            ("\\999", "\\999"),
            ("\\", "\\"),
            ("", ""),
        ] {
            assert_eq!(unescape(field.as_bytes()), plain.as_bytes());
        }
    }

    #[test]
    fn options_go_where_the_kernel_wants_them() {
        let options = [
            "noatime,ro".to_owned(),
            "logbsize=256k".to_owned(),
            "nouuid".to_owned(),
        ];
        let expected = (
            MsFlags::MS_NOATIME | MsFlags::MS_RDONLY,
            "logbsize=256k,nouuid".to_owned(),
        );
        assert_eq!(flags(&options), expected);
        assert_eq!(flags(&[]), (MsFlags::empty(), String::new()));
    }

    #[test]
    fn a_path_that_is_not_there_is_not_mounted() {
        assert_eq!(at(Path::new("/no/such/path")).unwrap(), None);
        assert_eq!(
            at(Path::new("/proc")).unwrap().unwrap().target,
            Path::new("/proc")
        );
    }
}
