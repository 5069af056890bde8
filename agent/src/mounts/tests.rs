//! Lines as kernels write them, and bytes as nobody writes them.

use std::{
    ffi::OsStr,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use proptest::prelude::*;

use super::{Device, Mount, MountTable};

/// Taken from a node with kubelet 1.36; the root is shortened to /k.
const NODE: &str = "\
21 27 0:20 / /proc rw,nosuid - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/root rw
44 27 7:0 / /k/pods/498ab8dd/volumes/kubernetes.io~local-volume/pv-local-fs rw,relatime shared:22 - xfs /dev/loop0 rw,attr2
45 27 0:6 /loop1 /k/plugins/kubernetes.io~local-volume/volumeDevices/pv-local-blk/498ab8dd rw shared:17 - devtmpfs devtmpfs rw
46 27 7:2 / /k/plugins/kubernetes.io/local-volume/mounts/pv-local-dev rw shared:23 master:4 - xfs /dev/loop2 rw
53 27 7:0 /pgdata /k/pods/498ab8dd/volume-subpaths/pv-local-fs/c/1 rw shared:22 - xfs /dev/loop0 rw
";

fn only(line: &str) -> Mount {
    let table = MountTable::parse(line.as_bytes());
    assert_eq!((table.mounts.len(), table.malformed), (1, 0), "{line}");
    table.mounts[0].clone()
}

#[test]
fn reads_a_node() {
    let table = MountTable::parse(NODE.as_bytes());
    assert_eq!(table.malformed, 0);
    assert_eq!(table.mounts.len(), 6);
    let subpath = table.mounts.iter().find(|m| m.id == 53).unwrap();
    assert_eq!(subpath.root, Path::new("/pgdata"));
    assert_eq!(subpath.device, Device { major: 7, minor: 0 });
    assert_eq!(subpath.device.to_string(), "7:0");
    assert_eq!(subpath.fs_type, "xfs");
    assert_eq!(table.below(Path::new("/k")).count(), 4);
    assert_eq!(table.below(Path::new("/k/pods")).count(), 2);
}

#[test]
fn below_is_by_component_and_without_the_directory() {
    let table =
        MountTable::parse(b"1 0 0:1 / /k rw - t s rw\n2 0 0:1 / /kk rw - t s rw\n3 0 0:1 / /k/a rw - t s rw");
    let ids: Vec<u64> = table.below(Path::new("/k")).map(|m| m.id).collect();
    assert_eq!(ids, [3]);
}

#[test]
fn any_number_of_optional_fields() {
    for optional in ["", "shared:1 ", "shared:1 master:2 propagate_from:3 unbindable "] {
        assert_eq!(
            only(&format!("1 0 8:1 / /a rw {optional}- ext4 /dev/x rw")).fs_type,
            "ext4"
        );
    }
}

#[test]
fn undoes_escapes() {
    let mount = only(r"1 0 0:1 /a\134b /with\040space\011tab\012line\043 rw - fuse.a\040b c rw");
    assert_eq!(mount.root, Path::new(r"/a\b"));
    assert_eq!(mount.point, Path::new("/with space\ttab\nline#"));
    assert_eq!(mount.fs_type, "fuse.a b");
    for literal in [r"/x\", r"/x\04", r"/x\089", r"/x\777", r"/x\\040"] {
        let point = only(&format!("1 0 0:1 / {literal} rw - t s rw")).point;
        let expected = if literal == r"/x\\040" {
            PathBuf::from("/x\\ ")
        } else {
            PathBuf::from(literal)
        };
        assert_eq!(point, expected);
    }
}

#[test]
fn paths_need_not_be_text() {
    let table = MountTable::parse(b"1 0 0:1 / /\xff\xfe rw - t s rw");
    assert_eq!(table.mounts[0].point.as_os_str(), OsStr::from_bytes(b"/\xff\xfe"));
}

#[test]
fn the_last_mount_on_a_point_is_on_top() {
    let table = MountTable::parse(b"1 0 7:0 / /a rw - xfs x rw\n2 0 7:1 / /a rw - ext4 y rw\n");
    assert_eq!(table.mounts.len(), 1);
    assert_eq!(
        (table.mounts[0].id, table.mounts[0].fs_type.as_str()),
        (2, "ext4")
    );
}

#[test]
fn deleted_mount_points_are_nowhere() {
    let table =
        MountTable::parse(b"1 0 7:0 / /a//deleted rw - xfs x rw\n2 0 7:0 / /b//deleted/c rw - xfs x rw\n");
    assert_eq!(table.malformed, 0);
    assert_eq!(table.mounts.iter().map(|m| m.id).collect::<Vec<_>>(), [2]);
}

#[test]
fn read_only_by_mount_by_filesystem_or_by_error() {
    for (options, super_options, read_only) in [
        ("rw", "rw", false),
        ("ro,relatime", "rw", true),
        ("rw", "ro,errors=continue", true),
        ("rw", "rw,emergency_ro", true),
        ("rw,errors=remount-ro", "rw,errors=remount-ro,prog", false),
    ] {
        let mount = only(&format!("1 0 7:0 / /a {options} - ext4 x {super_options}"));
        assert_eq!(mount.read_only, read_only, "{options} {super_options}");
    }
}

#[test]
fn bad_lines_are_counted_and_the_others_kept() {
    for bad in [
        "x",
        "1",
        "1 0 7 / /a rw - xfs x rw",
        "1 0 7:x / /a rw - xfs x rw",
        "-1 0 7:0 / /a rw - xfs x rw",
        "1 y 7:0 / /a rw - xfs x rw",
        "1 0 7:0 / /a rw xfs x rw",
        "1 0 7:0 / /a rw -",
        "1 0 7:0 / /a rw - xfs",
        "1 0 7:0 / /a rw - xfs x",
        "1 0 7:0 /  rw - xfs x rw",
        "1 0 7:0  /a rw - xfs x rw",
        "1 0 7:0 / /a rw -  x rw",
        "99999999999999999999999 0 7:0 / /a rw - xfs x rw",
    ] {
        let table = MountTable::parse(format!("{bad}\n9 0 7:9 / /good rw - xfs x rw\n").as_bytes());
        assert_eq!(table.malformed, 1, "{bad}");
        assert_eq!(
            table.mounts.iter().map(|m| m.id).collect::<Vec<_>>(),
            [9],
            "{bad}"
        );
    }
    assert_eq!(MountTable::parse(b""), MountTable::default());
    assert_eq!(MountTable::parse(b"\n\n"), MountTable::default());
}

/// As the kernel's `seq_path` writes a path.
fn escape(path: &[u8]) -> Vec<u8> {
    path.iter()
        .flat_map(|&byte| match byte {
            b' ' | b'\t' | b'\n' | b'\\' | b'#' => format!("\\{byte:03o}").into_bytes(),
            _ => vec![byte],
        })
        .collect()
}

proptest! {
    #[test]
    fn any_bytes_give_a_table(text in proptest::collection::vec(any::<u8>(), 0..400)) {
        let table = MountTable::parse(&text);
        let lines = text.split(|&b| b == b'\n').filter(|l| !l.is_empty()).count();
        prop_assert!(table.mounts.len() + table.malformed <= lines);
    }

    #[test]
    fn any_line_of_such_pieces_gives_a_table(pieces in proptest::collection::vec(
        prop_oneof!["[0-9]{1,3}", "[0-9]:[0-9]", "/[a-z\\\\0-7]{0,6}", Just("-".to_owned()), Just(String::new())], 0..14)) {
        let table = MountTable::parse(pieces.join(" ").as_bytes());
        prop_assert!(table.mounts.len() + table.malformed <= 1);
    }

    #[test]
    fn any_path_comes_back(tail in proptest::collection::vec(any::<u8>().prop_filter("no NUL", |b| *b != 0), 0..40)) {
        let path = [b"/".as_slice(), &tail].concat();
        prop_assume!(!path.ends_with(b"//deleted"));
        let line = [b"1 0 7:0 / ".as_slice(), &escape(&path), b" rw - xfs x rw"].concat();
        let table = MountTable::parse(&line);
        prop_assert_eq!(table.malformed, 0);
        prop_assert_eq!(table.mounts[0].point.as_os_str(), OsStr::from_bytes(&path));
    }
}
