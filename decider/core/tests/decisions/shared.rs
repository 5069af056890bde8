//! Two volumes seen on one device: who made the class knows better than what is seen, whichever way.

use units::Reason;

use crate::scene::{Scene, first_seen, full};

fn on_one_device(says: Option<bool>) -> Scene {
    let mut scene = full();
    first_seen(&mut scene).shared = true;
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
        "another PersistentVolume",
        "sharedFilesystem: false",
        "StorageProfile",
        "\"standard\"",
    ] {
        assert!(text.contains(word), "{word}: {text}");
    }
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
