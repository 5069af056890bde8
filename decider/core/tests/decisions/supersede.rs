//! A request that waits for a database to be Ready, while storage is why it is not.

use decider_core::{Decision, OpenRequest};
use units::{Bytes, Reason};

use crate::{
    order,
    scene::{self, GIB, Scene, first_seen, full, seconds_ago},
};

/// What holds, and what makes it do so.
type Spoil = (Reason, fn(&mut Scene));

/// One volume so many percent used; a request of this age waits.
fn waiting(percent: u64, age: i64) -> Scene {
    let mut scene = full();
    first_seen(&mut scene).sample = scene::sample(GIB, (GIB * percent).div_ceil(100));
    scene.db.open_request = Some(OpenRequest {
        name: "pgops-pg-abcdef".into(),
        waits_since: Some(seconds_ago(age)),
    });
    scene
}

#[test]
fn a_waiting_request_is_superseded_once_a_volume_is_full() {
    for (percent, age, wanted) in [
        (85, 60, Reason::RequestOpen),
        (94, 60, Reason::RequestOpen),
        (95, 60, Reason::IfReadySuperseded),
        (100, 60, Reason::IfReadySuperseded),
        (100, 2, Reason::IfReadySuperseded),
        // Of two requests of one second the executor could keep the older.
        (100, 1, Reason::RequestOpen),
        (100, 0, Reason::RequestOpen),
        // The API server's clock is ahead.
        (100, -5, Reason::RequestOpen),
    ] {
        assert_eq!(
            waiting(percent, age).reason(),
            wanted,
            "{percent} % after {age} s"
        );
    }
}

#[test]
fn it_says_what_it_takes_the_place_of_and_why() {
    let Decision::Expand {
        to,
        base,
        supersedes,
        record,
        ..
    } = waiting(97, 60).decide()
    else {
        panic!("held");
    };
    assert_eq!(supersedes.as_deref(), Some("pgops-pg-abcdef"));
    assert_eq!((base, to), (Bytes::new(GIB), Bytes::new(GIB * 3 / 2)));
    assert!(
        record.text.contains("pgops-pg-abcdef") && record.text.contains("97% used"),
        "{}",
        record.text
    );
    let held = waiting(85, 60);
    assert!(held.text().contains("to be Ready"), "{}", held.text());
}

#[test]
fn any_member_that_is_full_is_enough_and_a_stale_or_read_only_one_is_not() {
    let mut scene = waiting(50, 60);
    scene.db.volumes.push(scene::volume(1, GIB, GIB * 97 / 100));
    assert_eq!(scene.reason(), Reason::IfReadySuperseded);
    scene.db.volumes.swap(0, 1);
    first_seen(&mut scene).as_of = seconds_ago(11);
    assert_eq!(scene.reason(), Reason::RequestOpen);
    first_seen(&mut scene).as_of = seconds_ago(1);
    first_seen(&mut scene).sample.read_only = true;
    assert_eq!(scene.reason(), Reason::RequestOpen);
}

#[test]
fn below_a_threshold_above_ninety_five_nothing_is_superseded() {
    let mut scene = waiting(97, 60);
    scene.spec.usage_threshold = Some(98);
    assert_eq!(scene.reason(), Reason::RequestOpen);
}

/// What stands in the way of any growth stands in the way of this one.
#[test]
fn the_rules_behind_it_are_asked() {
    let spoils: [Spoil; 4] = [
        (Reason::RequestFailed, order::request_failed),
        (Reason::ResizeInFlight, order::resize_in_flight),
        (Reason::AtUpperBound, order::at_upper_bound),
        (Reason::Shadow, order::shadow),
    ];
    for (wanted, spoil) in spoils {
        let mut scene = waiting(97, 60);
        spoil(&mut scene);
        assert_eq!(scene.reason(), wanted);
    }
}

#[test]
fn a_request_that_does_not_wait_for_ready_is_left_alone() {
    let mut scene = waiting(100, 60);
    order::request_open(&mut scene);
    assert_eq!(scene.reason(), Reason::RequestOpen);
}
