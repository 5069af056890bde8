//! The server that all tests of this package stand on: it serves, and it leaves nothing behind.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "what helps a test fails as the test does"
)]

use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use cluster::apiserver;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::{
    Api, Client, Config,
    api::PostParams,
    config::{KubeConfigOptions, Kubeconfig},
};
use serde_json::json;

const KUBECONFIG_IS: &str = "kubeconfig: ";

async fn client(kubeconfig: &Path) -> Client {
    let file = Kubeconfig::read_from(kubeconfig).unwrap();
    let config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default())
        .await
        .unwrap();
    Client::try_from(config).unwrap()
}

/// Host and port out of a kubeconfig of ours.
fn address(kubeconfig: &Path) -> String {
    let file = Kubeconfig::read_from(kubeconfig).unwrap();
    let server = file.clusters[0].cluster.clone().unwrap().server.unwrap();
    server.trim_start_matches("https://").to_owned()
}

#[tokio::test]
async fn it_serves_a_cluster_administrator_and_is_gone_when_dropped() {
    let server = apiserver::start().unwrap();
    let client = client(server.kubeconfig()).await;
    let namespaces = Api::<Namespace>::all(client.clone())
        .list(&Default::default())
        .await
        .unwrap();
    assert!(
        namespaces
            .iter()
            .any(|namespace| namespace.metadata.name.as_deref() == Some("default"))
    );
    let map: ConfigMap =
        serde_json::from_value(json!({"metadata": {"name": "kept"}, "data": {"key": "value"}})).unwrap();
    let maps = Api::<ConfigMap>::default_namespaced(client);
    maps.create(&PostParams::default(), &map).await.unwrap();
    assert_eq!(maps.get("kept").await.unwrap().data.unwrap()["key"], "value");

    let (kubeconfig, address) = (server.kubeconfig().to_owned(), address(server.kubeconfig()));
    drop(server);
    assert!(!kubeconfig.exists(), "{} is still there", kubeconfig.display());
    assert!(
        TcpStream::connect(&address).is_err(),
        "something still listens on {address}"
    );
}

/// The server of a test that is killed must not live on: the next run would find its memory and its ports taken.
#[test]
fn it_is_gone_when_its_process_is_killed() {
    let mut holder = Command::new(env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "holds_a_server_until_killed",
            "--nocapture",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(holder.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    let kubeconfig = said
        .filter_map(|line| line.split(KUBECONFIG_IS).nth(1).map(PathBuf::from))
        .next();
    let kubeconfig = kubeconfig.expect("the other process did not start a server");
    let address = address(&kubeconfig);
    assert!(
        TcpStream::connect(&address).is_ok(),
        "nothing listens on {address}"
    );

    holder.kill().unwrap();
    holder.wait().unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while kubeconfig.exists() || TcpStream::connect(&address).is_ok() || !processes_in(&kubeconfig).is_empty()
    {
        let left = processes_in(&kubeconfig);
        assert!(
            Instant::now() < deadline,
            "left behind: {} {address} {left:?}",
            kubeconfig.display()
        );
        thread::sleep(Duration::from_millis(50));
    }
}

/// Processes whose command line names the server's folder.
fn processes_in(kubeconfig: &Path) -> Vec<String> {
    let folder = kubeconfig.parent().unwrap().to_str().unwrap();
    let lines = fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    lines
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.contains(folder))
        .collect()
}

#[test]
#[ignore = "not a test: the process that the test above kills"]
fn holds_a_server_until_killed() {
    let server = apiserver::start().unwrap();
    println!("{KUBECONFIG_IS}{}", server.kubeconfig().display());
    loop {
        thread::park();
    }
}
