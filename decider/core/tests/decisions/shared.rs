//! Two volumes seen on one device: who made the class knows better than what is seen, whichever way.

use units::{Bytes, Reason};

use crate::scene::{GIB, Scene, first_seen, full};

const HALF: Bytes = Bytes::new(GIB / 2);

/// Of a disk of a GiB, which is twice what the claim has.
fn on_one_device(says: Option<bool>) -> Scene {
    let mut scene = full();
    first_seen(&mut scene).shared = true;
    let claim = &mut scene.db.volumes[0].claim;
    (claim.request, claim.capacity, claim.device) = (HALF, HALF, HALF);
    scene.profile.shared_filesystem = says;
    scene
}

#[test]
fn what_was_seen_and_the_remedy_are_told() {
    let scene = on_one_device(None);
    assert_eq!(scene.reason(), Reason::SharedFilesystem);
    assert_eq!(
        scene.barrier(),
        Some(Reason::SharedFilesystem),
        "before it has to grow, too"
    );
    let text = scene.text();
    for word in [
        "data-pg-0",
        "node-1",
        "has 1Gi",
        "other PersistentVolumes",
        "sharedFilesystem: false",
        "StorageProfile",
    ] {
        assert!(text.contains(word), "{word}: {text}");
    }
}

/// As of directories with a project quota of XFS (DirectPV): the filesystem of one has its claim's size, or its volume's, which
/// a driver rounds up.
#[test]
fn with_a_size_of_its_own_it_is_grown() {
    let mut scene = on_one_device(None);
    scene.db.volumes[0].claim.device = Bytes::new(GIB);
    assert_eq!(scene.reason(), Reason::ThresholdExceeded);
    scene.db.volumes[0].claim.device = Bytes::new(GIB - 1);
    assert_eq!(scene.reason(), Reason::SharedFilesystem);
}

#[test]
fn a_profile_that_says_otherwise_is_believed() {
    assert_eq!(on_one_device(Some(false)).reason(), Reason::ThresholdExceeded);
    assert_eq!(on_one_device(Some(true)).reason(), Reason::SharedFilesystem);
    let mut network = on_one_device(Some(false));
    first_seen(&mut network).network = true;
    assert_eq!(
        network.reason(),
        Reason::SharedFilesystem,
        "another machine's is never one volume's"
    );
}

/// Members of different classes: what one class says does not speak for the other.
#[test]
fn of_two_profiles_the_stricter_holds() {
    let both = |a, b| {
        let mut scene = on_one_device(a);
        let other = on_one_device(b).profile;
        scene.profile = scene.profile.stricter(other);
        scene.reason()
    };
    assert_eq!(both(Some(false), Some(false)), Reason::ThresholdExceeded);
    for (a, b) in [
        (Some(false), None),
        (None, Some(false)),
        (Some(false), Some(true)),
    ] {
        assert_eq!(both(a, b), Reason::SharedFilesystem, "{a:?} and {b:?}");
    }
}
