//! Paths as kubelet makes them, and paths that look like them.

use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::{Plugin, Volume, VolumePath, parse, volumes};
use crate::mounts::MountTable;

const ROOT: &str = "/var/lib/kubelet";

fn read(below_root: &str) -> Option<(String, Plugin, String)> {
    let point = Path::new(ROOT).join(below_root);
    parse(Path::new(ROOT), &point)
        .map(|VolumePath { pod_uid, plugin, pv }| (pod_uid.to_owned(), plugin, pv.to_owned()))
}

#[test]
fn volumes_of_claims_are_found() {
    for (path, plugin) in [
        ("pods/u-1/volumes/kubernetes.io~csi/pvc-9/mount", Plugin::Csi),
        ("pods/u-1/volumes/kubernetes.io~local-volume/pvc-9", Plugin::Local),
        ("pods/u-1/volumes/kubernetes.io~nfs/pvc-9", Plugin::Nfs),
        ("pods/u-1/volumes/kubernetes.io~iscsi/pvc-9", Plugin::Iscsi),
        ("pods/u-1/volumes/kubernetes.io~fc/pvc-9", Plugin::Fc),
    ] {
        assert_eq!(
            read(path),
            Some(("u-1".to_owned(), plugin, "pvc-9".to_owned())),
            "{path}"
        );
    }
}

#[test]
fn everything_else_is_passed_over() {
    for path in [
        "",
        "pods",
        "pods/u/volumes",
        "pods/u/volumes/kubernetes.io~csi",
        "pods/u/volumes/kubernetes.io~csi/pv",
        "pods/u/volumes/kubernetes.io~csi/pv/mount/deeper",
        "pods/u/volumes/kubernetes.io~csi/pv/other",
        "pods/u/volumes/kubernetes.io~local-volume/pv/mount",
        "pods/u/volumes/kubernetes.io~secret/token",
        "pods/u/volumes/kubernetes.io~configmap/conf",
        "pods/u/volumes/kubernetes.io~projected/kube-api-access",
        "pods/u/volumes/kubernetes.io~empty-dir/tmp",
        "pods/u/volumes/kubernetes.io~downward-api/info",
        "pods/u/volumes/kubernetes.io~git-repo/r",
        "pods/u/volume-subpaths/pv/container/0",
        "pods/u/volumeDevices/kubernetes.io~csi/pv",
        "pods/u/volumeDevices/kubernetes.io~local-volume/pv",
        "pods/u/containers/c/abc",
        "pods/u/volumes/kubernetes.io~csi/No Name/mount",
        "pods/U_U/volumes/kubernetes.io~csi/pv/mount",
        "plugins/kubernetes.io/csi/driver/abc/globalmount",
        "plugins/kubernetes.io/local-volume/mounts/pv",
        "plugins/kubernetes.io~local-volume/volumeDevices/pv/uid",
        "plugins/kubernetes.io/csi/volumeDevices/pv/dev/uid",
    ] {
        assert_eq!(read(path), None, "{path}");
    }
    for path in [
        "/",
        "/var/lib",
        "/var/lib/kubelet2/pods/u/volumes/kubernetes.io~nfs/pv",
        "/pods/u/volumes/kubernetes.io~nfs/pv",
    ] {
        assert_eq!(parse(Path::new(ROOT), Path::new(path)), None, "{path}");
    }
}

#[test]
fn the_root_may_be_anywhere() {
    for root in ["/", "/data/kubelet", "/var/lib/k0s/kubelet/"] {
        let point = Path::new(root).join("pods/u/volumes/kubernetes.io~fc/pv");
        assert_eq!(
            parse(Path::new(root), &point).map(|p| p.pv.to_owned()),
            Some("pv".to_owned()),
            "{root}"
        );
    }
}

fn table(lines: &[(u64, &str, &str, &str)]) -> Vec<Volume> {
    let text: String = lines
        .iter()
        .map(|(id, device, path, fs)| format!("{id} 1 {device} / {ROOT}/{path} rw shared:1 - {fs} src rw\n"))
        .collect();
    volumes(Path::new(ROOT), &MountTable::parse(text.as_bytes()))
}

#[test]
fn trap_14_one_volume_at_several_paths_counts_once_under_the_first_pod() {
    let found = table(&[
        (50, "7:1", "plugins/kubernetes.io/csi/d/abc/globalmount", "xfs"),
        (61, "7:1", "pods/aaa/volumes/kubernetes.io~csi/pv-1/mount", "xfs"),
        (60, "7:1", "pods/zzz/volumes/kubernetes.io~csi/pv-1/mount", "xfs"),
        (62, "7:1", "pods/zzz/volume-subpaths/pv-1/c/0", "xfs"),
    ]);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].pv.as_str(), found[0].pod_uid.as_str()), ("pv-1", "zzz"));
    assert_eq!(
        found[0].path,
        PathBuf::from("/var/lib/kubelet/pods/zzz/volumes/kubernetes.io~csi/pv-1/mount")
    );
}

#[test]
fn of_several_pods_one_that_may_write_is_measured() {
    let mounted = |options: [&str; 2]| {
        let line = |(id, options): (u64, &str)| {
            let path = format!("{ROOT}/pods/p{id}/volumes/kubernetes.io~csi/pv-1/mount");
            format!("{id} 1 7:1 / {path} {options} shared:1 - xfs src rw\n")
        };
        let text: String = (1..).zip(options).map(line).collect();
        let found = volumes(Path::new(ROOT), &MountTable::parse(text.as_bytes()));
        (found[0].pod_uid.clone(), found[0].read_only)
    };
    assert_eq!(mounted(["ro", "rw"]), ("p2".to_owned(), false));
    assert_eq!(mounted(["rw", "ro"]), ("p1".to_owned(), false));
    assert_eq!(mounted(["ro", "ro"]), ("p1".to_owned(), true));
}

#[test]
fn two_volumes_of_one_filesystem_are_two() {
    let found = table(&[
        (1, "0:50", "pods/a/volumes/kubernetes.io~nfs/pv-b", "nfs4"),
        (2, "0:50", "pods/a/volumes/kubernetes.io~nfs/pv-a", "nfs4"),
    ]);
    assert_eq!(
        found.iter().map(|v| v.pv.as_str()).collect::<Vec<_>>(),
        ["pv-a", "pv-b"]
    );
}

#[test]
fn a_block_device_is_no_volume() {
    assert_eq!(
        table(&[(1, "0:6", "pods/a/volumes/kubernetes.io~csi/pv/mount", "devtmpfs")]),
        []
    );
}

#[test]
fn only_filesystems_that_answer_from_memory_are_trusted() {
    for (fs, may_hang) in [
        ("xfs", false),
        ("ext4", false),
        ("tmpfs", false),
        ("nfs4", true),
        ("fuse.x", true),
        ("fuse", true),
        ("ceph", true),
        ("zfs", true),
        ("new", true),
    ] {
        let found = table(&[(1, "0:6", "pods/a/volumes/kubernetes.io~csi/pv/mount", fs)]);
        assert_eq!(found[0].may_hang(), may_hang, "{fs}");
    }
}

proptest! {
    #[test]
    fn any_path_is_read_or_passed_over(path in "(/|[a-z~.]{0,4}|pods|volumes|kubernetes.io~csi|mount|\\.\\.){0,14}") {
        if let Some(found) = parse(Path::new(ROOT), &Path::new(ROOT).join(&path)) {
            prop_assert!(!found.pv.is_empty() && !found.pod_uid.is_empty());
        }
    }
}
