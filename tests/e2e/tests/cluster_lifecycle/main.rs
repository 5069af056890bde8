//! A cluster leaves nothing behind and touches nothing foreign, however it ends. It wants the machine for itself, so it is run before
//! the others have their cluster: `cargo test -p e2e --test cluster_lifecycle`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "what helps a test fails as the test does"
)]

mod machine;

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use cluster::places;

use machine::{assert_unchanged, machine, processes_of};

/// The tests of this file take turns: a machine has one cluster.
static MACHINE: Mutex<()> = Mutex::new(());

const VOLUME_POD: &str = r#"
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: holder}
spec:
  containers: [{name: pause, image: localhost/pause:dev, imagePullPolicy: Never, volumeMounts: [{name: data, mountPath: /data}]}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
"#;

/// The machine without a cluster, also where an earlier run was killed and left its own.
fn alone() -> MutexGuard<'static, ()> {
    let turn = MACHINE.lock().unwrap_or_else(PoisonError::into_inner);
    cluster::down::down_anywhere().unwrap();
    turn
}

/// Of someone who has used another cluster, which is gone.
fn cluster(arguments: &[&str], state: &Path) -> Command {
    let mut command = Command::new(places::program("cluster").unwrap());
    command.args(arguments).arg("--state").arg(state);
    command.env("KUBECONFIG", state.with_file_name("gone"));
    command
}

#[track_caller]
fn succeed(command: &mut Command) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = command.stdin(Stdio::null()).output().unwrap();
    assert!(
        status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&stderr)
    );
    String::from_utf8(stdout).unwrap()
}

fn wait_until(what: &str, seconds: u64, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    while !done() {
        assert!(Instant::now() < deadline, "waited {seconds} s for {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Things that are nobody's business: a mounted loop device, and a process whose number a record will hold.
struct Foreign {
    folder: tempfile::TempDir,
    device: String,
    process: Child,
}

impl Foreign {
    fn create() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (image, point) = (folder.path().join("image"), folder.path().join("mount"));
        fs::File::create(&image).unwrap().set_len(320 << 20).unwrap();
        succeed(Command::new("mkfs.xfs").arg("-q").arg(&image));
        let device = succeed(Command::new("losetup").args(["--find", "--show"]).arg(&image))
            .trim()
            .to_owned();
        fs::create_dir(&point).unwrap();
        succeed(Command::new("mount").arg(&device).arg(&point));
        fs::write(point.join("file"), "untouched").unwrap();
        let process = Command::new("sleep").arg("3600").spawn().unwrap();
        Self {
            folder,
            device,
            process,
        }
    }

    #[track_caller]
    fn assert_untouched(&mut self) {
        assert_eq!(
            fs::read_to_string(self.folder.path().join("mount/file")).unwrap(),
            "untouched"
        );
        assert_eq!(
            self.process.try_wait().unwrap(),
            None,
            "a foreign process was ended"
        );
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        succeed(Command::new("umount").arg(self.folder.path().join("mount")));
        succeed(Command::new("losetup").arg("--detach").arg(&self.device));
    }
}

/// Removes the clusters of a test that failed: the next one would only tell that they are there.
struct Removed(Vec<PathBuf>);

impl Drop for Removed {
    fn drop(&mut self) {
        for state in self.0.iter().filter(|state| state.exists()) {
            succeed(&mut cluster(&["down"], state));
        }
    }
}

#[test]
fn nothing_is_left_after_its_starter_was_killed() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("cluster");
    let _removed = Removed(vec![state.clone()]);
    let mut foreign = Foreign::create();
    let before = machine();

    let mut starter = cluster(&["up"], &state).stderr(Stdio::null()).spawn().unwrap();
    wait_until("the kubelet to be started", 240, || {
        state.join("records/kubelet").exists()
    });
    starter.kill().unwrap();
    starter.wait().unwrap();
    assert!(
        processes_of(&state).len() > 4,
        "the cluster died with its starter"
    );

    // A record of a process that has ended, whose number the machine has given away again.
    let stat = fs::read_to_string(format!("/proc/{}/stat", foreign.process.id())).unwrap();
    let mut fields: Vec<_> = stat.split(' ').collect();
    fields[21] = "1"; // it started long before
    fs::write(state.join("records/csi-resizer"), fields.join(" ")).unwrap();

    succeed(&mut cluster(&["down"], &state));
    foreign.assert_untouched();
    assert_eq!(processes_of(&state), Vec::<String>::new());
    assert!(!state.exists());
    assert_unchanged(&before);
}

#[test]
fn a_new_one_elsewhere_removes_the_old_and_a_used_one_goes_whole() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("old"), folder.path().join("new"));
    let _removed = Removed(vec![old.clone(), new.clone()]);
    let mut foreign = Foreign::create();
    let before = machine();

    let mut starter = cluster(&["up"], &old).stderr(Stdio::null()).spawn().unwrap();
    wait_until("the API server to be started", 240, || {
        old.join("records/kube-apiserver").exists()
    });
    starter.kill().unwrap();
    starter.wait().unwrap();

    succeed(&mut cluster(&["up"], &new));
    assert!(!old.exists() && processes_of(&old).is_empty());
    succeed(&mut cluster(&["status"], &new));
    let kubectl = |arguments: &[&str]| {
        let mut command = Command::new(new.join("bin/kubectl"));
        command
            .args(arguments)
            .env("KUBECONFIG", new.join("admin.kubeconfig"));
        succeed(&mut command)
    };
    let manifest = folder.path().join("pod.yaml");
    fs::write(&manifest, VOLUME_POD).unwrap();
    kubectl(&["apply", "-f", manifest.to_str().unwrap()]);
    kubectl(&["wait", "--for=condition=Ready", "pod/holder", "--timeout=120s"]);
    let used = machine();
    let made = |kind: &str| {
        used.difference(&before)
            .filter(|line| line.starts_with(kind))
            .count()
    };
    assert!(
        made("loop") == 1 && made("mount") > 2 && made("group") > 0 && made("rules") > 0,
        "{used:#?}"
    );

    // Who dies is named, with what it said last.
    let record = fs::read_to_string(new.join("records/coredns")).unwrap();
    succeed(Command::new("kill").args(["-KILL", record.split(' ').next().unwrap()]));
    wait_until("the dead to be missed", 10, || {
        !cluster(&["status"], &new).output().unwrap().status.success()
    });
    let said = String::from_utf8(cluster(&["status"], &new).output().unwrap().stderr).unwrap();
    assert!(
        said.contains("coredns has died; it said last:") && said.contains("CoreDNS-1."),
        "{said}"
    );

    succeed(&mut cluster(&["down"], &new));
    foreign.assert_untouched();
    assert_eq!(processes_of(&new), Vec::<String>::new());
    assert!(!new.exists());
    assert_unchanged(&before);
    succeed(&mut cluster(&["down"], &new)); // there is none: nothing to do
}

#[test]
fn who_stands_in_the_way_is_named_in_one_line() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("cluster");
    let _removed = Removed(vec![state.clone()]);
    let before = machine();

    let listener = TcpListener::bind(("0.0.0.0", 16443)).unwrap();
    let refused = cluster(&["up"], &state).output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    let expected = format!(
        "port 16443, needed for the API server, is held by process {}",
        std::process::id()
    );
    assert!(
        !refused.status.success() && said.trim().lines().count() == 1 && said.contains(&expected),
        "{said}"
    );
    drop(listener);
    succeed(&mut cluster(&["down"], &state));
    assert_unchanged(&before);

    // A folder with someone's files in it is no place for a cluster, and nothing in it is removed.
    fs::create_dir(&state).unwrap();
    fs::write(state.join("thesis"), "years of work").unwrap();
    let refused = cluster(&["up"], &state).output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(
        !refused.status.success() && said.contains("holds files that are no cluster's"),
        "{said}"
    );
    succeed(&mut cluster(&["down"], &state));
    assert_eq!(fs::read_to_string(state.join("thesis")).unwrap(), "years of work");
    fs::remove_dir_all(&state).unwrap();
}
