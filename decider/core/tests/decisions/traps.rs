//! Traps that other storage autoscalers fell into, each with a test of its name. Those that are not the decision's, or not
//! only, are tested where they belong: 2, one bad node (decider `tests/ingest/nodes.rs`); 8, state kept in annotations
//! (decider `controller/beside.rs`, timelines `restart_*`); 10, what steps cost in a day (`steps`); 13, statfs on a dead
//! NFS (agent `sweeper/schedule`); 14, one device at several paths (agent `volumes`, decider `store`); 16, what a driver's
//! refusal means (executor `driver_words`).

use decider_core::{Decision, Resize, Usage, base};
use units::{Bytes, Reason};

use crate::{
    order,
    scene::{self, GIB, Scene, first_seen, full},
};

#[test]
fn trap_01_missing_data_is_unknown_and_not_fine() {
    let mut scene = full();
    scene.db.volumes[0].usage = Usage::Never;
    assert_eq!(scene.reason(), Reason::NotMeasured);
    assert_eq!(
        scene.decide().record().volumes[0].usage,
        None,
        "neither 0 % nor 100 %"
    );
}

/// Never measured, refused, not answering for an hour or for a moment: whatever is wrong on a node, wherever the member
/// comes in the row, its neighbours are decided for.
#[test]
fn trap_02_one_bad_member_does_not_stop_the_others() {
    let silent = |seconds| {
        let mut seen = scene::seen(scene::sample(GIB, GIB / 2));
        seen.as_of = scene::seconds_ago(seconds);
        Usage::Seen(seen)
    };
    let refused = Usage::Refused {
        reason: Reason::ClockSkew,
        text: "the clock of node-2 is 3600 s off".into(),
    };
    for bad in [Usage::Never, refused, silent(3_600), silent(11)] {
        for place in [0, 1] {
            let mut scene = full();
            let mut volume = scene::volume(1, GIB, GIB / 2);
            volume.usage = bad.clone();
            scene.db.volumes.insert(place, volume);
            assert_eq!(scene.reason(), Reason::ThresholdExceeded, "{bad:?} at {place}");
        }
    }
}

#[test]
fn trap_03_a_capacity_above_the_request_is_where_growth_starts() {
    let mut scene = full();
    let volume = &mut scene.db.volumes[0];
    volume.claim.capacity = Bytes::new(10 * GIB);
    first_seen(&mut scene).sample = scene::sample(10 * GIB, 9 * GIB);
    assert!(scene.to() > Bytes::new(10 * GIB), "the request is still 1 GiB");
}

#[test]
fn trap_04_a_sample_from_before_the_growth_makes_no_second_one() {
    let mut scene = full();
    scene.db.volumes[0].claim.request = Bytes::new(2 * GIB);
    scene.db.volumes[0].claim.capacity = Bytes::new(2 * GIB);
    scene.db.volumes[0].before_growth = Some(Bytes::new(GIB));
    assert_eq!(scene.reason(), Reason::NotFollowed);
}

#[test]
fn trap_05_a_refused_growth_never_raises_the_next_target() {
    let mut scene = full();
    let first = scene.to();
    for resize in [Resize::Infeasible, Resize::Abandoned] {
        scene.db.volumes[0].claim.request = first;
        scene.db.volumes[0].resize = resize;
        assert_eq!(scene.to(), first);
    }
    let mut open = full();
    order::request_open(&mut open);
    assert_eq!(open.reason(), Reason::RequestOpen);
}

#[test]
fn trap_06_claims_of_members_that_are_gone_do_not_hold_anything_up() {
    let mut scene = full();
    let mut gone = scene::volume(1, GIB / 2, 0);
    (gone.usage, gone.claim.mounted) = (Usage::Never, false);
    scene.db.volumes.push(gone);
    assert_eq!(scene.reason(), Reason::ThresholdExceeded);
}

/// Three members whose claims have all grown, and are 85 % full even so.
fn grown() -> Scene {
    let mut scene = full();
    scene.db.volumes = (0..3)
        .map(|ordinal| {
            let mut volume = scene::volume(ordinal, 2 * GIB, 2 * GIB * 85 / 100);
            volume.before_growth = Some(Bytes::new(GIB));
            volume
        })
        .collect();
    scene
}

#[test]
fn trap_07_success_is_what_statfs_shows_on_every_replica() {
    assert_eq!(grown().reason(), Reason::ThresholdExceeded, "all have followed");
    for behind in 0..3 {
        let mut scene = grown();
        scene.db.volumes[behind].usage = Usage::Seen(scene::seen(scene::sample(GIB, GIB * 85 / 100)));
        assert_eq!(
            scene.reason(),
            Reason::NotFollowed,
            "the claims say so, two of three filesystems do"
        );
        assert!(
            scene.text().starts_with(&format!(
                "claim data-pg-{behind} has 2Gi, its filesystem still 1Gi"
            )),
            "{}",
            scene.text()
        );
    }
}

#[test]
fn trap_09_a_full_disk_does_not_wait_for_health() {
    let mut scene = full();
    first_seen(&mut scene).sample = scene::sample(GIB, GIB * 97 / 100);
    order::request_open(&mut scene);
    if let Some(open) = &mut scene.db.open_request {
        open.waits_since = Some(scene::seconds_ago(10));
    }
    let superseded = match scene.decide() {
        Decision::Expand { supersedes, .. } => supersedes,
        Decision::Hold { .. } => None,
    };
    assert_eq!(superseded.as_deref(), Some("pgops-pg-abcdef"));
}

#[test]
fn trap_11_a_reserve_of_the_filesystem_counts_as_taken() {
    let mut scene = full();
    let usage = &mut first_seen(&mut scene).sample.usage;
    (usage.used, usage.available) = (Bytes::new(GIB * 77 / 100), Bytes::new(GIB * 18 / 100));
    assert_eq!(scene.reason(), Reason::ThresholdExceeded);
}

#[test]
fn trap_12_two_controllers_on_one_volume_are_refused() {
    let mut scene = full();
    scene.db.volumes[0].claim.other_controller = Some("annotation resize.topolvm.io/increase".into());
    assert_eq!(scene.reason(), Reason::OtherController);
}

/// A claim whose node step is called failing for ever, though the device has grown.
fn failing_node_step() -> Scene {
    let mut scene = full();
    let volume = &mut scene.db.volumes[0];
    volume.claim.request = Bytes::new(2 * GIB);
    volume.claim.device = Bytes::new(2 * GIB);
    volume.resize = Resize::InFlight {
        what: "NodeResizePending".into(),
    };
    scene
}

#[test]
fn trap_15_a_failing_node_step_is_judged_by_the_filesystem() {
    let mut scene = failing_node_step();
    assert_eq!(
        scene.reason(),
        Reason::ResizeInFlight,
        "the filesystem has not grown, and a second request would not help"
    );
    first_seen(&mut scene).sample = scene::sample(GIB * 3 / 2, GIB);
    assert_eq!(
        scene.reason(),
        Reason::ResizeInFlight,
        "it grows bit by bit, or has only followed an earlier step"
    );
    first_seen(&mut scene).sample = scene::sample(2 * GIB, GIB);
    assert_eq!(
        scene.reason(),
        Reason::BelowThreshold,
        "it has grown, whatever the condition says"
    );
    first_seen(&mut scene).sample = scene::sample(2 * GIB, 2 * GIB * 85 / 100);
    assert_eq!(
        scene.to(),
        Bytes::new(3 * GIB),
        "and the condition does not keep it from growing again"
    );
    scene.db.volumes[0].claim.request = Bytes::new(4 * GIB);
    assert_eq!(
        scene.reason(),
        Reason::ResizeInFlight,
        "more is asked for than the device has"
    );
}

#[test]
fn trap_16_an_infeasible_size_does_not_count_as_had() {
    let mut scene = full();
    scene.db.volumes[0].claim.request = Bytes::new(100 * GIB);
    scene.db.volumes[0].resize = Resize::Infeasible;
    assert_eq!(base(&scene.db), Some(Bytes::new(GIB)));
}
