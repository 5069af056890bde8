//! Faults on demand, over the wire: each reaches its volume and no other, and ends.

use std::time::{Duration, Instant};

use csi_loop::faults::{Code as Named, Fault, Operation};
use tonic::{Code, Request};

use crate::{
    calls::{at_least, refused},
    rig::{MIB, Rig, filesystem_size, within},
};

const CONTROLLER: Option<Operation> = Some(Operation::ControllerExpand);
const NODE: Option<Operation> = Some(Operation::NodeExpand);

fn refuse(code: Named) -> Fault {
    Fault::Refuse {
        code,
        message: "no room in the zone".to_owned(),
    }
}

#[tokio::test]
async fn a_refusal_reaches_its_volume_and_operation_only() {
    let rig = Rig::start();
    let mut calls = rig.calls();
    for id in ["pvc-1", "pvc-2"] {
        calls.mount(id, 300).await;
    }
    {
        let _rule = rig.inject("pvc-1", CONTROLLER, refuse(Named::ResourceExhausted));
        let (code, why) = refused(calls.controller_expand("pvc-1", at_least(400)).await);
        assert_eq!(
            (code, why.as_str()),
            (Code::ResourceExhausted, "no room in the zone")
        );
        assert_eq!(std::fs::metadata(rig.image("pvc-1")).unwrap().len(), 300 * MIB);
        assert_eq!(calls.node_expand("pvc-1", 300).await.unwrap(), 300 * MIB);
        assert_eq!(
            calls.controller_expand("pvc-2", at_least(400)).await.unwrap(),
            400 * MIB
        );
    }
    assert_eq!(
        calls.controller_expand("pvc-1", at_least(400)).await.unwrap(),
        400 * MIB
    );
    {
        let _rule = rig.inject("pvc-1", NODE, refuse(Named::FailedPrecondition));
        assert_eq!(
            refused(calls.node_expand("pvc-1", 400).await).0,
            Code::FailedPrecondition
        );
        assert!(filesystem_size(&calls.published("pvc-1")) < 300 * MIB);
        assert_eq!(calls.node_expand("pvc-2", 400).await.unwrap(), 400 * MIB);
    }
    assert_eq!(calls.node_expand("pvc-1", 400).await.unwrap(), 400 * MIB);
    for id in ["pvc-1", "pvc-2"] {
        calls.unmount(id).await;
    }
    rig.assert_nothing_left();
}

#[tokio::test]
async fn a_delay_delays() {
    let rig = Rig::start();
    let mut calls = rig.calls();
    calls.create("pvc-1", 300).await.unwrap();
    let _rule = rig.inject("pvc-1", CONTROLLER, Fault::Delay { millis: 400 });
    let start = Instant::now();
    assert_eq!(
        calls.controller_expand("pvc-1", at_least(400)).await.unwrap(),
        400 * MIB
    );
    assert!(start.elapsed() >= Duration::from_millis(400));
}

#[tokio::test]
async fn a_hanging_call_ends_when_its_rule_is_cleared() {
    let rig = Rig::start();
    let (mut calls, mut others) = (rig.calls(), rig.calls());
    for id in ["pvc-1", "pvc-2"] {
        calls.create(id, 300).await.unwrap();
    }
    let rule = rig.inject("pvc-1", CONTROLLER, Fault::Hang);
    let mut hanging = std::pin::pin!(calls.controller_expand("pvc-1", at_least(400)));
    tokio::time::timeout(Duration::from_millis(300), hanging.as_mut())
        .await
        .unwrap_err();
    assert_eq!(
        others.controller_expand("pvc-2", at_least(400)).await.unwrap(),
        400 * MIB
    );
    assert_eq!(std::fs::metadata(rig.image("pvc-1")).unwrap().len(), 300 * MIB);
    drop(rule);
    assert_eq!(hanging.await.unwrap(), 400 * MIB);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_call_ends_when_its_caller_gives_up() {
    let rig = Rig::start();
    let mut calls = rig.calls();
    calls.create("pvc-1", 300).await.unwrap();
    let rule = rig.inject("*", CONTROLLER, Fault::Hang);
    let mut request = Request::new(csi_loop::proto::csi::v1::ControllerExpandVolumeRequest {
        volume_id: "pvc-1".to_owned(),
        capacity_range: Some(at_least(400)),
        volume_capability: None,
    });
    request.set_timeout(Duration::from_millis(200));
    let code = refused(calls.controller.controller_expand_volume(request).await).0;
    assert!(
        matches!(code, Code::DeadlineExceeded | Code::Cancelled),
        "{code:?}"
    );
    let noticed = || rig.log_text().contains("the caller gave up");
    tokio::task::block_in_place(|| assert!(within(Duration::from_secs(5), noticed), "it waits for nobody"));
    drop(rule);
    // Longer than a call that still waits would need to see that its rule is gone.
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(
        std::fs::metadata(rig.image("pvc-1")).unwrap().len(),
        300 * MIB,
        "it went on without its caller"
    );
    assert_eq!(
        calls.controller_expand("pvc-1", at_least(400)).await.unwrap(),
        400 * MIB
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_call_does_not_hold_the_driver_up() {
    let mut rig = Rig::start();
    let mut calls = rig.calls();
    calls.create("pvc-1", 300).await.unwrap();
    let _rule = rig.inject("*", None, Fault::Hang);
    let mut hanging = std::pin::pin!(calls.controller_expand("pvc-1", at_least(400)));
    tokio::time::timeout(Duration::from_millis(200), hanging.as_mut())
        .await
        .unwrap_err();
    let took = tokio::task::block_in_place(|| rig.terminate());
    assert!(took < Duration::from_secs(3), "{took:?}");
    assert_eq!(refused(hanging.await).0, Code::Unavailable);
}

#[tokio::test]
async fn a_rate_limit_holds_over_a_restart_as_a_provider_would() {
    let mut rig = Rig::start();
    let mut calls = rig.calls();
    calls.mount("pvc-1", 300).await;
    let limit = |code, message| Fault::RateLimit {
        modifications: 2,
        window_millis: 3_600_000,
        code,
        message,
    };
    let rule = rig.inject("pvc-1", CONTROLLER, limit(Named::Internal, None));
    for mib in [310, 310, 320] {
        assert_eq!(
            calls.controller_expand("pvc-1", at_least(mib)).await.unwrap(),
            mib * MIB
        );
    }
    let (code, why) = refused(calls.controller_expand("pvc-1", at_least(330)).await);
    assert_eq!(code, Code::Internal);
    assert!(
        why.contains("VolumeModificationRateExceeded") && why.contains("pvc-1"),
        "{why}"
    );
    rig.restart();
    let mut calls = rig.calls();
    assert_eq!(
        refused(calls.controller_expand("pvc-1", at_least(330)).await).0,
        Code::Internal
    );
    assert_eq!(
        calls.controller_expand("pvc-1", at_least(320)).await.unwrap(),
        320 * MIB
    );
    drop(rule);
    let slow = limit(Named::ResourceExhausted, Some("slow down".to_owned()));
    let rule = rig.inject("pvc-1", None, slow);
    let (code, why) = refused(calls.controller_expand("pvc-1", at_least(330)).await);
    assert_eq!((code, why.as_str()), (Code::ResourceExhausted, "slow down"));
    assert_eq!(
        calls.node_expand("pvc-1", 320).await.unwrap(),
        320 * MIB,
        "the node's half is not limited"
    );
    drop(rule);
    assert_eq!(
        calls.controller_expand("pvc-1", at_least(330)).await.unwrap(),
        330 * MIB
    );
    calls.unmount("pvc-1").await;
    rig.assert_nothing_left();
}

#[tokio::test]
async fn offline_only_refuses_while_staged_or_published() {
    let rig = Rig::start();
    let mut calls = rig.calls();
    let target = calls.mount("pvc-1", 300).await;
    let _rule = rig.inject("pvc-1", None, Fault::OfflineOnly);
    let (code, why) = refused(calls.controller_expand("pvc-1", at_least(400)).await);
    assert_eq!(code, Code::FailedPrecondition);
    assert!(why.contains("offline"), "{why}");
    calls.unpublish("pvc-1", &target).await.unwrap();
    let code = refused(calls.controller_expand("pvc-1", at_least(400)).await).0;
    assert_eq!(code, Code::FailedPrecondition, "still staged");
    calls.unstage("pvc-1").await.unwrap();
    assert_eq!(
        calls.controller_expand("pvc-1", at_least(400)).await.unwrap(),
        400 * MIB
    );
    calls.stage("pvc-1").await.unwrap();
    assert_eq!(calls.node_expand("pvc-1", 400).await.unwrap(), 400 * MIB);
    assert_eq!(
        calls.controller_expand("pvc-1", at_least(400)).await.unwrap(),
        400 * MIB,
        "nothing to do"
    );
    calls.unmount("pvc-1").await;
    rig.assert_nothing_left();
}

#[tokio::test]
async fn rules_that_cannot_be_read_fail_the_call() {
    let rig = Rig::start();
    let mut calls = rig.calls();
    calls.create("pvc-1", 300).await.unwrap();
    std::fs::write(rig.state().join("faults.json"), "{").unwrap();
    let (code, why) = refused(calls.controller_expand("pvc-1", at_least(400)).await);
    assert_eq!(code, Code::Internal);
    assert!(why.contains("faults.json"), "{why}");
}
