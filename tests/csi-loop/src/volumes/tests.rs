use super::*;
use crate::sizes::{MIB, MINIMUM};

fn range(required_bytes: u64) -> CapacityRange {
    CapacityRange {
        required_bytes: i64::try_from(required_bytes).unwrap(),
        limit_bytes: 0,
    }
}

fn volumes(state: &Path) -> Volumes {
    Volumes::open(state, 1 << 30).unwrap()
}

#[test]
fn a_name_is_made_once_and_deleted_once() {
    let dir = tempfile::tempdir().unwrap();
    let volumes = volumes(dir.path());
    assert!(matches!(volumes.get("pvc-1"), Err(Error::NoVolume { .. })));
    assert_eq!(
        volumes.create("pvc-1", Some(&range(1)), BTreeMap::new()).unwrap(),
        MINIMUM
    );
    assert_eq!(
        volumes.create("pvc-1", Some(&range(1)), BTreeMap::new()).unwrap(),
        MINIMUM
    );
    let larger = volumes.create("pvc-1", Some(&range(MINIMUM + 1)), BTreeMap::new());
    assert!(matches!(larger, Err(Error::OtherSize { present: MINIMUM, .. })));
    volumes.delete("pvc-1").unwrap();
    volumes.delete("pvc-1").unwrap();
    assert!(matches!(volumes.get("pvc-1"), Err(Error::NoVolume { .. })));
}

#[test]
fn parameters_outlive_the_driver() {
    let dir = tempfile::tempdir().unwrap();
    let parameters = BTreeMap::from([("tier".to_owned(), "slow".to_owned())]);
    volumes(dir.path())
        .create("pvc-1", None, parameters.clone())
        .unwrap();
    let subject = volumes(dir.path()).get("pvc-1").unwrap().subject().unwrap();
    assert_eq!(
        subject,
        Subject {
            volume: "pvc-1".to_owned(),
            parameters
        }
    );
}

#[test]
fn images_only_get_larger() {
    let dir = tempfile::tempdir().unwrap();
    let volumes = volumes(dir.path());
    volumes.create("pvc-1", None, BTreeMap::new()).unwrap();
    let volume = volumes.get("pvc-1").unwrap();
    volume.enlarge(MINIMUM + MIB).unwrap();
    assert!(matches!(
        volume.enlarge(MINIMUM),
        Err(Error::Size(SizeError::Shrink { .. }))
    ));
    assert_eq!(volume.size().unwrap(), MINIMUM + MIB);
}

#[test]
fn leftovers_of_a_killed_driver_are_no_volumes() {
    let dir = tempfile::tempdir().unwrap();
    let _ = volumes(dir.path());
    for leftover in [".new-pvc-1", ".deleted-pvc-2"] {
        let path = dir.path().join("volumes").join(leftover);
        fs::create_dir(&path).unwrap();
        fs::write(path.join("disk.img"), "half").unwrap();
    }
    let volumes = volumes(dir.path());
    assert_eq!(fs::read_dir(dir.path().join("volumes")).unwrap().count(), 0);
    assert_eq!(volumes.create("pvc-1", None, BTreeMap::new()).unwrap(), MINIMUM);
}

#[test]
fn names_that_are_no_file_names_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let volumes = volumes(dir.path());
    for name in [
        "",
        ".",
        "..",
        "../x",
        "a/b",
        ".hidden",
        "a b",
        "ä",
        &"x".repeat(129),
    ] {
        assert!(
            matches!(
                volumes.create(name, None, BTreeMap::new()),
                Err(Error::BadName { .. })
            ),
            "{name:?}"
        );
        assert!(
            matches!(volumes.get(name), Err(Error::NoVolume { .. })),
            "{name:?}"
        );
        volumes.delete(name).unwrap();
    }
}
