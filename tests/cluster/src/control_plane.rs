//! etcd and the API server as the whole cluster and the API-server tests both start them.

use std::path::{Path, PathBuf};

use crate::binaries::Binaries;

/// A program to start, under the name of its log.
pub(crate) struct Launch {
    pub(crate) name: &'static str,
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
}

impl Launch {
    /// One of the Kubernetes programs.
    pub(crate) fn kubernetes(binaries: &Binaries, name: &'static str, arguments: &[String]) -> Self {
        let arguments = [name.to_owned()]
            .into_iter()
            .chain(arguments.iter().cloned())
            .collect();
        Self {
            name,
            program: binaries.kubernetes(),
            arguments,
        }
    }
}

/// Ports on which the control plane listens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ports {
    pub(crate) etcd: u16,
    pub(crate) etcd_peer: u16,
    pub(crate) api: u16,
}

/// The store, on the loopback address. It does not wait for the disk: nobody needs its data after a crash of the machine.
pub(crate) fn etcd(program: PathBuf, folder: &Path, ports: Ports) -> Launch {
    let client = format!("http://127.0.0.1:{}", ports.etcd);
    let peer = format!("http://127.0.0.1:{}", ports.etcd_peer);
    let arguments = vec![
        format!("--data-dir={}", folder.join("etcd").display()),
        format!("--listen-client-urls={client}"),
        format!("--advertise-client-urls={client}"),
        format!("--listen-peer-urls={peer}"),
        format!("--initial-advertise-peer-urls={peer}"),
        format!("--initial-cluster=default={peer}"),
        "--unsafe-no-fsync".to_owned(),
    ];
    Launch {
        name: "etcd",
        program,
        arguments,
    }
}

/// What every API server of ours is told; certificates are in `folder`/pki.
pub(crate) fn api_server_flags(folder: &Path, ports: Ports) -> Vec<String> {
    let pki = |file: &str| folder.join("pki").join(file).display().to_string();
    vec![
        format!("--etcd-servers=http://127.0.0.1:{}", ports.etcd),
        format!("--secure-port={}", ports.api),
        format!("--client-ca-file={}", pki("ca.crt")),
        format!("--tls-cert-file={}", pki("apiserver.crt")),
        format!("--tls-private-key-file={}", pki("apiserver.key")),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        format!("--service-account-key-file={}", pki("tokens.pub")),
        format!("--service-account-signing-key-file={}", pki("tokens.key")),
        "--allow-privileged=true".to_owned(),
    ]
}
