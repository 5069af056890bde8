//! The components of a cluster and the flags they are started with, in the order in which they are started.

use std::{net::IpAddr, path::Path};

use anyhow::Result;

use crate::{
    binaries::Binaries,
    control_plane::{self, Launch, Ports},
    network::{API_SERVICE, NODE_ADDRESS, PODS, SERVICES},
    packages, ports,
    state::State,
};

/// The one node.
pub const NODE: &str = "node-1";
/// Name of the test CSI driver, `tests/csi-loop`.
pub const DRIVER: &str = "loop.csi.highwater.dev";

/// The driver's sockets below kubelet's root. The sign in their names is needed: kubelet's gRPC library sends the whole path, with its
/// slashes escaped, as the name of the server it wants; Rust's takes an escape in a name only before such a sign, where a user
/// would stand, and ends the stream without it.
pub(crate) const DRIVER_SOCKET: &str = "plugins/loop.csi.highwater.dev/csi@loop.sock";
/// See [`DRIVER_SOCKET`]; the longest path of a socket that there is.
pub(crate) const REGISTRATION_SOCKET: &str = "plugins_registry/loop.csi.highwater.dev@reg.sock";

/// Ports of our own, so that another Kubernetes on the machine does not stand in the way; below the range that the kernel gives out.
pub(crate) mod port {
    pub(crate) const API: u16 = 16443;
    pub(crate) const ETCD: u16 = 16379;
    pub(crate) const ETCD_PEER: u16 = 16380;
    pub(crate) const KUBELET: u16 = 16250;
    pub(crate) const KUBELET_HEALTH: u16 = 16248;
    pub(crate) const CONTROLLER_MANAGER: u16 = 16257;
    pub(crate) const SCHEDULER: u16 = 16259;
    pub(crate) const PROXY_METRICS: u16 = 16249;
    pub(crate) const PROXY_HEALTH: u16 = 16256;
    pub(crate) const DNS: u16 = 53;
}

/// All of them, by the names of their logs.
pub const ALL: &[&str] = &[
    "etcd",
    "kube-apiserver",
    "containerd",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "coredns",
    "kube-proxy",
    "csi-loop",
    "csi-provisioner",
    "csi-resizer",
];

/// Fails with one line that names the holder of a port that a component needs. The node's address must exist.
pub(crate) fn require_ports() -> Result<()> {
    let (loopback, node): (IpAddr, IpAddr) = (IpAddr::from([127, 0, 0, 1]), NODE_ADDRESS.into());
    for (address, port, purpose) in [
        (loopback, port::ETCD, "etcd"),
        (loopback, port::ETCD_PEER, "etcd"),
        (node, port::API, "the API server"),
        (node, port::KUBELET, "kubelet"),
        (loopback, port::KUBELET_HEALTH, "kubelet"),
        (loopback, port::CONTROLLER_MANAGER, "the controller manager"),
        (loopback, port::SCHEDULER, "the scheduler"),
        (loopback, port::PROXY_METRICS, "kube-proxy"),
        (loopback, port::PROXY_HEALTH, "kube-proxy"),
        (node, port::DNS, "DNS"),
    ] {
        ports::require_free(address, port, purpose)?;
    }
    Ok(())
}

/// The store, the API server and the container runtime: what all others talk to.
pub(crate) fn foundation(state: &State, binaries: &Binaries) -> Result<[Launch; 3]> {
    let ports = Ports {
        etcd: port::ETCD,
        etcd_peer: port::ETCD_PEER,
        api: port::API,
    };
    let mut flags = control_plane::api_server_flags(state.folder(), ports);
    flags.extend([
        format!("--bind-address={NODE_ADDRESS}"),
        format!("--advertise-address={NODE_ADDRESS}"),
        format!("--service-cluster-ip-range={SERVICES}"),
        "--authorization-mode=Node,RBAC".to_owned(),
        "--kubelet-preferred-address-types=InternalIP".to_owned(),
        format!(
            "--kubelet-client-certificate={}",
            state.path("pki/admin.crt").display()
        ),
        format!("--kubelet-client-key={}", state.path("pki/admin.key").display()),
        format!(
            "--audit-policy-file={}",
            state.path("audit-policy.yaml").display()
        ),
        format!("--audit-log-path={}", state.audit_log().display()),
    ]);
    let containerd = Launch {
        name: "containerd",
        program: packages::require(packages::CONTAINERD)?,
        arguments: vec![format!("--config={}", state.path("containerd.toml").display())],
    };
    Ok([
        control_plane::etcd(packages::require(packages::ETCD)?, state.folder(), ports),
        Launch::kubernetes(binaries, "kube-apiserver", &flags),
        containerd,
    ])
}

/// All that need the API server: started together as soon as it is ready.
pub(crate) fn upon_it(state: &State, binaries: &Binaries, csi_loop: &Path) -> Vec<Launch> {
    let mut launches = kubernetes(state, binaries);
    launches.extend(storage(state, binaries, csi_loop));
    launches
}

fn kubernetes(state: &State, binaries: &Binaries) -> Vec<Launch> {
    let admin = format!("--kubeconfig={}", state.kubeconfig().display());
    let pki = |file: &str| state.path("pki").join(file).display().to_string();
    let manager = [
        admin.clone(),
        format!("--service-account-private-key-file={}", pki("tokens.key")),
        format!("--root-ca-file={}", pki("ca.crt")),
        format!(
            "--flex-volume-plugin-dir={}",
            state.path("kubelet/volume-plugins").display()
        ),
        "--use-service-account-credentials".to_owned(),
        "--leader-elect=false".to_owned(),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--secure-port={}", port::CONTROLLER_MANAGER),
    ];
    let scheduler = [
        admin.clone(),
        "--leader-elect=false".to_owned(),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--secure-port={}", port::SCHEDULER),
    ];
    let kubelet = [
        format!("--config={}", state.path("kubelet.json").display()),
        format!("--kubeconfig={}", state.path("node.kubeconfig").display()),
        format!("--root-dir={}", state.kubelet().display()),
        format!("--cert-dir={}", pki("")),
        format!("--hostname-override={NODE}"),
        format!("--node-ip={NODE_ADDRESS}"),
    ];
    // The limits of connection tracking belong to the machine, not to a test: 0 leaves them alone.
    let proxy = [
        admin,
        "--proxy-mode=nftables".to_owned(),
        format!("--cluster-cidr={PODS}"),
        format!("--hostname-override={NODE}"),
        format!("--metrics-bind-address=127.0.0.1:{}", port::PROXY_METRICS),
        format!("--healthz-bind-address=127.0.0.1:{}", port::PROXY_HEALTH),
        "--conntrack-max-per-core=0".to_owned(),
        "--conntrack-min=0".to_owned(),
        "--conntrack-tcp-timeout-established=0".to_owned(),
        "--conntrack-tcp-timeout-close-wait=0".to_owned(),
    ];
    let dns = ["-conf".to_owned(), state.path("Corefile").display().to_string()];
    vec![
        Launch::kubernetes(binaries, "kube-controller-manager", &manager),
        Launch::kubernetes(binaries, "kube-scheduler", &scheduler),
        Launch::kubernetes(binaries, "kubelet", &kubelet),
        Launch::kubernetes(binaries, "coredns", &dns),
        Launch::kubernetes(binaries, "kube-proxy", &proxy),
    ]
}

/// The driver as a process of the host, and beside it the sidecars that in a real cluster share a pod with it. Their limits on the API
/// server's time are raised: what is measured is the line, not a limit meant for large clusters.
fn storage(state: &State, binaries: &Binaries, csi_loop: &Path) -> [Launch; 3] {
    let endpoint = state.kubelet().join(DRIVER_SOCKET).display().to_string();
    let registration = state.kubelet().join(REGISTRATION_SOCKET);
    let sidecar = [
        format!("--kubeconfig={}", state.kubeconfig().display()),
        format!("--csi-address={endpoint}"),
        "--kube-api-qps=50".to_owned(),
        "--kube-api-burst=100".to_owned(),
    ];
    let driver = vec![
        "serve".to_owned(),
        format!("--endpoint={endpoint}"),
        format!("--registration={}", registration.display()),
        format!("--state={}", state.csi_loop().display()),
        format!("--node={NODE}"),
    ];
    let sidecar_with = |flag: &str| sidecar.iter().cloned().chain([flag.to_owned()]).collect();
    [
        Launch {
            name: "csi-loop",
            program: csi_loop.to_owned(),
            arguments: driver,
        },
        Launch {
            name: "csi-provisioner",
            program: binaries.csi_provisioner(),
            arguments: sidecar_with("--extra-create-metadata"),
        },
        Launch {
            name: "csi-resizer",
            program: binaries.csi_resizer(),
            // A driver that refuses for a while counts several failures a second, and would be left alone for minutes (5 by default).
            arguments: sidecar_with("--retry-interval-max=5s"),
        },
    ]
}

/// Addresses and names that the API server's certificate is for.
pub(crate) fn api_server_hosts() -> [String; 4] {
    [
        NODE_ADDRESS.to_string(),
        API_SERVICE.to_owned(),
        "kubernetes.default.svc".to_owned(),
        "localhost".to_owned(),
    ]
}
