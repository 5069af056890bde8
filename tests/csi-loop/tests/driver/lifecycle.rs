//! Create, stage, publish, fill, measure, and back, each step repeated.

use std::{fs, io::ErrorKind, time::Duration};

use csi_loop::proto::{
    csi::v1::{
        CapacityRange, CreateVolumeRequest, GetPluginCapabilitiesRequest, GetPluginInfoRequest,
        ValidateVolumeCapabilitiesRequest, identity_client::IdentityClient, volume_usage::Unit,
    },
    pluginregistration::{InfoRequest, RegistrationStatus, registration_client::RegistrationClient},
};
use tonic::{Code, transport::Endpoint};

use crate::{
    calls::{capability, refused},
    rig::{MIB, Rig, filesystem_size, fill},
};

#[tokio::test]
async fn a_volume_lives_and_leaves_nothing() {
    let rig = Rig::start();
    let mut calls = rig.calls();
    let (staged, target) = (calls.staged("pvc-1"), calls.published("pvc-1"));

    for _ in 0..2 {
        assert_eq!(calls.create("pvc-1", 310).await.unwrap(), 310 * MIB);
    }
    assert_eq!(
        refused(calls.publish("pvc-1", &target, false).await).0,
        Code::FailedPrecondition
    );
    for _ in 0..2 {
        calls.stage("pvc-1").await.unwrap();
    }
    for _ in 0..2 {
        calls.publish("pvc-1", &target, false).await.unwrap();
    }
    assert_eq!(
        rig.left().len(),
        3,
        "one loop device, two mounts: {:?}",
        rig.left()
    );

    fs::write(target.join("kept"), "data").unwrap();
    let written = fill(&target.join("big"));
    assert!(
        (200 * MIB..310 * MIB).contains(&written),
        "{written} bytes fit in 310 MiB"
    );
    assert_eq!(fs::read(staged.join("kept")).unwrap(), b"data");

    for _ in 0..2 {
        calls.unpublish("pvc-1", &target).await.unwrap();
        assert!(!target.exists());
    }
    assert_eq!(refused(calls.delete("pvc-1").await).0, Code::FailedPrecondition);
    for _ in 0..2 {
        calls.unstage("pvc-1").await.unwrap();
    }
    rig.assert_nothing_left();

    calls.stage("pvc-1").await.unwrap();
    assert_eq!(
        fs::read(staged.join("kept")).unwrap(),
        b"data",
        "formatted only once"
    );
    calls.unstage("pvc-1").await.unwrap();
    for _ in 0..2 {
        calls.delete("pvc-1").await.unwrap();
    }
    assert!(!rig.image("pvc-1").exists());
    rig.assert_nothing_left();
}

#[tokio::test]
async fn stats_are_those_of_the_filesystem() {
    let rig = Rig::start();
    let mut calls = rig.calls();
    let target = calls.mount("pvc-1", 300).await;
    fs::write(target.join("some"), vec![1; 50 * MIB as usize]).unwrap();
    nix::unistd::sync();

    let usage = calls.stats("pvc-1", &target).await.unwrap();
    let (bytes, inodes) = (usage[0], usage[1]);
    assert_eq!((bytes.unit(), inodes.unit()), (Unit::Bytes, Unit::Inodes));
    assert_eq!(u64::try_from(bytes.total).unwrap(), filesystem_size(&target));
    assert!(bytes.used >= 50 * MIB as i64, "{bytes:?}");
    assert_eq!(
        bytes.used + bytes.available,
        bytes.total,
        "XFS reserves nothing for root"
    );
    let found = nix::sys::statvfs::statvfs(&target).unwrap();
    assert_eq!(u64::try_from(inodes.total).unwrap(), found.files());
    assert_eq!(inodes.used + inodes.available, inodes.total);
    assert!(inodes.used >= 4, "root, bitmaps and one file: {inodes:?}");

    calls.unpublish("pvc-1", &target).await.unwrap();
    assert_eq!(refused(calls.stats("pvc-1", &target).await).0, Code::NotFound);
    assert_eq!(refused(calls.stats("pvc-2", &target).await).0, Code::NotFound);
    calls.unmount("pvc-1").await;
    rig.assert_nothing_left();
}

#[tokio::test]
async fn a_read_only_publication_is_read_only_and_no_other() {
    let rig = Rig::start();
    let mut calls = rig.calls();
    let writable = calls.mount("pvc-1", 300).await;
    let readonly = writable.with_file_name("readonly");
    for _ in 0..2 {
        calls.publish("pvc-1", &readonly, true).await.unwrap();
    }
    fs::write(writable.join("file"), "data").unwrap();
    let error = fs::write(readonly.join("other"), "data").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReadOnlyFilesystem);
    assert_eq!(fs::read(readonly.join("file")).unwrap(), b"data");
    assert_eq!(
        refused(calls.publish("pvc-1", &readonly, false).await).0,
        Code::AlreadyExists
    );
    calls.unpublish("pvc-1", &readonly).await.unwrap();
    calls.unmount("pvc-1").await;
    rig.assert_nothing_left();
}

#[tokio::test]
async fn what_is_not_ours_is_never_touched() {
    let rig = Rig::start();
    let mut calls = rig.calls();
    let target = calls.mount("pvc-1", 300).await;
    calls.create("pvc-2", 300).await.unwrap();
    calls.stage("pvc-2").await.unwrap();
    // The first volume's path under the second volume's name.
    assert_eq!(
        refused(calls.publish("pvc-2", &target, false).await).0,
        Code::AlreadyExists
    );
    assert_eq!(
        refused(calls.unpublish("pvc-2", &target).await).0,
        Code::AlreadyExists
    );
    assert_eq!(refused(calls.stats("pvc-2", &target).await).0, Code::NotFound);
    fs::write(target.join("still"), "mounted").unwrap();
    // A pod's directory that holds files is not removed with them.
    let other = calls.published("pvc-2");
    fs::create_dir_all(&other).unwrap();
    fs::write(other.join("file"), "data").unwrap();
    assert_eq!(refused(calls.unpublish("pvc-2", &other).await).0, Code::Internal);
    assert!(other.join("file").exists());
    fs::remove_file(other.join("file")).unwrap();
    for id in ["pvc-1", "pvc-2"] {
        calls.unmount(id).await;
    }
    rig.assert_nothing_left();
}

#[tokio::test]
async fn requests_that_cannot_be_met_are_refused_as_specified() {
    let rig = Rig::start();
    let mut calls = rig.calls();
    assert_eq!(
        calls.create("pvc-1", 1).await.unwrap(),
        300 * MIB,
        "the smallest XFS"
    );
    assert_eq!(refused(calls.create("pvc-1", 301).await).0, Code::AlreadyExists);
    assert_eq!(refused(calls.create("pvc-2", 2049).await).0, Code::OutOfRange);
    assert_eq!(refused(calls.create("../x", 300).await).0, Code::InvalidArgument);
    let small = CapacityRange {
        required_bytes: 1,
        limit_bytes: MIB as i64,
    };
    let request = |capacity_range, volume_capabilities| CreateVolumeRequest {
        name: "pvc-2".to_owned(),
        capacity_range,
        volume_capabilities,
        parameters: Default::default(),
    };
    let limited = calls
        .controller
        .create_volume(request(Some(small), vec![capability()]))
        .await;
    assert_eq!(refused(limited).0, Code::OutOfRange);
    assert_eq!(
        refused(calls.controller.create_volume(request(None, vec![])).await).0,
        Code::InvalidArgument
    );
    let mut ext4 = capability();
    if let Some(csi_loop::proto::csi::v1::volume_capability::AccessType::Mount(mount)) = &mut ext4.access_type
    {
        mount.fs_type = "ext4".to_owned();
    }
    let (code, why) = refused(
        calls
            .controller
            .create_volume(request(None, vec![ext4.clone()]))
            .await,
    );
    assert_eq!(code, Code::InvalidArgument);
    assert!(why.contains("only xfs"), "{why}");
    let validate = |capability, id: &str| ValidateVolumeCapabilitiesRequest {
        volume_id: id.to_owned(),
        volume_capabilities: vec![capability],
        ..Default::default()
    };
    let answer = calls
        .controller
        .validate_volume_capabilities(validate(capability(), "pvc-1"))
        .await
        .unwrap();
    assert!(answer.into_inner().confirmed.is_some());
    let answer = calls
        .controller
        .validate_volume_capabilities(validate(ext4, "pvc-1"))
        .await
        .unwrap();
    assert_eq!(answer.into_inner().confirmed, None);
    let unknown = calls
        .controller
        .validate_volume_capabilities(validate(capability(), "pvc-9"))
        .await;
    assert_eq!(refused(unknown).0, Code::NotFound);
    assert_eq!(refused(calls.stage("pvc-9").await).0, Code::NotFound);
    assert_eq!(refused(calls.stage("").await).0, Code::InvalidArgument);
    assert!(!rig.image("pvc-2").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn sidecars_and_kubelet_learn_who_we_are() {
    let mut rig = Rig::start();
    let channel = |path: std::path::PathBuf| {
        Endpoint::from_shared(format!("unix:{}", path.display()))
            .unwrap()
            .connect_lazy()
    };
    let mut identity = IdentityClient::new(channel(rig.endpoint()));
    let info = identity
        .get_plugin_info(GetPluginInfoRequest {})
        .await
        .unwrap()
        .into_inner();
    assert_eq!(info.name, "loop.csi.highwater.dev");
    let answer = identity
        .get_plugin_capabilities(GetPluginCapabilitiesRequest {})
        .await
        .unwrap();
    assert_eq!(answer.into_inner().capabilities.len(), 2);
    let mut kubelet = RegistrationClient::new(channel(rig.registration()));
    let info = kubelet.get_info(InfoRequest {}).await.unwrap().into_inner();
    assert_eq!(
        (info.r#type.as_str(), info.name.as_str()),
        ("CSIPlugin", "loop.csi.highwater.dev")
    );
    assert_eq!(info.endpoint, rig.endpoint().to_str().unwrap());
    assert_eq!(info.supported_versions, ["1.0.0"]);
    let status = RegistrationStatus {
        plugin_registered: true,
        error: String::new(),
    };
    kubelet.notify_registration_status(status).await.unwrap();
    drop((identity, kubelet));
    let took = tokio::task::block_in_place(|| rig.terminate());
    assert!(took < Duration::from_secs(3), "{took:?}");
    assert!(!rig.endpoint().exists() && !rig.registration().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn by_another_name_it_is_a_driver_of_its_own() {
    let mut rig = Rig::start();
    rig.named("mute.csi.highwater.dev");
    let channel = |path: std::path::PathBuf| {
        let endpoint = Endpoint::from_shared(format!("unix:{}", path.display()));
        endpoint.unwrap().connect_lazy()
    };
    let mut identity = IdentityClient::new(channel(rig.endpoint()));
    let told_sidecars = identity.get_plugin_info(GetPluginInfoRequest {}).await.unwrap();
    assert_eq!(told_sidecars.into_inner().name, "mute.csi.highwater.dev");
    let mut kubelet = RegistrationClient::new(channel(rig.registration()));
    let told_kubelet = kubelet.get_info(InfoRequest {}).await.unwrap();
    assert_eq!(told_kubelet.into_inner().name, "mute.csi.highwater.dev");
}
