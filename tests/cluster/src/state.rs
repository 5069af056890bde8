//! The state folder of one cluster, and the names that follow from its path. All that a cluster makes outside its folder is found
//! again from these names alone, even if the folder has been deleted under it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use sha2::{Digest as _, Sha256};

use crate::{binaries::short_hex, components::REGISTRATION_SOCKET};

/// Where one cluster keeps everything.
#[derive(Clone, Debug)]
pub struct State {
    folder: PathBuf,
    id: String,
}

impl State {
    /// The cluster whose folder this is; it need not exist.
    pub fn at(folder: &Path) -> Result<Self> {
        let folder = std::path::absolute(folder).with_context(|| format!("bad path {}", folder.display()))?;
        // A link must not give one folder two identities; what does not exist yet is taken by its parent.
        let folder = match (folder.canonicalize(), folder.parent(), folder.file_name()) {
            (Ok(real), ..) => real,
            (Err(_), Some(parent), Some(name)) => parent
                .canonicalize()
                .unwrap_or_else(|_| parent.to_owned())
                .join(name),
            (Err(error), ..) => return Err(error).with_context(|| format!("bad path {}", folder.display())),
        };
        let mut hash = Sha256::new();
        hash.update(folder.as_os_str().as_encoded_bytes());
        Ok(Self {
            folder,
            id: short_hex(hash),
        })
    }

    /// The folder, absolute.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A file or folder below it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Kubeconfig of a cluster administrator.
    pub fn kubeconfig(&self) -> PathBuf {
        self.path("admin.kubeconfig")
    }

    /// A shell file that sets `KUBECONFIG` and `PATH`.
    pub fn environment(&self) -> PathBuf {
        self.path("env")
    }

    /// Kubelet's root: pods and their volumes are mounted below it.
    pub fn kubelet(&self) -> PathBuf {
        self.path("kubelet")
    }

    /// What a component said.
    pub fn log(&self, component: &str) -> PathBuf {
        self.path("logs").join(format!("{component}.log"))
    }

    /// The API server's record of the writes that tests count.
    pub fn audit_log(&self) -> PathBuf {
        self.path("logs/audit.log")
    }

    /// Folder of the CSI driver: images of volumes, and the faults that are switched on.
    pub fn csi_loop(&self) -> PathBuf {
        self.path("csi-loop")
    }

    /// For sockets and what must be gone after a reboot.
    pub(crate) fn run(&self) -> PathBuf {
        PathBuf::from(format!("/run/highwater-{}", self.id))
    }

    /// containerd's socket.
    pub(crate) fn containerd_socket(&self) -> PathBuf {
        self.run().join("containerd.sock")
    }

    /// All pods are in a control group of this name, in every hierarchy.
    pub(crate) fn control_group(&self) -> String {
        format!("highwater-{}", self.id)
    }

    /// The interface that carries the node's address; 15 characters are the most that Linux takes.
    pub(crate) fn bridge(&self) -> String {
        format!("hw{}", self.id)
    }

    /// Name of the pod network, which its leases and cached results carry.
    pub(crate) fn pod_network(&self) -> String {
        format!("highwater-{}", self.id)
    }

    pub(crate) fn create(&self) -> Result<()> {
        // sockaddr_un holds 108 bytes with the final zero (unix(7)).
        let longest = self.kubelet().join(REGISTRATION_SOCKET);
        if longest.as_os_str().len() > 107 {
            bail!(
                "{} is too long a path for the sockets below it: use a shorter one",
                self.folder.display()
            );
        }
        for name in [
            "pki",
            "logs/pods",
            "records",
            "bin",
            "kubelet",
            "cni",
            "csi-loop",
            "containerd",
        ] {
            let path = self.path(name);
            fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
        }
        fs::create_dir_all(self.run()).with_context(|| format!("cannot make {}", self.run().display()))
    }
}
