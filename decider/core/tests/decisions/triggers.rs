//! When a volume wants to grow, and what a volume that is not known hides.

use decider_core::Usage;
use units::{Bytes, Reason};

use crate::{
    order::below_threshold,
    scene::{self, GIB, MIB, first_seen, full, seconds_ago},
};

#[test]
fn at_the_threshold_is_not_above_it() {
    let mut scene = full();
    first_seen(&mut scene).sample = scene::sample(1_000_000, 800_000);
    assert_eq!(scene.reason(), Reason::BelowThreshold);
    first_seen(&mut scene).sample = scene::sample(1_000_000, 800_001);
    assert_eq!(scene.reason(), Reason::ThresholdExceeded);
}

#[test]
fn the_larger_of_the_two_percentages_counts() {
    // 76 % of the capacity, but 80.9 % of what is not reserved.
    let mut scene = full();
    let sample = &mut first_seen(&mut scene).sample;
    sample.usage.used = Bytes::new(GIB * 76 / 100);
    sample.usage.available = Bytes::new(GIB * 18 / 100);
    assert_eq!(scene.reason(), Reason::ThresholdExceeded);
}

#[test]
fn inodes_fire_only_where_their_number_is_fixed() {
    let mut scene = full();
    below_threshold(&mut scene);
    let seen = first_seen(&mut scene);
    (
        seen.sample.inodes_total,
        seen.sample.inodes_free,
        seen.fixed_inodes,
    ) = (1_000, 99, true);
    assert_eq!(scene.reason(), Reason::InodesExceeded);
    assert!(scene.to() > Bytes::new(GIB));
    first_seen(&mut scene).fixed_inodes = false;
    assert_eq!(
        scene.reason(),
        Reason::BelowThreshold,
        "xfs makes inodes as it goes"
    );
    let seen = first_seen(&mut scene);
    (
        seen.sample.inodes_total,
        seen.sample.inodes_free,
        seen.fixed_inodes,
    ) = (0, 0, true);
    assert_eq!(scene.reason(), Reason::BelowThreshold, "btrfs counts none");
    let seen = first_seen(&mut scene);
    (seen.sample.inodes_total, seen.sample.inodes_free) = (1_000, 100);
    assert_eq!(scene.reason(), Reason::BelowThreshold, "90 % is not above 90 %");
    scene.spec.inode_threshold = Some("50".into());
    assert_eq!(scene.reason(), Reason::InodesExceeded);
}

#[test]
fn one_fresh_sample_above_the_threshold_is_enough() {
    let mut scene = full();
    scene.db.volumes.push(scene::volume(1, GIB, GIB / 10));
    scene.db.volumes.push(scene::volume(2, GIB, GIB / 10));
    scene.db.volumes[1].usage = Usage::Never;
    assert_eq!(scene.reason(), Reason::ThresholdExceeded);
}

#[test]
fn a_member_that_is_not_known_is_not_below() {
    let mut scene = full();
    below_threshold(&mut scene);
    scene.db.volumes.push(scene::volume(1, GIB, GIB / 10));
    scene.db.volumes[1].usage = Usage::Never;
    assert_eq!(scene.reason(), Reason::NotMeasured);
    assert!(scene.text().contains("data-pg-1"), "{}", scene.text());
}

#[test]
fn a_claim_that_no_pod_mounts_hides_nothing() {
    let mut scene = full();
    below_threshold(&mut scene);
    scene.db.volumes.push(scene::volume(1, GIB, GIB / 10));
    scene.db.volumes[1].usage = Usage::Never;
    scene.db.volumes[1].claim.mounted = false;
    assert_eq!(scene.reason(), Reason::BelowThreshold);
}

#[test]
fn ten_seconds_old_is_fresh() {
    let mut scene = full();
    first_seen(&mut scene).as_of = seconds_ago(10);
    assert_eq!(scene.reason(), Reason::ThresholdExceeded);
}

/// A filesystem smaller than its claim, or than it was, is judged by what it has, and never shrinks the claim.
#[test]
fn a_filesystem_that_shrank_is_judged_by_what_is_left_of_it() {
    let mut scene = full();
    for (capacity, reason) in [
        (GIB, Reason::BelowThreshold),
        (500 * MIB, Reason::BelowThreshold),
        (499 * MIB, Reason::ThresholdExceeded),
    ] {
        first_seen(&mut scene).sample = scene::sample(capacity, 400 * MIB);
        assert_eq!(scene.reason(), reason, "{capacity}");
    }
    assert!(scene.to() > Bytes::new(GIB));
}
