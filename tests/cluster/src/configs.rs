//! The configuration files of the components that take one.

use std::fs;

use anyhow::{Context as _, Result};
use serde_json::json;

use crate::{
    components::port,
    network::{self, NODE_ADDRESS},
    state::State,
};

/// The root of all names, with nothing below it.
const NOTHING_ELSE: &str = "root.zone";

/// Writes them all into the state folder.
pub(crate) fn write(state: &State, kubelet_sync: &str) -> Result<()> {
    let write = |name: &str, text: String| {
        let path = state.path(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    };
    write("kubelet.json", kubelet(state, kubelet_sync))?;
    write("containerd.toml", containerd(state))?;
    write("cni/10-pods.conflist", network::pod_network(state))?;
    write("Corefile", corefile(state))?;
    write(
        NOTHING_ELSE,
        ". 1 IN SOA nobody. nobody. 1 60 60 60 1\n".to_owned(),
    )?;
    write("resolv.conf", format!("nameserver {NODE_ADDRESS}\n"))
}

/// Every path below the state folder, every limit that is about this machine's own disk off, and no packet-filter chains.
fn kubelet(state: &State, sync: &str) -> String {
    let nothing_free = "0%";
    let config = json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": NODE_ADDRESS.to_string(),
        "port": port::KUBELET,
        "healthzPort": port::KUBELET_HEALTH,
        "containerRuntimeEndpoint": format!("unix://{}", state.containerd_socket().display()),
        "podLogsDir": state.path("logs/pods"),
        "volumePluginDir": state.path("kubelet/volume-plugins"),
        "resolvConf": state.path("resolv.conf"),
        "clusterDNS": [NODE_ADDRESS.to_string()],
        "clusterDomain": "cluster.local",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": format!("/{}", state.control_group()),
        "enforceNodeAllocatable": [],
        "failCgroupV1": false, // a machine with version 1 is good enough for tests
        "failSwapOn": false,
        "makeIPTablesUtilChains": false,
        "evictionHard": {
            "memory.available": nothing_free,
            "nodefs.available": nothing_free,
            "nodefs.inodesFree": nothing_free,
            "imagefs.available": nothing_free,
        },
        "imageGCHighThresholdPercent": 100, // images cannot be fetched again
        "syncFrequency": sync,
        "tlsCertFile": state.path("pki/node.crt"),
        "tlsPrivateKeyFile": state.path("pki/node.key"),
        "authentication": {
            "anonymous": {"enabled": false},
            "webhook": {"enabled": true},
            "x509": {"clientCAFile": state.path("pki/ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
    });
    format!("{config:#}\n")
}

/// Without AppArmor and without lowering the score of the out-of-memory killer: a machine in a virtual machine may have the right to
/// neither. Network namespaces are mounted below the run folder, where they are found again.
fn containerd(state: &State) -> String {
    let (root, run, cni) = (state.path("containerd"), state.run(), state.path("cni"));
    let (root, run, cni) = (root.display(), run.display(), cni.display());
    let socket = state.containerd_socket();
    let socket = socket.display();
    format!(
        r#"version = 2
root = "{root}"
state = "{run}/containerd"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.tracing.processor.v1.otlp"]
[grpc]
  address = "{socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:dev"
  restrict_oom_score_adj = true
  disable_apparmor = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{cni}"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        Root = "{run}/runc"
"#
    )
}

/// As in a real cluster a name that nobody has does not exist: without an answer for the rest of the world a resolver would try again
/// and again what its search list made of a name.
fn corefile(state: &State) -> String {
    let (kubeconfig, port) = (state.kubeconfig(), port::DNS);
    let kubeconfig = kubeconfig.display();
    format!(
        "cluster.local:{port} in-addr.arpa:{port} {{
  bind {NODE_ADDRESS}
  errors
  kubernetes {{
    kubeconfig {kubeconfig}
    pods insecure
    ttl 1
  }}
}}
.:{port} {{
  bind {NODE_ADDRESS}
  errors
  file {}
}}
",
        state.path(NOTHING_ELSE).display()
    )
}
