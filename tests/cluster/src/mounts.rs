//! Mounts and loop devices: those below given folders, and no other.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};
use nix::mount::{MntFlags, MsFlags, mount, umount2};

/// Mounting again what was just unmounted needs a living process, and all are gone by then; a stack of mounts needs a few rounds.
const ROUNDS: usize = 64;

/// Makes a folder a mount of its own that passes new mounts below it on to containers, as kubelet's root must. The machine's root
/// stays as it is.
pub(crate) fn share(folder: &Path) -> Result<()> {
    let nothing = None::<&str>;
    mount(Some(folder), folder, nothing, MsFlags::MS_BIND, nothing)
        .and_then(|()| {
            mount(
                nothing,
                folder,
                nothing,
                MsFlags::MS_SHARED | MsFlags::MS_REC,
                nothing,
            )
        })
        .with_context(|| format!("cannot make {} a shared mount", folder.display()))
}

/// Unmounts everything at or below the folders and says how many mounts there were.
pub(crate) fn unmount_below(folders: &[&Path]) -> Result<usize> {
    let mut count = 0;
    for _ in 0..ROUNDS {
        let mounts = below(folders)?;
        if mounts.is_empty() {
            return Ok(count);
        }
        // The newest first: an older one may lie under it.
        for path in mounts.iter().rev() {
            let busy = umount2(path, MntFlags::empty()).is_err();
            if busy && umount2(path, MntFlags::MNT_DETACH).is_err() {
                continue; // perhaps gone with the one above; the next round sees
            }
            count += 1;
        }
    }
    bail!(
        "cannot unmount {}",
        below(folders)?
            .iter()
            .map(|path| path.display().to_string())
            .collect::<Vec<_>>()
            .join(", ")
    )
}

fn below(folders: &[&Path]) -> Result<Vec<PathBuf>> {
    let table = fs::read_to_string("/proc/self/mountinfo").context("cannot read the mounts")?;
    Ok(below_in(&table, folders))
}

fn below_in(table: &str, folders: &[&Path]) -> Vec<PathBuf> {
    mount_points(table)
        .filter(|point| folders.iter().any(|folder| point.starts_with(folder)))
        .collect()
}

/// Mount points in the order in which they were made (proc_pid_mountinfo(5): the fifth column).
fn mount_points(table: &str) -> impl Iterator<Item = PathBuf> {
    table
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .map(|point| PathBuf::from(unescape(point)))
}

/// The kernel writes space, tab, newline and backslash as three octal digits.
fn unescape(text: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(text.to_owned(), |text, (escaped, plain)| {
            text.replace(escaped, plain)
        })
}

/// Detaches the loop devices whose file is below the folder and says how many there were.
pub(crate) fn detach_loops_below(folder: &Path) -> Result<usize> {
    let mut count = 0;
    for device in fs::read_dir("/sys/block")
        .context("cannot read the block devices")?
        .flatten()
    {
        // A deleted file keeps its path, with a note behind it; a device without a file has no such entry.
        let Ok(file) = fs::read_to_string(device.path().join("loop/backing_file")) else {
            continue;
        };
        if !Path::new(file.trim_end()).starts_with(folder) {
            continue;
        }
        let device = Path::new("/dev").join(device.file_name());
        let output = Command::new("losetup")
            .arg("--detach")
            .arg(&device)
            .output()
            .context("cannot run losetup")?;
        if !output.status.success() {
            bail!(
                "cannot detach {}: {}",
                device.display(),
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        count += 1;
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mount_points_are_read_with_their_escapes() {
        let table = "22 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n\
                     31 22 0:25 /a /mnt/with\\040space\\134here rw shared:1 - xfs /dev/loop0 rw\n";
        let points: Vec<_> = mount_points(table).collect();
        assert_eq!(points, [Path::new("/"), Path::new("/mnt/with space\\here")]);
    }

    #[test]
    fn only_mounts_at_or_below_a_folder_are_its_own() {
        let table = "22 1 254:0 / / rw - ext4 /dev/vda rw\n\
                     31 22 0:25 / /state/one rw - xfs /dev/loop0 rw\n\
                     32 22 0:26 / /state/one-more/kubelet rw - xfs /dev/loop1 rw\n\
                     33 31 0:27 / /state/one/kubelet rw - tmpfs tmpfs rw\n\
                     34 22 0:28 / /run/two rw - nsfs nsfs rw\n";
        let below = below_in(table, &[Path::new("/state/one"), Path::new("/run/two")]);
        assert_eq!(
            below,
            ["/state/one", "/state/one/kubelet", "/run/two"].map(PathBuf::from)
        );
    }
}
