//! Traps that other storage autoscalers fell into, each with a test of its name. Those that are not the decision's are tested where
//! they belong: 8, state kept in annotations (decider `controller/beside.rs`, timelines `restart_*`); 13, statfs on a
//! dead NFS (agent `sweeper/schedule`); 14, one device at several paths (agent `volumes`, decider `store`).

use decider_core::{Decision, Resize, Usage, base};
use units::{Bytes, Reason};

use crate::{
    order,
    rates::filling,
    scene::{self, GIB, first_seen, full},
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

#[test]
fn trap_02_one_bad_member_does_not_stop_the_others() {
    let mut scene = full();
    for (ordinal, age) in [(1, 3_600), (2, 11)] {
        let mut volume = scene::volume(ordinal, GIB, GIB / 2);
        if let Usage::Seen(seen) = &mut volume.usage {
            seen.as_of = scene::seconds_ago(age);
        }
        scene.db.volumes.push(volume);
    }
    assert_eq!(scene.reason(), Reason::ThresholdExceeded);
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

#[test]
fn trap_07_success_is_what_statfs_shows() {
    let mut scene = full();
    scene.db.volumes[0].before_growth = Some(Bytes::new(GIB));
    assert_eq!(
        scene.reason(),
        Reason::NotFollowed,
        "the claim says so, the filesystem does not"
    );
    first_seen(&mut scene).sample = scene::sample(2 * GIB, GIB * 85 / 100);
    assert_eq!(scene.reason(), Reason::BelowThreshold);
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
fn trap_10_small_steps_do_not_burn_the_budget() {
    let mut scene = filling(1_000, 0);
    scene.spec.rules = scene::rules(&[("", "2Gi")]);
    assert!(
        scene.to() >= Bytes::new(249 * GIB),
        "one step, however small the rule's"
    );
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

#[test]
fn trap_15_a_failing_node_step_is_judged_by_the_filesystem() {
    let mut scene = full();
    let volume = &mut scene.db.volumes[0];
    (volume.claim.device, volume.resize) = (
        Bytes::new(2 * GIB),
        Resize::InFlight {
            what: "NodeResizePending".into(),
        },
    );
    assert_eq!(scene.reason(), Reason::ResizeInFlight, "not a second request");
}

#[test]
fn trap_16_an_infeasible_size_does_not_count_as_had() {
    let mut scene = full();
    scene.db.volumes[0].claim.request = Bytes::new(100 * GIB);
    scene.db.volumes[0].resize = Resize::Infeasible;
    assert_eq!(base(&scene.db), Some(Bytes::new(GIB)));
}
