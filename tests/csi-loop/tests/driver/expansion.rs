//! Growth: the controller's half, the node's half, and what must not happen.

use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use csi_loop::proto::csi::v1::CapacityRange;
use tonic::Code;

use crate::{
    calls::{at_least, refused},
    rig::{MIB, Rig, filesystem_size, fill},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_full_volume_grows_while_it_is_written() {
    let rig = Rig::start();
    let mut calls = rig.calls();
    let target = calls.mount("pvc-1", 300).await;
    let first = fill(&target.join("data"));
    let small = filesystem_size(&target);

    let (code, why) = refused(calls.node_expand("pvc-1", 600).await);
    assert_eq!(code, Code::Internal, "before the controller: {why}");
    assert_eq!(
        calls.controller_expand("pvc-1", at_least(600)).await.unwrap(),
        600 * MIB
    );
    assert_eq!(filesystem_size(&target), small, "only the device has grown");

    let stop = AtomicBool::new(false);
    let reader = || {
        let mut rounds = 0_u32;
        while !stop.load(Ordering::Relaxed) {
            fs::write(target.join("small"), b"x").ok();
            assert_eq!(fs::metadata(target.join("data")).unwrap().len(), first);
            rounds += 1;
        }
        rounds
    };
    thread::scope(|scope| {
        let busy = scope.spawn(reader);
        let grown = tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(calls.node_expand("pvc-1", 600))
        });
        stop.store(true, Ordering::Relaxed);
        assert_eq!(grown.unwrap(), 600 * MIB);
        assert!(busy.join().unwrap() > 0);
    });
    assert!(filesystem_size(&target) > small + 250 * MIB);
    assert_eq!(filesystem_size(&calls.staged("pvc-1")), filesystem_size(&target));
    let second = fill(&target.join("data"));
    assert!(
        second > 250 * MIB && first + second < 600 * MIB,
        "{first} and {second} bytes"
    );
    calls.unmount("pvc-1").await;
    rig.assert_nothing_left();
}

#[tokio::test]
async fn growth_may_be_repeated_and_never_shrinks() {
    let rig = Rig::start();
    let mut calls = rig.calls();
    let target = calls.mount("pvc-1", 300).await;
    for _ in 0..2 {
        assert_eq!(
            calls.controller_expand("pvc-1", at_least(400)).await.unwrap(),
            400 * MIB
        );
    }
    for _ in 0..2 {
        assert_eq!(calls.node_expand("pvc-1", 400).await.unwrap(), 400 * MIB);
    }
    let size = filesystem_size(&target);

    // A caller that lost the answer and then wants less gets what there is; one that takes less only is refused.
    assert_eq!(
        calls.controller_expand("pvc-1", at_least(350)).await.unwrap(),
        400 * MIB
    );
    let less = CapacityRange {
        required_bytes: 350 * MIB as i64,
        limit_bytes: 350 * MIB as i64,
    };
    let (code, why) = refused(calls.controller_expand("pvc-1", less).await);
    assert_eq!(code, Code::OutOfRange);
    assert!(why.contains("never shrinks"), "{why}");
    assert_eq!(calls.node_expand("pvc-1", 350).await.unwrap(), 400 * MIB);
    assert_eq!(fs::metadata(rig.image("pvc-1")).unwrap().len(), 400 * MIB);
    assert_eq!(filesystem_size(&target), size);

    assert_eq!(
        refused(calls.controller_expand("pvc-1", at_least(2049)).await).0,
        Code::OutOfRange
    );
    assert_eq!(
        refused(calls.controller_expand("pvc-9", at_least(400)).await).0,
        Code::NotFound
    );
    assert_eq!(
        refused(calls.controller_expand("pvc-1", CapacityRange::default()).await).0,
        Code::InvalidArgument
    );
    calls.unmount("pvc-1").await;
    assert_eq!(refused(calls.node_expand("pvc-1", 400).await).0, Code::NotFound);
}

#[tokio::test]
async fn an_unmounted_volume_grows_when_it_is_mounted_next() {
    let rig = Rig::start();
    let mut calls = rig.calls();
    let target = calls.mount("pvc-1", 300).await;
    fs::write(target.join("kept"), "data").unwrap();
    let small = filesystem_size(&target);
    calls.unpublish("pvc-1", &target).await.unwrap();
    calls.unstage("pvc-1").await.unwrap();

    assert_eq!(
        calls.controller_expand("pvc-1", at_least(500)).await.unwrap(),
        500 * MIB
    );
    assert_eq!(
        refused(calls.node_expand("pvc-1", 500).await).0,
        Code::NotFound,
        "mounted nowhere"
    );
    calls.stage("pvc-1").await.unwrap();
    // As kubelet: between stage and publish.
    assert_eq!(calls.node_expand("pvc-1", 500).await.unwrap(), 500 * MIB);
    calls.publish("pvc-1", &target, false).await.unwrap();
    assert!(filesystem_size(&target) > small + 150 * MIB);
    assert_eq!(fs::read(target.join("kept")).unwrap(), b"data");
    calls.unmount("pvc-1").await;
    rig.assert_nothing_left();
}
