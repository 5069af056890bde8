//! A driver that was killed goes on where it stopped: what is true is in files and in the kernel.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
    path::PathBuf,
    process::Command,
    time::Duration,
};

use csi_loop::{loops, sweep::sweep};
use tonic::Code;

use crate::{
    calls::{at_least, refused},
    rig::{MIB, Rig, filesystem_size, within},
};

#[tokio::test]
async fn mounts_outlive_the_driver_and_the_next_one_owns_them() {
    let mut rig = Rig::start();
    let target = rig.calls().mount("pvc-1", 300).await;
    rig.kill();
    assert!(rig.endpoint().exists(), "a stale socket");
    fs::write(target.join("meanwhile"), "data").unwrap();
    rig.restart();
    let mut calls = rig.calls();
    assert_eq!(calls.create("pvc-1", 300).await.unwrap(), 300 * MIB);
    calls.stage("pvc-1").await.unwrap();
    calls.publish("pvc-1", &target, false).await.unwrap();
    assert_eq!(rig.left().len(), 3, "{:?}", rig.left());
    assert_eq!(
        calls.controller_expand("pvc-1", at_least(400)).await.unwrap(),
        400 * MIB
    );
    rig.restart();
    let mut calls = rig.calls();
    assert_eq!(calls.node_expand("pvc-1", 400).await.unwrap(), 400 * MIB);
    assert_eq!(fs::read(target.join("meanwhile")).unwrap(), b"data");
    calls.unmount("pvc-1").await;
    rig.assert_nothing_left();
}

#[tokio::test]
async fn a_growth_cut_between_image_and_device_is_finished() {
    let mut rig = Rig::start();
    let target = rig.calls().mount("pvc-1", 300).await;
    rig.kill();
    File::options()
        .write(true)
        .open(rig.image("pvc-1"))
        .unwrap()
        .set_len(400 * MIB)
        .unwrap();
    rig.restart();
    let mut calls = rig.calls();
    assert_eq!(
        calls.controller_expand("pvc-1", at_least(400)).await.unwrap(),
        400 * MIB
    );
    assert_eq!(calls.node_expand("pvc-1", 400).await.unwrap(), 400 * MIB);
    assert!(filesystem_size(&target) > 320 * MIB);
    calls.unmount("pvc-1").await;
}

#[tokio::test]
async fn staging_killed_anywhere_is_finished_by_the_next_driver() {
    let mut rig = Rig::start();
    for millis in [0, 3, 6, 10, 15, 25, 40, 80] {
        let mut calls = rig.calls();
        calls.create("pvc-1", 300).await.unwrap();
        // Not awaited to its end: the driver dies under it.
        let cut = tokio::time::timeout(Duration::from_millis(millis), calls.stage("pvc-1")).await;
        rig.restart();
        let mut calls = rig.calls();
        calls
            .stage("pvc-1")
            .await
            .unwrap_or_else(|status| panic!("cut at {millis} ms {cut:?}: {status}"));
        let file = calls.staged("pvc-1").join("file");
        fs::write(&file, vec![7; 5 * MIB as usize]).unwrap();
        calls.unstage("pvc-1").await.unwrap();
        calls.stage("pvc-1").await.unwrap();
        assert_eq!(fs::metadata(&file).unwrap().len(), 5 * MIB);
        calls.unstage("pvc-1").await.unwrap();
        check_filesystem(&rig);
        calls.delete("pvc-1").await.unwrap();
        assert!(
            within(Duration::from_secs(5), || rig.left().is_empty()),
            "{:?}",
            rig.left()
        );
    }
}

#[tokio::test]
async fn half_a_filesystem_is_made_again_and_a_foreign_one_is_left_alone() {
    let rig = Rig::start();
    let mut calls = rig.calls();
    for id in ["half", "foreign"] {
        calls.create(id, 300).await.unwrap();
    }
    calls.stage("half").await.unwrap();
    calls.unstage("half").await.unwrap();
    // sb_inprogress, as a killed mkfs.xfs leaves it.
    File::options()
        .write(true)
        .open(rig.image("half"))
        .unwrap()
        .write_all_at(&[1], 126)
        .unwrap();
    calls.stage("half").await.unwrap();
    calls.unmount("half").await;

    assert!(
        Command::new("mkswap")
            .arg("--quiet")
            .arg(rig.image("foreign"))
            .status()
            .unwrap()
            .success()
    );
    let before = head(&rig);
    let (code, why) = refused(calls.stage("foreign").await);
    assert_eq!(code, Code::Internal);
    assert!(why.contains("mkfs.xfs"), "{why}");
    assert_eq!(head(&rig), before);
    calls.delete("foreign").await.unwrap();
    rig.assert_nothing_left();
}

#[tokio::test]
async fn a_twin_device_is_put_away() {
    let rig = Rig::start();
    let mut calls = rig.calls();
    calls.create("pvc-1", 300).await.unwrap();
    let image = fs::canonicalize(rig.image("pvc-1")).unwrap();
    for _ in 0..2 {
        loops::attach(&image).unwrap();
    }
    calls.stage("pvc-1").await.unwrap();
    assert!(within(Duration::from_secs(5), || loops::of(&image)
        .unwrap()
        .len()
        == 1));
    calls.unstage("pvc-1").await.unwrap();
    calls.delete("pvc-1").await.unwrap();
    rig.assert_nothing_left();
}

#[tokio::test]
async fn a_second_driver_ends_and_takes_nothing_from_the_first() {
    let rig = Rig::start();
    let half_made = rig.state().join("volumes/.new-pvc-1");
    fs::create_dir(&half_made).unwrap();
    let second = rig.serve().output().unwrap();
    let why = String::from_utf8_lossy(&second.stderr);
    assert!(
        !second.status.success() && why.contains("another process serves"),
        "{why}"
    );
    assert!(half_made.exists(), "the first one is still making it");
    assert_eq!(rig.calls().create("pvc-2", 300).await.unwrap(), 300 * MIB);
}

#[tokio::test]
async fn sweep_takes_everything_away_but_the_images() {
    let mut rig = Rig::start();
    let target = rig.calls().mount("pvc-1", 300).await;
    let _open = File::create(target.join("held open")).unwrap();
    rig.kill();
    assert_eq!(sweep(&rig.state()).unwrap().len(), 1);
    assert!(!target.join("held open").exists(), "unmounted");
    assert!(rig.image("pvc-1").exists());
    drop(_open);
    assert!(
        within(Duration::from_secs(5), || rig.left().is_empty()),
        "{:?}",
        rig.left()
    );
    assert_eq!(sweep(&rig.state()).unwrap(), Vec::<PathBuf>::new());
    assert_eq!(sweep(&rig.state().join("absent")).unwrap(), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn sweep_finds_what_is_left_of_a_state_directory_that_was_removed() {
    let rig = Rig::start();
    let mut calls = rig.calls();
    calls.create("pvc-1", 300).await.unwrap();
    let image = fs::canonicalize(rig.image("pvc-1")).unwrap();
    loops::attach(&image).unwrap();
    let state = fs::canonicalize(rig.state()).unwrap();
    fs::remove_dir_all(&state).unwrap();
    assert_eq!(sweep(&rig.state()).unwrap().len(), 1);
    let gone = || {
        !loops::all()
            .unwrap()
            .iter()
            .any(|it| it.image.starts_with(&state))
    };
    assert!(within(Duration::from_secs(5), gone));
}

#[test]
fn a_failing_test_leaves_nothing() {
    let (made, was_made) = std::sync::mpsc::channel();
    let failing = std::thread::spawn(move || {
        let rig = Rig::start();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async { rig.calls().mount("pvc-1", 300).await });
        made.send((rig.state(), rig.left().len())).unwrap();
        panic!("on purpose");
    });
    let (state, count) = was_made.recv().unwrap();
    assert_eq!(count, 3, "mounts and devices before the panic");
    failing.join().unwrap_err();
    assert!(!state.exists());
    // Removed images are still named by their devices.
    let gone = || {
        !loops::all()
            .unwrap()
            .iter()
            .any(|it| it.image.starts_with(&state))
    };
    assert!(within(Duration::from_secs(5), gone));
}

/// The first sectors of the foreign image.
fn head(rig: &Rig) -> Vec<u8> {
    let mut head = vec![0; 8192];
    File::open(rig.image("foreign"))
        .unwrap()
        .read_exact_at(&mut head, 0)
        .unwrap();
    head
}

/// Two mkfs.xfs at once would leave a filesystem that mounts and is wrong inside.
fn check_filesystem(rig: &Rig) {
    let output = Command::new("xfs_repair")
        .args(["-n", "-f"])
        .arg(rig.image("pvc-1"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
